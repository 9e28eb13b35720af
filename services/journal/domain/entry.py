"""One event as the journal keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """An event of the log; written once and never changed.

    `at` is the event's own time, `recorded_at` when the journal took it. `data` is JSON, masked
    where it would tell a room.
    """

    event_id: str
    type: str
    dataschema: str
    source: str
    subject: str
    at: datetime
    recorded_at: datetime
    correlation_id: str
    causation_id: str
    place: str
    data: bytes
    traceparent: str | None = None
