"""Stops: what a team recorded at a door in a round, and what may still change about it.

due → done | partly_done | missed; missed → done and partly_done → done within the round; any other
change, and any change after the round, is a correction and names the revision it corrects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import Conflict, IllegalTransition, InvalidPayload
from lianfang.events.dispatch import StopPerson, StopRecord
from lianfang.vocabulary import StopOutcome
from services.dispatch.domain.households import Household
from services.dispatch.domain.rounds import Round, is_over

#: What may follow what while the round lasts.
_FOLLOWS = {
    StopOutcome.MISSED: {StopOutcome.DONE, StopOutcome.PARTLY_DONE},
    StopOutcome.PARTLY_DONE: {StopOutcome.DONE},
    StopOutcome.DONE: set[StopOutcome](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One household in one round, as last recorded."""

    stop_id: str
    round_id: str
    household_id: str
    building: str
    outcome: StopOutcome
    persons: tuple[StopPerson, ...]
    recorded_at: datetime
    recorded_by: str
    revision: int = 1
    reason: str | None = None

    @property
    def record(self) -> StopRecord:
        """What `stops.recorded` says about it."""
        return StopRecord(
            stop_id=self.stop_id,
            household_id=self.household_id,
            outcome=self.outcome,
            recorded_at=self.recorded_at,
            revision=self.revision,
            persons=self.persons,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a worker says about one door; `revision` is the stop's that it corrects."""

    household_id: str
    outcome: StopOutcome
    recorded_at: datetime
    persons: tuple[StopPerson, ...] = ()
    reason: str | None = None
    revision: int | None = None


def stop_id(round_id: str, household_id: str) -> str:
    """The natural id of a stop."""
    return natural_id("stop", round_id, household_id)


def check_entry(entry: Entry, household: Household | None, round_: Round, field: str) -> Household:
    """The household, when it and its persons are known to this round.

    Raises:
        InvalidPayload: an unknown household or person, or a missed stop without a reason.
    """
    if household is None or not _belongs(household, round_):
        raise InvalidPayload.of(f"{field}.household_id", "is no household of this round")
    for n, person in enumerate(entry.persons):
        if person.person_id not in household.persons:
            where = f"{field}.persons.{n}.person_id"
            raise InvalidPayload.of(where, "is nobody known in this household")
    if entry.outcome == StopOutcome.MISSED and not entry.reason:
        raise InvalidPayload.of(f"{field}.reason", "a missed stop needs its reason")
    return household


def _belongs(household: Household, round_: Round) -> bool:
    if household.household_id in round_.planned or round_.scope_id in household.scopes:
        return True
    seals = {o.seal_id for o in household.orders} | {c.seal_id for c in household.checks}
    return round_.seal_id is not None and round_.seal_id in seals


def record(
    before: Stop | None, entry: Entry, round_: Round, building: str, by: str, now: datetime
) -> Stop:
    """The stop after this entry; the same object when the entry says nothing new.

    Raises:
        InvalidPayload: recorded in the future.
        IllegalTransition: the round is over, or the change needs a revision.
        Conflict: the revision is not the stop's.
    """
    if entry.recorded_at > now:
        raise InvalidPayload.of("recorded_at", "lies in the future")
    said = Stop(
        stop_id=stop_id(round_.round_id, entry.household_id),
        round_id=round_.round_id,
        household_id=entry.household_id,
        building=building,
        outcome=entry.outcome,
        persons=entry.persons,
        recorded_at=entry.recorded_at,
        recorded_by=by,
        reason=entry.reason,
    )
    if before is None:
        if is_over(round_, entry.recorded_at):
            raise IllegalTransition.of(f"stop {said.stop_id}", "missed", entry.outcome)
        return said
    if _same(before, said):
        return before
    _may_change(before, entry, round_, now)
    return replace(said, revision=before.revision + 1)


def _same(one: Stop, other: Stop) -> bool:
    return (one.outcome, one.persons, one.reason) == (other.outcome, other.persons, other.reason)


def _may_change(before: Stop, entry: Entry, round_: Round, now: datetime) -> None:
    if entry.revision is not None:
        if entry.revision != before.revision:
            facts = {"stop_id": before.stop_id, "revision": before.revision}
            raise Conflict(f"stop {before.stop_id} is at revision {before.revision}", facts)
        return
    if is_over(round_, now) or entry.outcome not in _FOLLOWS[before.outcome]:
        raise IllegalTransition.of(f"stop {before.stop_id}", before.outcome, entry.outcome)


def entry_of(document: Mapping[str, Any], now: datetime) -> Entry:
    """An entry from the request's document."""
    return Entry(
        household_id=document["household_id"],
        outcome=document["outcome"],
        recorded_at=document["recorded_at"] or now,
        persons=tuple(
            StopPerson(**{**person, "symptoms": tuple(person["symptoms"])})
            for person in document["persons"]
        ),
        reason=document["reason"],
        revision=document["revision"],
    )
