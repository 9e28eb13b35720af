"""A named person's stop of the rule for a place, until a time: seals are proposed, not imposed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lianfang.places import contains


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Automation is paused for everything in `place`, why, until when, by whom."""

    place: str
    reason: str
    until: datetime
    decided_by: str
    is_active: bool = True
    revision: int = 1


def in_force(pauses: Iterable[Pause], building: str, now: datetime) -> Pause | None:
    """The pause that holds for this building now, or None."""
    return next(
        (p for p in pauses if p.is_active and p.until > now and contains(p.place, building)), None
    )
