"""What dispatch knows of infected points and of people who fell ill, and the tasks they ask for.

As in `causes`: `learn…` takes one more word in any order, `plan…` says what is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.events.isolation import FocusDeclared
from lianfang.events.screening import DeclarationAssessed, SymptomReported
from lianfang.vocabulary import CauseKind, Outcome
from services.dispatch.domain.causes import PlanAudit, task_id
from services.dispatch.domain.difference import Wanted

# -- infected points ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusFacts:
    """An infected point (疫点): a workplace or venue where a case was."""

    focus_id: str
    revision: int = 0
    place: str = ""
    declared_at: datetime | None = None
    stands: bool = False
    audit: PlanAudit = field(default=PlanAudit())


def learn_focus(facts: FocusFacts, event: FocusDeclared) -> FocusFacts:
    """It was declared."""
    declared_at = min(facts.declared_at or event.declared_at, event.declared_at)
    facts = replace(facts, declared_at=declared_at, place=facts.place or event.place)
    if event.revision <= facts.revision:
        return facts
    return replace(facts, revision=event.revision, place=event.place, stands=True)


def plan_focus(facts: FocusFacts) -> list[Wanted]:
    """Disinfect it and ask its keeper who was there."""
    if facts.declared_at is None:
        return []
    return [
        Wanted(
            task_id=task_id(facts.focus_id, kind),
            kind=kind,
            place=facts.place,
            cause_kind=CauseKind.FOCUS,
            cause_id=facts.focus_id,
            since=facts.declared_at,
            active=facts.stands,
        )
        for kind in ("focus_disinfection", "keeper_inquiry")
    ]


# -- alarms ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A symptom or fever of one person."""

    report_id: str
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    """Why one person may have to be escorted to a fever clinic: reports and the verdict.

    `hospital_at` are the instants of all verdicts that ever asked for it.
    """

    person_id: str
    household_id: str = ""
    building: str = ""
    known_at: datetime | None = None
    reports: tuple[Report, ...] = ()
    verdict_revision: int = 0
    verdict: Outcome | None = None
    verdict_at: datetime | None = None
    hospital_at: tuple[datetime, ...] = ()
    audit: PlanAudit = field(default=PlanAudit())


def learn_report(facts: AlarmFacts, event: SymptomReported) -> AlarmFacts:
    """A symptom was reported; a report counts once."""
    reports = {r.report_id: r for r in facts.reports}
    reports[event.report_id] = Report(report_id=event.report_id, reported_at=event.reported_at)
    ordered = tuple(sorted(reports.values(), key=lambda r: (r.reported_at, r.report_id)))
    facts = replace(facts, reports=ordered)
    return _seen(facts, event.household_id, event.building, event.reported_at)


def learn_verdict(facts: AlarmFacts, event: DeclarationAssessed) -> AlarmFacts:
    """A declaration was assessed: a later verdict takes the place of an earlier one."""
    if event.outcome == Outcome.HOSPITAL:
        asked = tuple(sorted({*facts.hospital_at, event.assessed_at}))
        facts = replace(facts, hospital_at=asked)
    facts = _seen(facts, event.household_id, event.building, event.assessed_at)
    if event.revision <= facts.verdict_revision:
        return facts
    return replace(
        facts,
        verdict_revision=event.revision,
        verdict=event.outcome,
        verdict_at=event.assessed_at,
    )


def _seen(facts: AlarmFacts, household_id: str, building: str, at_time: datetime) -> AlarmFacts:
    """Where the person was last said to stay."""
    known = (facts.known_at or at_time, facts.household_id, facts.building)
    if facts.known_at is not None and (at_time, household_id, building) < known:
        return facts
    return replace(facts, household_id=household_id, building=building, known_at=at_time)


def plan_alarm(facts: AlarmFacts) -> list[Wanted]:
    """One escort per person and day, due from whatever of that day was said to be earliest."""
    reported = [report.reported_at for report in facts.reports]
    first: dict[date, datetime] = {}
    for instant in sorted([*reported, *facts.hospital_at]):
        first.setdefault(day_of(instant), instant)
    standing = {day_of(instant) for instant in reported}
    if facts.verdict == Outcome.HOSPITAL and facts.verdict_at is not None:
        standing.add(day_of(facts.verdict_at))
    return [
        Wanted(
            task_id=natural_id("task", "fever_escort", facts.person_id, day),
            kind="fever_escort",
            place=facts.building,
            cause_kind=CauseKind.SYMPTOM,
            cause_id=natural_id("symptom", facts.person_id, day),
            since=since,
            active=day in standing,
            household_ids=(facts.household_id,) if facts.household_id else (),
            person_ids=(facts.person_id,),
        )
        for day, since in first.items()
    ]
