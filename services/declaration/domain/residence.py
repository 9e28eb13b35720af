"""Households and residences: who stays where, since when, and where each was last seen.

    (new) --register, declare--> open --moved, moved_out, lives_elsewhere, deceased--> ended
    ended --declared or seen there again later--> open        (deceased stays ended)

Every sighting counts by its own time, so any order of the same sightings ends in the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from lianfang.envelope import natural_id
from lianfang.errors import IllegalTransition
from lianfang.events import CHUNK
from lianfang.events.declaration import ResidentSnapshot
from lianfang.events.declaration import Sighting as SightingSnapshot
from lianfang.vocabulary import Finding, Need, Presence, PresenceSource, ResidenceKind

PRESENT = Presence.PRESENT
MOVED, MOVED_OUT = "moved", "moved_out"
LIVES_ELSEWHERE, DECEASED = "lives_elsewhere", "deceased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who shares a room, or a part of it. `provisional` until a table knows the room."""

    household_id: str
    building: str
    room_path: str
    unit: str | None = None
    room: str
    floor: int | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """One person in one household; natural in the two. `declared` once somebody declared for it."""

    residence_id: str
    person_id: str
    household_id: str
    building: str
    room_path: str
    unit: str | None = None
    room: str
    floor: int | None = None
    kind: ResidenceKind = ResidenceKind.USUAL
    presence: Presence = Presence.UNKNOWN
    presence_at: datetime | None = None
    presence_source: PresenceSource | None = None
    contactable: bool = True
    stays_since: datetime | None = None
    ended_at: datetime | None = None
    ended_reason: str | None = None
    needs: tuple[Need, ...] = ()
    is_minor: bool = False
    guardian_id: str | None = None
    declared: bool = False
    import_id: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody saw or was told of one residence; `ended` says why it is over, if it is."""

    presence: Presence
    seen_at: datetime
    source: PresenceSource
    contactable: bool = True
    ended: str | None = None


def household_id_of(building: str, room_path: str, label: str | None) -> str:
    """Natural in the building and the label of the roll; without a label, in the room."""
    return natural_id("household", building, label) if label else natural_id("household", room_path)


def residence_id_of(person_id: str, household_id: str) -> str:
    """Natural in the two."""
    return natural_id("residence", person_id, household_id)


def revised(known: Residence | None, wanted: Residence) -> Residence | None:
    """The residence to store, or None when nothing but its import is new."""
    if known is None:
        return wanted
    if replace(wanted, revision=known.revision, import_id=known.import_id) == known:
        return None
    return replace(wanted, revision=known.revision + 1)


def reopened(known: Residence | None, fresh: Residence) -> Residence:
    """What a registration or declaration builds on: the open residence, else a fresh one.

    Raises:
        IllegalTransition: the person died there.
    """
    if known is None:
        return fresh
    if known.ended_at is None:
        return known
    if known.ended_reason == DECEASED:
        raise IllegalTransition.of(f"residence {known.residence_id}", DECEASED, "open")
    return replace(fresh, revision=known.revision, guardian_id=known.guardian_id)


def ended(residence: Residence, reason: str, at: datetime) -> Residence:
    """The residence, over."""
    return replace(residence, ended_at=at, ended_reason=reason, revision=residence.revision + 1)


def seen(residence: Residence, sighting: Seen) -> Residence | None:
    """The residence after a sighting, or None when a later one is known already.

    Of two sightings of one instant the one with an end wins, then a fixed order of the words,
    so that their order does not matter. A death is final whenever it is told.
    """
    if residence.ended_reason == DECEASED:
        if sighting.ended != DECEASED or _instant(residence.ended_at) <= sighting.seen_at:
            return None
    elif sighting.ended != DECEASED and _rank_of(residence) >= _rank(sighting):
        return None
    reason = sighting.ended or (MOVED_OUT if sighting.presence is Presence.MOVED_OUT else None)
    return replace(
        residence,
        presence=sighting.presence,
        presence_at=sighting.seen_at,
        presence_source=sighting.source,
        contactable=sighting.contactable,
        ended_at=sighting.seen_at if reason else None,
        ended_reason=reason,
        revision=residence.revision + 1,
    )


def _rank(sighting: Seen) -> tuple[datetime, str, str, str, bool]:
    reason = sighting.ended or (MOVED_OUT if sighting.presence is Presence.MOVED_OUT else "")
    source = sighting.source.value
    return sighting.seen_at, reason, sighting.presence.value, source, sighting.contactable


def _rank_of(residence: Residence) -> tuple[datetime, str, str, str, bool]:
    source = residence.presence_source.value if residence.presence_source else ""
    reason = residence.ended_reason or ""
    at = residence.presence_at or residence.ended_at
    if residence.ended_reason == MOVED:
        at = residence.ended_at
    return _instant(at), reason, residence.presence.value, source, residence.contactable


_BEGINNING = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _instant(at: datetime | None) -> datetime:
    return at or _BEGINNING


def finding_as_seen(finding: Finding, seen_at: datetime) -> Seen:
    """What a head count's finding says; who refuses at the door is there."""
    presence, reason = {
        Finding.PRESENT: (Presence.PRESENT, None),
        Finding.REFUSED: (Presence.PRESENT, None),
        Finding.ABSENT: (Presence.AWAY, None),
        Finding.LIVES_ELSEWHERE: (Presence.UNKNOWN, LIVES_ELSEWHERE),
        Finding.DECEASED: (Presence.UNKNOWN, DECEASED),
    }[finding]
    return Seen(presence=presence, seen_at=seen_at, source=PresenceSource.HEAD_COUNT, ended=reason)


def snapshot(residence: Residence) -> ResidentSnapshot:
    """What travels of a residence."""
    return ResidentSnapshot(
        residence_id=residence.residence_id,
        person_id=residence.person_id,
        household_id=residence.household_id,
        building=residence.building,
        room=residence.room,
        revision=residence.revision,
        unit=residence.unit,
        floor=residence.floor,
        kind=residence.kind,
        presence=residence.presence,
        stays_since=residence.stays_since,
        ended_at=residence.ended_at,
        needs=residence.needs,
        is_minor=residence.is_minor,
        guardian_id=residence.guardian_id,
    )


def sighting(residence: Residence) -> SightingSnapshot:
    """What travels of the last sighting of a residence."""
    return SightingSnapshot(
        residence_id=residence.residence_id,
        person_id=residence.person_id,
        household_id=residence.household_id,
        presence=residence.presence,
        seen_at=_instant(residence.presence_at),
        revision=residence.revision,
        contactable=residence.contactable,
    )


def in_chunks(residences: Iterable[Residence]) -> Iterator[tuple[Residence, ...]]:
    """At most `CHUNK` at once, a household never in two (a larger household is one chunk)."""
    households: dict[str, list[Residence]] = {}
    for residence in residences:
        households.setdefault(residence.household_id, []).append(residence)
    chunk: list[Residence] = []
    for members in households.values():
        if chunk and len(chunk) + len(members) > CHUNK:
            yield tuple(chunk)
            chunk = []
        chunk += members
    if chunk:
        yield tuple(chunk)
