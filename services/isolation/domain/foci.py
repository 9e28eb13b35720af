"""Infected points (疫点): workplaces and venues where cases were. No one is closed in there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lianfang.envelope import natural_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Focus:
    """One infected point with the cases it stands on; without any it is cleared."""

    focus_id: str
    place: str
    causes: tuple[str, ...]
    declared_at: datetime
    policy_version: str
    is_open: bool = True
    revision: int = 1


def focus_id(place: str) -> str:
    """The id of a place's infected point."""
    return natural_id("focus", place)


def settle_focus(
    known: Focus | None, place: str, causes: tuple[str, ...], now: datetime, version: str
) -> Focus | None:
    """The infected point as these causes make it; None when there never was one."""
    if known is None:
        if not causes:
            return None
        return Focus(
            focus_id=focus_id(place),
            place=place,
            causes=causes,
            declared_at=now,
            policy_version=version,
        )
    if not causes:
        if not known.is_open:
            return known
        return replace(known, is_open=False, revision=known.revision + 1)
    if known.is_open and known.causes == causes:
        return known
    declared_at = known.declared_at if known.is_open else now
    return replace(
        known,
        causes=causes,
        is_open=True,
        declared_at=declared_at,
        policy_version=version,
        revision=known.revision + 1,
    )
