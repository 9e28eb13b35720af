"""What the journal says: what operators did with parked messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from lianfang.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReplayed(Event):
    """A parked message was sent to its stored origin again."""

    TYPE: ClassVar[str] = "message.replayed"
    SUBJECT: ClassVar[str] = "parked_id"
    parked_id: str
    origin: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDiscarded(Event):
    """A parked message was given up, by whom and why."""

    TYPE: ClassVar[str] = "message.discarded"
    SUBJECT: ClassVar[str] = "parked_id"
    parked_id: str
    origin: str
    by: str
    reason: str
    at: datetime
