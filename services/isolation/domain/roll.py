"""A seal's roll: who belongs to it, what became of each, and one recorded reason for everybody.

The roll is frozen as *expected* when the seal is imposed: whoever was told of by then. The head
count makes it *found*. Everything is computed from facts, so it does not matter which came first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.vocabulary import Finding, RollStatus
from services.isolation.domain.doors import Door
from services.isolation.domain.facts import Residence

#: Statuses of people who are, as far as anybody knows, inside.
INSIDE = (RollStatus.EXPECTED, RollStatus.FOUND, RollStatus.UNREGISTERED)
#: Statuses that still wait for somebody at the door.
UNDECIDED = (RollStatus.EXPECTED, RollStatus.DOOR_CHECK)

_GONE_ELSEWHERE = "lives_elsewhere"
_DIED = ("died", "deceased", "death")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person on the roll."""

    person_id: str
    status: RollStatus
    reason: str
    order_id: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One household's part of a seal's roll.

    `gone` is the last word on each who dropped out; whoever comes back is its next revision.
    """

    sheet_id: str
    seal_id: str
    building: str
    household_id: str
    entries: tuple[Entry, ...] = ()
    gone: tuple[Entry, ...] = ()

    @property
    def inside(self) -> int:
        """How many persons of it are expected or found inside."""
        return sum(entry.status in INSIDE for entry in self.entries)


def sheet_id(seal_id: str, household_id: str) -> str:
    """The id of a household's sheet."""
    return natural_id("sheet", seal_id, household_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is decided about one person on one roll, and why."""

    status: RollStatus
    reason: str


def judge_resident(
    residence: Residence,
    door: Door | None,
    imposed_at: datetime,
    trace_from_on: date,
    is_dead: bool,
) -> Judged | None:
    """What a resident is to this seal; None for whoever has nothing to do with it.

    `trace_from_on` is the first day on which somebody who has left since could have been infected.
    """
    if residence.known_at is None:
        return None
    found = door.found(residence.person_id, imposed_at) if door is not None else None
    finding = found[0] if found else None
    if is_dead or finding == Finding.DECEASED or residence.ended_why in _DIED:
        return Judged(status=RollStatus.DECEASED, reason="died")
    if finding == Finding.LIVES_ELSEWHERE or residence.ended_why == _GONE_ELSEWHERE:
        return Judged(status=RollStatus.LIVES_ELSEWHERE, reason="found to live elsewhere")
    if residence.ended_at is not None:
        late = _arrived_after(residence, imposed_at)
        if late or day_of(residence.ended_at) < trace_from_on:
            return None
        return Judged(status=RollStatus.TRACED, reason="left inside the look-back")
    return _judge_inside(residence, found, imposed_at) if residence.is_current else None


def _judge_inside(
    residence: Residence, found: tuple[Finding, datetime] | None, imposed_at: datetime
) -> Judged:
    look = residence.look if residence.look and residence.look.at >= imposed_at else None
    seen = _was_there(found, (look.is_there, look.at) if look else None)
    if seen is False:
        return Judged(status=RollStatus.ABSENT, reason="not there at the head count")
    arrived_after = _arrived_after(residence, imposed_at)
    told_after = residence.known_at is not None and residence.known_at > imposed_at
    if seen and (arrived_after or told_after):
        return Judged(status=RollStatus.UNREGISTERED, reason="found inside, not registered")
    if seen:
        return Judged(status=RollStatus.FOUND, reason="found at the head count")
    if arrived_after:
        return Judged(status=RollStatus.REFUSED_ENTRY, reason="arrived after the seal")
    if told_after:
        return Judged(status=RollStatus.DOOR_CHECK, reason="declared a stay from before the seal")
    return Judged(status=RollStatus.EXPECTED, reason="registered before the seal")


def _arrived_after(residence: Residence, imposed_at: datetime) -> bool:
    return residence.stays_since is not None and residence.stays_since > imposed_at


def judge_stranger(person_id: str, door: Door, imposed_at: datetime) -> Judged | None:
    """What somebody is whom a head count named and no residence here knows."""
    found = door.found(person_id, imposed_at)
    if found is None:
        return None
    if found[0] in (Finding.PRESENT, Finding.REFUSED):
        return Judged(status=RollStatus.UNREGISTERED, reason="found inside, not registered")
    if found[0] == Finding.DECEASED:
        return Judged(status=RollStatus.DECEASED, reason="died")
    if found[0] == Finding.LIVES_ELSEWHERE:
        return Judged(status=RollStatus.LIVES_ELSEWHERE, reason="found to live elsewhere")
    return Judged(status=RollStatus.ABSENT, reason="not there at the head count")


def _was_there(
    found: tuple[Finding, datetime] | None, look: tuple[bool, datetime] | None
) -> bool | None:
    """Whether the last look at the door saw the person; the head count's own word wins a tie."""
    if found is None:
        return look[0] if look else None
    if look is not None and look[1] > found[1]:
        return look[0]
    return found[0] in (Finding.PRESENT, Finding.REFUSED)


def enter(
    sheet: Sheet, entries: Iterable[Entry], dropped: Iterable[str] = ()
) -> tuple[Sheet, tuple[Entry, ...]]:
    """The sheet with these entries and without the dropped persons, and what is new to say.

    A dropped person is said once to live elsewhere, so that whoever waits at the door stops.
    """
    before = {entry.person_id: entry for entry in sheet.entries}
    gone = {entry.person_id: entry for entry in sheet.gone}
    changed = []
    for entry in entries:
        old = before.get(entry.person_id)
        if old is not None and replace(entry, revision=old.revision) == old:
            continue
        last = old or gone.pop(entry.person_id, None)
        aged = replace(entry, revision=last.revision + 1) if last is not None else entry
        before[entry.person_id] = aged
        changed.append(aged)
    for person_id in dropped:
        old = before.pop(person_id, None)
        if old is not None:
            gone[person_id] = Entry(
                person_id=person_id,
                status=RollStatus.LIVES_ELSEWHERE,
                reason="left before the look-back",
                revision=old.revision + 1,
            )
            changed.append(gone[person_id])
    if not changed:
        return sheet, ()
    after = replace(
        sheet,
        entries=tuple(before[key] for key in sorted(before)),
        gone=tuple(gone[key] for key in sorted(gone)),
    )
    return after, tuple(changed)
