"""What each heard event teaches, and whom it touches. Order of arrival never matters here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianfang.events.declaration import (
    PlaceAmended,
    PlaceRegistered,
    PresenceRecorded,
    ResidentLeft,
    ResidentMoved,
    ResidentRegistered,
    ResidentSnapshot,
)
from lianfang.events.dispatch import StopsRecorded, TaskCompleted
from lianfang.events.isolation import FocusCleared, FocusDeclared
from lianfang.events.screening import (
    CaseAmended,
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    ContactDropped,
    ContactIdentified,
    DeclarationAssessed,
    SampleResulted,
    SymptomReported,
)
from lianfang.places import Level, level_of
from lianfang.runtime.work import Work
from lianfang.vocabulary import CauseKind, Outcome
from services.isolation import store
from services.isolation.domain import cases, doors, evidence, facts
from services.isolation.domain.cases import Case
from services.isolation.domain.conditions import DISINFECTION, ESCORT, TRANSFER
from services.isolation.domain.evidence import DoneTask
from services.isolation.domain.facts import Person, Residence
from services.isolation.domain.foci import focus_id, settle_focus
from services.isolation.domain.rules import Rules
from services.isolation.settling import guard_buildings, settle_buildings, settle_people

_KEPT_TASKS = (TRANSFER, DISINFECTION, ESCORT)


# -- places ----------------------------------------------------------------------------------------


def on_place(work: Work, event: PlaceRegistered | PlaceAmended, rules: Rules) -> None:
    """Keep the places; seals that touch them get their scope and exits anew."""
    told = event.places if isinstance(event, PlaceRegistered) else (event.place,)
    known = work.load(store.PLACES, [place.path for place in told])
    changed = []
    for place in told:
        before = known.get(place.path)
        after = facts.learn_place(before, place)
        if after is not before:
            work.save(store.PLACES, after)
            changed.append(after)
    paths = [place.path for place in changed]
    exits = {gate for place in changed for gate in place.exits}
    buildings = store.sealed_near(work, paths, exits) if paths else set()
    if buildings:
        settle_buildings(work, buildings, rules)


# -- residents -------------------------------------------------------------------------------------


def load_residences(work: Work, events: Iterable[Any]) -> None:
    """Load what a batch touches, and hold its buildings."""
    snapshots = [s for event in events for s in _snapshots(event)]
    sighted = [s for e in events if isinstance(e, PresenceRecorded) for s in e.sightings]
    ids = [s.residence_id for s in snapshots] + [s.residence_id for s in sighted]
    work.load(store.RESIDENCES, ids)
    buildings = {s.building for s in snapshots}
    buildings |= {e.building for e in events if isinstance(e, PresenceRecorded)}
    guard_buildings(work, buildings)


def _snapshots(event: Any) -> tuple[ResidentSnapshot, ...]:
    if isinstance(event, ResidentRegistered):
        return event.residents
    if isinstance(event, ResidentMoved):
        return event.ended, event.began
    if isinstance(event, ResidentLeft):
        return (event.resident,)
    return ()


def on_resident(work: Work, event: Any, rules: Rules) -> None:
    """Keep the residences. People in a closed building, or under an order, are settled anew."""
    changed: list[Residence] = []
    if isinstance(event, PresenceRecorded):
        known = work.load(store.RESIDENCES, [s.residence_id for s in event.sightings])
        pairs = [
            (
                known.get(s.residence_id),
                facts.learn_sighting(known.get(s.residence_id), s, event.building, event.source),
            )
            for s in event.sightings
        ]
    else:
        at = work.message.envelope.time
        why = event.reason if isinstance(event, ResidentLeft) else "moved"
        told = _snapshots(event)
        known = work.load(store.RESIDENCES, [s.residence_id for s in told])
        pairs = [
            (
                known.get(s.residence_id),
                facts.learn_residence(known.get(s.residence_id), s, at, why),
            )
            for s in told
        ]
    for before, after in pairs:
        if after is not before:
            work.save(store.RESIDENCES, after)
            changed.append(after)
    persons = store.bound_among(work, changed)
    if persons:
        settle_people(work, rules, persons=persons)


# -- cases -----------------------------------------------------------------------------------------


def on_case(
    work: Work, event: CaseConfirmed | CaseAmended | CaseDiscarded | CaseClosed, rules: Rules
) -> None:
    """Keep the case; settle the buildings of its former and present stays, and whom it concerns."""
    before = work.get(store.CASES, event.case_id)
    if isinstance(event, CaseConfirmed):
        after = cases.learn_case(before, event)
    else:
        after = cases.learn_end(before, event)
    if after is before:
        work.drop("case already known")
        return
    settle_case(work, before, after, rules)


def settle_case(work: Work, before: Case | None, after: Case, rules: Rules) -> None:
    """Save the case and settle all that it or its former facts touch.

    Guarded per case: of a case and its contact decided at once, the second sees the first.
    """
    work.guard("case", after.case_id)
    work.save(store.CASES, after)
    states = [case for case in (before, after) if case is not None]
    persons = {case.person_id for case in states if case.person_id is not None}
    _point_to_case(work, after)
    if before is None or before.is_infected != after.is_infected:
        persons |= {p.person_id for p in store.contacts_of_case(work, after.case_id)}
    buildings = {
        stay.building
        for case in states
        for stay in case.stays
        if stay.use in rules.sealed_uses and level_of(stay.building) == Level.BUILDING
    }
    settle_buildings(work, buildings, rules, persons)
    _settle_foci(work, states, rules)


def _point_to_case(work: Work, case: Case) -> None:
    if case.person_id is None:
        return
    known = work.get(store.PERSONS, case.person_id) or Person(person_id=case.person_id)
    work.save(store.PERSONS, facts.learn_case_id(known, case.case_id))


def _settle_foci(work: Work, states: list[Case], rules: Rules) -> None:
    places = {s.place for case in states for s in case.stays if s.use in rules.focus_uses}
    for place in sorted(places):
        work.guard("focus", place)
        there = store.cases_staying_in(work, [place])
        causes = tuple(
            case.case_id
            for case in there
            if any(stay.place == place for stay in cases.focus_stays(case, rules))
        )
        before = work.get(store.FOCI, focus_id(place))
        after = settle_focus(before, place, causes, work.now, rules.version)
        if after is None or after is before:
            continue
        work.save(store.FOCI, after)
        if after.is_open:
            declared = FocusDeclared(
                focus_id=after.focus_id,
                place=place,
                causes=after.causes,
                declared_at=after.declared_at,
                policy_version=after.policy_version,
                revision=after.revision,
            )
            work.publish(declared, place=place)
        else:
            cleared = FocusCleared(
                focus_id=after.focus_id,
                place=place,
                reason="no cause is left",
                revision=after.revision,
            )
            work.publish(cleared, place=place)


# -- contacts and verdicts -------------------------------------------------------------------------


def on_contact(work: Work, event: ContactIdentified | ContactDropped, rules: Rules) -> None:
    """Keep the contact; the person's order follows, unless the case is not known yet."""
    work.guard("case", event.case_id)
    before = work.get(store.PERSONS, event.person_id) or Person(person_id=event.person_id)
    after = facts.learn_contact(before, event)
    if after is before:
        work.drop("contact already known")
        return
    work.save(store.PERSONS, after)
    settle_people(work, rules, persons=[event.person_id])


def load_assessed(work: Work, events: Iterable[DeclarationAssessed]) -> None:
    """Load the persons of a batch at once."""
    work.load(store.PERSONS, [event.person_id for event in events])


def on_assessed(work: Work, event: DeclarationAssessed, rules: Rules) -> None:
    """Keep the verdict; a first one that lets the person pass teaches nothing and is not kept."""
    known = work.get(store.PERSONS, event.person_id)
    if known is None and event.revision == 1 and event.outcome == Outcome.PASS:
        return
    before = known or Person(person_id=event.person_id)
    after = facts.learn_verdict(before, event)
    if after is before:
        return
    work.save(store.PERSONS, after)
    bound = (Outcome.HOME_QUARANTINE, Outcome.CENTRALISED_QUARANTINE)
    was = before.verdict.outcome if before.verdict else None
    if event.outcome in bound or was in bound:
        settle_people(work, rules, persons=[event.person_id])


# -- what was found --------------------------------------------------------------------------------


def on_result(work: Work, event: SampleResulted | SymptomReported) -> None:
    """Keep what a release waits for."""
    if isinstance(event, SampleResulted):
        sample = work.get(store.SAMPLES, event.sample_id)
        work.save(store.SAMPLES, evidence.learn_sample(sample, event))
    else:
        complaint = work.get(store.COMPLAINTS, event.report_id)
        work.save(store.COMPLAINTS, evidence.learn_symptom(complaint, event))


def on_stops(work: Work, event: StopsRecorded, rules: Rules) -> None:
    """Keep what head counts and notices recorded; these households are settled anew."""
    if event.kind not in (doors.HEAD_COUNT, doors.NOTICE):
        return
    guard_buildings(work, [event.building])
    ids = {stop.stop_id: doors.door_id(event.building, stop.household_id) for stop in event.stops}
    work.load(store.DOORS, ids.values())
    changed = []
    for stop in event.stops:
        before = work.get(store.DOORS, ids[stop.stop_id])
        after = doors.learn_stop(before, event.building, event.kind, stop, event.recorded_by)
        if after is not before:
            work.save(store.DOORS, after)
            changed.append(after)
    if changed:
        settle_people(
            work,
            rules,
            persons={person for door in changed for person in door.person_ids},
            households={door.household_id for door in changed},
        )


def on_task(work: Work, event: TaskCompleted, rules: Rules) -> None:
    """Keep the tasks that matter; a transfer brings the infected person to hospital."""
    if event.kind not in _KEPT_TASKS:
        return
    done = DoneTask(
        task_id=event.task_id,
        kind=event.kind,
        place=event.place,
        cause_id=event.cause_id,
        at=event.at,
        person_ids=event.person_ids,
    )
    if work.get(store.DONE_TASKS, event.task_id) is None:
        work.save(store.DONE_TASKS, done)
    if event.kind == TRANSFER and event.cause_kind == CauseKind.CASE:
        before = work.get(store.CASES, event.cause_id)
        after = cases.learn_transfer(before, event.cause_id)
        if after is not before:
            settle_case(work, before, after, rules)
