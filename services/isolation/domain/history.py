"""Who did what to an aggregate, when and why: the lines of its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a history: what happened, when, by whom and why."""

    at: datetime
    what: str
    by: str | None = None
    why: str | None = None
