"""What rounds and medics found of people: temperatures, symptoms, samples, who was not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lianfang.envelope import natural_id
from lianfang.events.dispatch import StopPerson, StopRecord
from lianfang.events.screening import SymptomReported
from lianfang.vocabulary import Finding, StopOutcome, Symptom
from services.screening.domain.assessment import alarming
from services.screening.domain.rules import MedicalRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found of one person; `alarm` says that it was reported."""

    person_id: str
    finding: Finding = Finding.PRESENT
    temperature: float | None = None
    symptoms: tuple[Symptom, ...] = ()
    sample_id: str | None = None
    alarm: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One stop of a round, or one report of a medic; a correction replaces it."""

    visit_id: str
    kind: str
    building: str
    household_id: str | None
    outcome: StopOutcome
    at: datetime
    persons: tuple[Found, ...]
    reason: str | None = None
    revision: int = 1


def visit_of(kind: str, building: str, stop: StopRecord, rule: MedicalRule) -> Visit:
    """The visit that a stop was."""
    return Visit(
        visit_id=stop.stop_id,
        kind=kind,
        building=building,
        household_id=stop.household_id,
        outcome=stop.outcome,
        at=stop.recorded_at,
        persons=found(stop.persons, rule),
        reason=stop.reason,
        revision=stop.revision,
    )


def found(persons: Iterable[StopPerson], rule: MedicalRule) -> tuple[Found, ...]:
    """What was found of each, with what must be reported marked."""
    return tuple(
        Found(
            person_id=person.person_id,
            finding=person.finding,
            temperature=person.temperature,
            symptoms=person.symptoms,
            sample_id=person.sample_id,
            alarm=alarming(person.temperature, person.symptoms, rule),
        )
        for person in persons
    )


def reports(before: Visit | None, after: Visit) -> list[SymptomReported]:
    """What must be told of a visit: every alarm, and for a corrected one that there is none."""
    alarmed = {found.person_id for found in before.persons if found.alarm} if before else set()
    told = [person for person in after.persons if person.alarm or person.person_id in alarmed]
    named = {person.person_id for person in after.persons}
    told += [Found(person_id=gone) for gone in sorted(alarmed - named)]
    return [
        SymptomReported(
            report_id=natural_id("symptom", after.visit_id, person.person_id),
            person_id=person.person_id,
            household_id=after.household_id or "",
            building=after.building,
            reported_at=after.at,
            symptoms=person.symptoms,
            temperature=person.temperature,
            revision=after.revision,
        )
        for person in told
    ]
