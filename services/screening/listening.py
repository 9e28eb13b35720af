"""What screening does with the words of others: computed from states, so order does not matter."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from lianfang.days import day_of
from lianfang.errors import InvalidPayload
from lianfang.events.declaration import (
    DeclarationSubmitted,
    PresenceRecorded,
    ResidentLeft,
    ResidentMoved,
    ResidentRegistered,
    ResidentSnapshot,
)
from lianfang.events.dispatch import StopsRecorded
from lianfang.places import check
from services.screening import store
from services.screening.domain import dossiers, tracing
from services.screening.domain.cases import reach_of_floor, reach_of_household
from services.screening.domain.contacts import contact_id_of
from services.screening.domain.health import Visit, reports, visit_of
from services.screening.domain.residences import Residence, with_sighting, with_snapshot
from services.screening.domain.rules import ScreeningRules
from services.screening.domain.samples import OPEN, taken_at_doors
from services.screening.domain.travel import carrier_day, case_key
from services.screening.tracer import Tracer

#: How far the clock of whoever declared may be ahead of ours.
_AHEAD = timedelta(days=1)


def load_declarations(work: Any, events: list[DeclarationSubmitted]) -> None:
    """Everything a batch of declarations may meet, in one query per kind."""
    known = work.load(store.DOSSIERS, [event.person_id for event in events])
    keys = {key for dossier in known.values() for key in dossier.crossings()}
    keys = keys.union(*(_crossings(event) for event in events))
    crossings = work.load(store.CROSSINGS, keys) if keys else {}
    exposure_ids = {i for crossing in crossings.values() for i in crossing.exposure_ids}
    exposures = work.load(store.EXPOSURES, exposure_ids) if exposure_ids else {}
    claimed = {c.case_id for e in events for c in e.contact_claims if c.case_id}
    claimed |= {case_id for dossier in known.values() for case_id in dossier.claimed}
    case_ids = claimed | {exposure.case_id for exposure in exposures.values()}
    if case_ids:
        work.load(store.CASES, case_ids)
        work.load(store.CROSSINGS, [case_key(case_id) for case_id in case_ids])
        pairs = {contact_id_of(c, event.person_id) for c in case_ids for event in events}
        work.load(store.CONTACTS, pairs)


def _crossings(event: DeclarationSubmitted) -> set[str]:
    keys = {
        carrier_day(leg.mode, leg.number, day_of(leg.depart_at)) for leg in event.legs if leg.number
    }
    return keys | {case_key(claim.case_id) for claim in event.contact_claims if claim.case_id}


def hear_declaration(work: Any, rules: ScreeningRules, event: DeclarationSubmitted) -> None:
    """The verdict, and whom of the cases the declarant met."""
    _check_declaration(work, event)
    before = work.get(store.DOSSIERS, event.person_id)
    tracer = Tracer(work, rules.contacts, keep=False)
    dossier = dossiers.assessed(before, event, rules, work.now)
    if dossiers.outdated(before, event):
        for key in dossier.crossings():
            tracer.meet(key)
        work.drop("an older declaration")
        return
    work.save(store.DOSSIERS, dossier)
    work.publish(dossiers.said(dossier), place=dossier.building)
    if dossier.crossings() or (before is not None and before.crossings()):
        tracer.match(before, dossier)
    if dossier.infected and dossier.case_id:
        tracer.retrace(work.get(store.CASES, dossier.case_id))


def _check_declaration(work: Any, event: DeclarationSubmitted) -> None:
    check(event.building)
    if event.declared_at > work.now + _AHEAD:
        raise InvalidPayload.of("declared_at", "lies in the future")
    for n, leg in enumerate(event.legs):
        if leg.arrive_at is not None and leg.arrive_at < leg.depart_at:
            raise InvalidPayload.of(f"legs.{n}.arrive_at", "is before depart_at")


# -- who lives where ------------------------------------------------------------------------------

#: Whether any case reaches the residents of a batch; looked up once for all of it.
_REACHED = "reached"

Residents = ResidentRegistered | ResidentMoved | ResidentLeft | PresenceRecorded


def load_residents(work: Any, events: list[Residents]) -> None:
    """The residences of a batch in one query; decisions about a building come one by one."""
    ids: list[str] = []
    buildings: set[str] = set()
    for event in events:
        if isinstance(event, PresenceRecorded):
            buildings.add(event.building)
            ids += [sighting.residence_id for sighting in event.sightings]
        else:
            told = snapshots(event)
            buildings |= {snapshot.building for snapshot in told}
            ids += [snapshot.residence_id for snapshot in told]
    work.guard("building", *buildings)
    known = work.load(store.RESIDENCES, ids)
    work.notes[_REACHED] = _reached(work, known.values(), events)


def _reached(work: Any, known: Iterable[Residence], events: Iterable[Residents]) -> bool:
    """Whether a case finds any of these households or floors: in most batches none does."""
    keys: set[str] = set()
    told = [snapshot for event in events for snapshot in _told(event)]
    for one in (*known, *told):
        keys.add(reach_of_household(one.household_id))
        if getattr(one, "floor", None) is not None:
            keys.add(reach_of_floor(one.building, one.unit, one.floor))
    return bool(store.cases_reaching(work, keys))


def _told(event: Residents) -> Iterable[Any]:
    return event.sightings if isinstance(event, PresenceRecorded) else snapshots(event)


def snapshots(event: Any) -> tuple[ResidentSnapshot, ...]:
    """The residences an event tells of."""
    if isinstance(event, ResidentRegistered):
        return event.residents
    if isinstance(event, ResidentMoved):
        return (event.ended, event.began)
    return (event.resident,)


def hear_residents(work: Any, rules: ScreeningRules, event: Residents) -> None:
    """Who lives where changed: cases of these households are traced anew."""
    changed: list[Residence] = []
    if isinstance(event, PresenceRecorded):
        check(event.building)
        for sighting in event.sightings:
            before = work.get(store.RESIDENCES, sighting.residence_id)
            after = with_sighting(before, event.building, sighting)
            changed += _saved(work, before, after)
    else:
        for snapshot in snapshots(event):
            check(snapshot.building)
            before = work.get(store.RESIDENCES, snapshot.residence_id)
            changed += _saved(work, before, with_snapshot(before, snapshot))
    if changed and work.notes.get(_REACHED, True):
        _retrace(work, rules, changed)


def _saved(work: Any, before: Residence | None, after: Residence) -> list[Residence]:
    if after is before:
        return []
    work.save(store.RESIDENCES, after)
    return [after]


def _retrace(work: Any, rules: ScreeningRules, changed: Iterable[Residence]) -> None:
    keys = {reach_of_household(residence.household_id) for residence in changed}
    if rules.contacts.neighbour.enabled:
        keys |= {
            reach_of_floor(residence.building, residence.unit, residence.floor)
            for residence in changed
            if residence.floor is not None
        }
    for case in store.cases_reaching(work, keys):
        if tracing.exposes(case):
            Tracer(work, rules.contacts, keep=False).retrace(case)


# -- what rounds found ----------------------------------------------------------------------------


def load_stops(work: Any, events: list[StopsRecorded]) -> None:
    """The visits and samples of a batch."""
    stops = [stop for event in events for stop in event.stops]
    work.load(store.VISITS, [stop.stop_id for stop in stops])
    tubes = [p.sample_id for stop in stops for p in stop.persons if p.sample_id]
    if tubes:
        work.load(store.SAMPLES, tubes)


def hear_stops(work: Any, rules: ScreeningRules, event: StopsRecorded) -> None:
    """Fevers and symptoms are told, samples taken, absences and refusals kept."""
    check(event.building)
    for stop in event.stops:
        before = work.get(store.VISITS, stop.stop_id)
        if before is not None and before.revision >= stop.revision:
            continue
        visit = visit_of(event.kind, event.building, stop, rules.assessment.medical)
        work.save(store.VISITS, visit)
        for report in reports(before, visit):
            work.publish(report, place=event.building)
        _take_samples(work, before, visit)


def _take_samples(work: Any, before: Visit | None, visit: Visit) -> None:
    """The tubes of a visit hold who gave them there; a corrected visit takes a wrong one back."""
    given = {found.sample_id for found in visit.persons}
    given |= {found.sample_id for found in before.persons} if before else set()
    for sample_id in sorted(tube for tube in given if tube):
        sample = work.get(store.SAMPLES, sample_id)
        if sample is not None and sample.state not in OPEN:
            work.drop("the sample has a result or is void")
            continue
        persons = [found.person_id for found in visit.persons if found.sample_id == sample_id]
        after = taken_at_doors(sample, sample_id, visit.visit_id, persons, visit.at)
        if after is None:
            work.delete(store.SAMPLES, sample_id)
        else:
            work.save(store.SAMPLES, after)
