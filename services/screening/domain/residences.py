"""Who lives with whom and who was there when: screening's own copy of `resident.*`, `presence.*`.

Every change commutes: a snapshot with a higher revision wins, sightings are kept by the instant
somebody looked. So messages may come in any order and more than once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from lianfang.days import day_of
from lianfang.events.declaration import ResidentSnapshot
from lianfang.events.declaration import Sighting as SightingSaid
from lianfang.vocabulary import Presence, ResidenceKind

#: The sightings kept of one residence, the latest ones.
SIGHTINGS_KEPT = 30
_AWAY = {Presence.AWAY, Presence.AWAY_IN_CITY, Presence.MOVED_OUT}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Sighting:
    """Somebody looked or asked at `seen_at`."""

    seen_at: datetime
    presence: Presence


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """A person in a household; `known` is false while only sightings came."""

    residence_id: str
    person_id: str
    household_id: str
    building: str
    revision: int = 0
    known: bool = False
    unit: str | None = None
    floor: int | None = None
    kind: ResidenceKind = ResidenceKind.USUAL
    presence: Presence = Presence.UNKNOWN
    stays_since: datetime | None = None
    ended_at: datetime | None = None
    sightings: tuple[Sighting, ...] = ()


def with_snapshot(known: Residence | None, said: ResidentSnapshot) -> Residence:
    """The residence after a snapshot; an older one changes nothing."""
    if known is not None and known.revision >= said.revision:
        return known
    return Residence(
        residence_id=said.residence_id,
        person_id=said.person_id,
        household_id=said.household_id,
        building=said.building,
        revision=said.revision,
        known=True,
        unit=said.unit,
        floor=said.floor,
        kind=said.kind,
        presence=said.presence,
        stays_since=said.stays_since,
        ended_at=said.ended_at,
        sightings=known.sightings if known else (),
    )


def with_sighting(known: Residence | None, building: str, said: SightingSaid) -> Residence:
    """The residence after somebody looked; the same sighting twice changes nothing."""
    residence = known or Residence(
        residence_id=said.residence_id,
        person_id=said.person_id,
        household_id=said.household_id,
        building=building,
    )
    sighting = Sighting(seen_at=said.seen_at, presence=said.presence)
    if sighting in residence.sightings:
        return residence
    kept = tuple(sorted({*residence.sightings, sighting})[-SIGHTINGS_KEPT:])
    return residence if kept == residence.sightings else replace(residence, sightings=kept)


def was_there(residence: Residence, from_on: date, until_on: date) -> bool:
    """Whether the person may have stayed there on a day of the window.

    Somebody found absent inside the window may have been there before: only who is known to have
    been away since before it was not.
    """
    if not residence.known or residence.kind == ResidenceKind.REGISTERED_ONLY:
        return False
    if residence.stays_since and day_of(residence.stays_since) > until_on:
        return False
    if residence.ended_at and day_of(residence.ended_at) < from_on:
        return False
    away = away_since(residence)
    if away is None:
        return bool(residence.sightings) or residence.presence not in _AWAY
    present = last_seen(residence)
    return day_of(away) >= from_on or (present is not None and day_of(present) >= from_on)


def last_seen(residence: Residence) -> datetime | None:
    """When the person was last seen there."""
    seen = [s.seen_at for s in residence.sightings if s.presence == Presence.PRESENT]
    return max(seen, default=None)


def away_since(residence: Residence) -> datetime | None:
    """Since when the person is known to be away; None when they are not."""
    since: datetime | None = None
    for sighting in residence.sightings:
        if sighting.presence == Presence.PRESENT:
            since = None
        elif sighting.presence in _AWAY:
            since = since or sighting.seen_at
    return since


def last_present_at(residence: Residence, at: datetime) -> datetime:
    """The last instant up to `at` at which the person may have stayed there."""
    limits = [at]
    if residence.ended_at:
        limits.append(residence.ended_at)
    away = away_since(residence)
    if away:
        limits.append(last_seen(residence) or away)
    return min(limits)


def main_residence(residences: list[Residence]) -> Residence | None:
    """The one that stands for the person: a usual, standing one first."""
    ranked = sorted(
        (r for r in residences if r.known),
        key=lambda r: (r.ended_at is not None, list(ResidenceKind).index(r.kind), r.residence_id),
    )
    return ranked[0] if ranked else None
