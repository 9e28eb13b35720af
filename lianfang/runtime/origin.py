"""What a unit of work answers to; everything it says carries this on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a unit of work answers to: an incoming message, a command, or a timer."""

    correlation_id: str
    causation_id: str
    caller: str | None = None
    actor: str | None = None
    request_id: str | None = None
    traceparent: str | None = None
    message: Any = None
