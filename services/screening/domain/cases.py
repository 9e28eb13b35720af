"""Cases as a medic recorded them: states, who may move them where, and what is then said.

A classification is recorded by a named person and never computed. What is not listed here as a
move is refused and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.errors import Conflict, IllegalTransition, InvalidPayload
from lianfang.events.screening import (
    CaseAmended,
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    CaseSuspected,
    Stay,
)
from lianfang.vocabulary import Classification, Custody, PlaceUse

INFECTED = (Classification.CONFIRMED, Classification.ASYMPTOMATIC)
ENDED = (Classification.DISCARDED, Classification.CLOSED)
_MOVES = {
    Classification.REPORTED: (Classification.SUSPECTED, *INFECTED, Classification.DISCARDED),
    Classification.SUSPECTED: (*INFECTED, Classification.DISCARDED),
    Classification.CONFIRMED: (
        Classification.ASYMPTOMATIC,
        Classification.DISCARDED,
        Classification.CLOSED,
    ),
    Classification.ASYMPTOMATIC: (
        Classification.CONFIRMED,
        Classification.DISCARDED,
        Classification.CLOSED,
    ),
}
_HOMES = (PlaceUse.RESIDENCE, PlaceUse.DORMITORY)
#: What a repeated confirmation may add; everything else is an amendment.
_MOVABLE = ("custody", "custody_since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case as it is now. `origin_person_id` is who it was first about; `reach` what it touches.

    `reach` holds the keys of the households and floors whose residents may be contacts.
    """

    case_id: str
    person_id: str
    origin_person_id: str
    state: Classification
    building: str
    household_id: str | None
    basis: str
    reported_by: str
    reported_at: datetime
    classification: Classification | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    infectious_from_on: date | None = None
    onset_on: date | None = None
    first_positive_at: datetime | None = None
    laboratory_batch_id: str | None = None
    sample_id: str | None = None
    custody: Custody = Custody.AT_HOME
    custody_since: datetime | None = None
    stays: tuple[Stay, ...] = ()
    stays_given: bool = False
    reach: tuple[str, ...] = ()
    outcome: str | None = None
    reason: str | None = None
    reporting_district: str = ""
    owning_district: str = ""
    policy_version: str = ""
    revision: int = 1


def case_id_of(person_id: str, episode: int) -> str:
    """The id of a person's n-th case."""
    return natural_id("case", person_id, episode)


def reach_of_household(household_id: str) -> str:
    """The key under which a case finds a household's residents."""
    return f"household:{household_id}"


def reach_of_floor(building: str, unit: str | None, floor: int) -> str:
    """The key under which a case finds the residents of a floor."""
    return f"floor:{building}:{unit or ''}:{floor}"


def check_move(case: Case, wanted: Classification) -> None:
    """Refuse what the state machine does not list.

    Raises:
        IllegalTransition: from this state nothing leads there.
    """
    if wanted not in _MOVES.get(case.state, ()):
        raise IllegalTransition.of(f"case {case.case_id}", case.state, wanted)


def suspect(case: Case, revision: int | None = None) -> tuple[Case, CaseSuspected]:
    """The suspicion as it is recorded and said; nothing else follows from it."""
    case = replace(case, state=Classification.SUSPECTED, revision=revision or case.revision)
    return case, CaseSuspected(
        case_id=case.case_id,
        person_id=case.person_id,
        household_id=case.household_id,
        building=case.building,
        basis=case.basis,
        suspected_at=case.reported_at,
        sample_id=case.sample_id,
        revision=case.revision,
    )


def confirm(case: Case, facts: dict[str, Any]) -> tuple[Case, bool]:
    """The case with a medic's decision; whether it said anything new.

    Args:
        case: the case as it is.
        facts: `classification`, `basis`, `decided_by`, `decided_at` and whatever else was given.

    Raises:
        IllegalTransition: it was discarded or closed.
        Conflict: it is confirmed already, with other facts: that is an amendment.
    """
    wanted = facts["classification"]
    if case.state == wanted:
        return _repeated(case, facts)
    check_move(case, wanted)
    fresh = case.state not in INFECTED
    revision = case.revision if fresh and case.classification is None else case.revision + 1
    return replace(case, **facts, state=wanted, revision=revision), True


def _repeated(case: Case, facts: dict[str, Any]) -> tuple[Case, bool]:
    fixed = ("decided_at", "decided_by", "basis", "laboratory_batch_id", "sample_id")
    other = {
        name: value
        for name, value in facts.items()
        if name not in fixed and value != getattr(case, name)
    }
    if set(other) - set(_MOVABLE):
        names = ", ".join(sorted(set(other) - set(_MOVABLE)))
        raise Conflict(
            f"case {case.case_id} is {case.state} with another {names}: amend it",
            {"case_id": case.case_id, "fields": sorted(other)},
        )
    if not other:
        return case, False
    return replace(case, **other, revision=case.revision + 1), True


def infectious_from(case: Case, look_back_days: int) -> date:
    """Days before onset; without symptoms before the first positive, else before the decision."""
    day = case.onset_on
    if day is None and case.first_positive_at:
        day = day_of(case.first_positive_at)
    if day is None:
        day = day_of(case.decided_at or case.reported_at)
    return day - timedelta(days=look_back_days)


def window(case: Case) -> tuple[date, date]:
    """From the first infectious day to the last one among others."""
    until = case.decided_at or case.reported_at
    if case.custody not in (Custody.AT_HOME, Custody.IN_TRANSFER) and case.custody_since:
        until = min(until, case.custody_since)
    return case.infectious_from_on or day_of(until), day_of(until)


def home_stays(case: Case) -> tuple[Stay, ...]:
    """The stays where the case lived with others."""
    return tuple(stay for stay in case.stays if stay.use in _HOMES)


def said(case: Case) -> CaseConfirmed:
    """The whole case, as `case.confirmed` tells it."""
    return CaseConfirmed(**_facts(case))


def amend(case: Case, facts: dict[str, Any]) -> Case:
    """The case about another person, address or date; its state stays.

    Raises:
        IllegalTransition: it is no confirmed or asymptomatic case.
        InvalidPayload: nothing to amend was given.
    """
    if case.state not in INFECTED:
        raise IllegalTransition.of(f"case {case.case_id}", case.state, "amended")
    if not facts:
        raise InvalidPayload.of("person_id", "person, onset or stays: one of them must be given")
    return replace(case, **facts, revision=case.revision + 1)


def amended(case: Case, former_person_id: str, reason: str, amended_by: str) -> CaseAmended:
    """The whole case as it now is, and whom it was about before."""
    return CaseAmended(
        **_facts(case), former_person_id=former_person_id, reason=reason, amended_by=amended_by
    )


def _facts(case: Case) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "person_id": case.person_id,
        "household_id": case.household_id,
        "classification": case.classification,
        "basis": case.basis,
        "decided_by": case.decided_by,
        "decided_at": case.decided_at,
        "infectious_from_on": case.infectious_from_on,
        "stays": case.stays,
        "reporting_district": case.reporting_district,
        "owning_district": case.owning_district,
        "policy_version": case.policy_version,
        "onset_on": case.onset_on,
        "first_positive_at": case.first_positive_at,
        "laboratory_batch_id": case.laboratory_batch_id,
        "custody": case.custody,
        "custody_since": case.custody_since,
        "revision": case.revision,
    }


def discard(
    case: Case, *, reason: str, decided_by: str, at: datetime, second_signature: str | None
) -> tuple[Case, CaseDiscarded]:
    """The case is none.

    Raises:
        IllegalTransition: it is discarded or closed already.
        InvalidPayload: a confirmed one needs a second signature, of somebody else.
    """
    check_move(case, Classification.DISCARDED)
    if case.state in INFECTED:
        _check_signature(decided_by, second_signature)
    case = replace(case, state=Classification.DISCARDED, reason=reason, revision=case.revision + 1)
    return case, CaseDiscarded(
        case_id=case.case_id,
        person_id=case.person_id,
        reason=reason,
        decided_by=decided_by,
        decided_at=at,
        second_signature=second_signature,
        revision=case.revision,
    )


def _check_signature(decided_by: str, second: str | None) -> None:
    if not second or not second.strip():
        raise InvalidPayload.of("second_signature", "a confirmed case needs one to be discarded")
    if second.strip().casefold() == decided_by.strip().casefold():
        raise InvalidPayload.of("second_signature", "must be somebody else's than decided_by")


def close(case: Case, *, outcome: str, decided_by: str, at: datetime) -> tuple[Case, CaseClosed]:
    """The case ended: recovered or died.

    Raises:
        IllegalTransition: it is not confirmed or asymptomatic.
    """
    check_move(case, Classification.CLOSED)
    dead = outcome == "died"
    case = replace(
        case,
        state=Classification.CLOSED,
        outcome=outcome,
        custody=Custody.DECEASED if dead else case.custody,
        revision=case.revision + 1,
    )
    return case, CaseClosed(
        case_id=case.case_id,
        person_id=case.person_id,
        outcome=outcome,
        decided_by=decided_by,
        decided_at=at,
        revision=case.revision,
    )
