"""What rounds recorded at one household's door: who was there, and was the notice handed over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lianfang.envelope import natural_id
from lianfang.events.dispatch import StopRecord
from lianfang.vocabulary import Finding, StopOutcome

#: The rounds that decide something here.
HEAD_COUNT, NOTICE = "head_count", "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found of one person."""

    person_id: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One stop at the door at its newest revision."""

    stop_id: str
    kind: str
    outcome: StopOutcome
    at: datetime
    revision: int
    by: str
    persons: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """All stops that matter, of one household in one building."""

    door_id: str
    building: str
    household_id: str
    stops: tuple[Stop, ...] = ()

    @property
    def person_ids(self) -> tuple[str, ...]:
        """Everybody who was ever named at this door."""
        return tuple(sorted({seen.person_id for stop in self.stops for seen in stop.persons}))

    def found(self, person_id: str, since: datetime) -> tuple[Finding, datetime] | None:
        """The last finding of the person by a head count since then, and when.

        A stop that was done and names nobody ticks the whole household as present.
        """
        latest: tuple[Finding, datetime] | None = None
        for stop in self.stops:
            if stop.kind != HEAD_COUNT or stop.at < since:
                continue
            finding = _finding(stop, person_id)
            if finding is not None:
                latest = (finding, stop.at)
        return latest

    def notice(self, since: datetime) -> tuple[datetime, str] | None:
        """When the notice was handed over since then, and by whom."""
        done = [
            (stop.at, stop.by)
            for stop in self.stops
            if stop.kind == NOTICE and stop.outcome == StopOutcome.DONE and stop.at >= since
        ]
        return max(done, default=None)


def _finding(stop: Stop, person_id: str) -> Finding | None:
    named = {seen.person_id: seen.finding for seen in stop.persons}
    if person_id in named:
        return named[person_id]
    everybody = stop.outcome == StopOutcome.DONE and not stop.persons
    return Finding.PRESENT if everybody else None


def door_id(building: str, household_id: str) -> str:
    """The id of a household's door."""
    return natural_id("door", building, household_id)


def learn_stop(known: Door | None, building: str, kind: str, told: StopRecord, by: str) -> Door:
    """The door with the stop as its newest revision has it; stops stay ordered by time."""
    known = known or Door(
        door_id=door_id(building, told.household_id),
        building=building,
        household_id=told.household_id,
    )
    before = {stop.stop_id: stop for stop in known.stops}
    old = before.get(told.stop_id)
    if old is not None and old.revision >= told.revision:
        return known
    before[told.stop_id] = Stop(
        stop_id=told.stop_id,
        kind=kind,
        outcome=told.outcome,
        at=told.recorded_at,
        revision=told.revision,
        by=by,
        persons=tuple(Seen(person_id=p.person_id, finding=p.finding) for p in told.persons),
    )
    ordered = sorted(before.values(), key=lambda stop: (stop.at, stop.stop_id))
    return replace(known, stops=tuple(ordered))
