"""What investigators and medics add by hand: exposures, contacts, findings of health."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import IllegalTransition, InvalidPayload
from lianfang.events.dispatch import StopPerson
from lianfang.events.screening import Carrier
from lianfang.vocabulary import ExposureSetting, FoundBy, StopOutcome
from services.screening import store
from services.screening.domain import health, tracing, travel
from services.screening.domain.cases import Case
from services.screening.domain.contacts import (
    INVESTIGATOR,
    Ground,
    contact_id_of,
)
from services.screening.domain.times import check_day, check_instant
from services.screening.people import People
from services.screening.ward import Ward


def record_exposures(ward: Ward, request: dict[str, Any]) -> dict[str, Any]:
    """Let exposures of a case stand; whoever declared into them is a contact at once."""
    case = _exposing(ward, request["case_id"])
    ids = []
    for n, facts in enumerate(request["exposures"]):
        _check_exposure(ward, n, facts)
        carrier = facts.get("carrier")
        exposure = travel.exposure_of(
            case.case_id,
            case.person_id,
            setting=facts["setting"],
            from_at=facts["from_at"],
            until_at=facts["until_at"],
            carrier=Carrier(**{**carrier, "rows": tuple(carrier["rows"])}) if carrier else None,
            place=facts.get("place"),
        )
        ward.tracer.stand(exposure)
        ids.append(exposure.exposure_id)
    ward.tracer.retrace(case)
    met = [
        contact
        for contact in store.contacts_of(ward.work, case.case_id)
        if any(ground.ref in ids for ground in contact.grounds)
    ]
    return {"exposure_ids": ids, "contacts": len(met)}


def _check_exposure(ward: Ward, n: int, facts: dict[str, Any]) -> None:
    field = f"exposures.{n}"
    if facts["until_at"] < facts["from_at"]:
        raise InvalidPayload.of(f"{field}.until_at", "is before from_at")
    check_instant(facts["from_at"], ward.work.now, f"{field}.from_at")
    on_carrier = facts["setting"] == ExposureSetting.TRANSPORT
    if on_carrier and not facts.get("carrier"):
        raise InvalidPayload.of(f"{field}.carrier", "transport needs one")
    if not on_carrier and not facts.get("place"):
        raise InvalidPayload.of(f"{field}.place", f"{facts['setting']} needs one")


def record_contacts(ward: Ward, request: dict[str, Any]) -> dict[str, Any]:
    """Contacts as an investigator judged them."""
    case = _exposing(ward, request["case_id"])
    people = ward.people(*(contact["person_id"] for contact in request["contacts"]))
    ids = []
    for n, facts in enumerate(request["contacts"]):
        person_id = people.require(facts["person_id"])
        _check_contact(ward, case, n, facts)
        ground = Ground(
            source=INVESTIGATOR,
            ref=facts["kind"],
            about=case.person_id,
            category=facts["category"],
            kind=facts["kind"],
            found_by=FoundBy.INVESTIGATOR,
            first_on=facts["first_exposure_on"],
            last_on=facts["last_exposure_on"],
            building=people.building(person_id),
            household_id=people.household(person_id),
            basis=facts["basis"],
        )
        ward.tracer.record(case, person_id, ground)
        ids.append(contact_id_of(case.case_id, person_id))
    return {"contact_ids": ids}


def _check_contact(ward: Ward, case: Case, n: int, facts: dict[str, Any]) -> None:
    field = f"contacts.{n}"
    if facts["person_id"] == case.person_id:
        raise InvalidPayload.of(f"{field}.person_id", "is the case")
    if facts["last_exposure_on"] < facts["first_exposure_on"]:
        raise InvalidPayload.of(f"{field}.last_exposure_on", "is before first_exposure_on")
    check_day(facts["last_exposure_on"], ward.work.today, f"{field}.last_exposure_on")


def _exposing(ward: Ward, case_id: str) -> Case:
    case = ward.case(case_id)
    if not tracing.exposes(case):
        raise IllegalTransition.of(f"case {case_id}", case.state, "traced")
    return case


def record_health(ward: Ward, request: dict[str, Any]) -> dict[str, Any]:
    """A temperature or symptoms as a medic or the person tells them."""
    check_instant(request["reported_at"], ward.work.now, "reported_at")
    people: People = ward.people(request["person_id"])
    person_id = people.require(request["person_id"])
    visit_id = natural_id("health", person_id, request["reported_at"].isoformat())
    told = StopPerson(
        person_id=person_id,
        temperature=request.get("temperature"),
        symptoms=tuple(request.get("symptoms") or ()),
    )
    before = ward.work.get(store.VISITS, visit_id)
    visit = health.Visit(
        visit_id=visit_id,
        kind="health",
        building=people.building(person_id),
        household_id=people.household(person_id),
        outcome=StopOutcome.DONE,
        at=request["reported_at"],
        persons=health.found([told], ward.rules.assessment.medical),
        revision=before.revision if before else 1,
    )
    if visit != before:
        visit = replace(visit, revision=before.revision + 1 if before else 1)
        ward.work.save(store.VISITS, visit)
        for report in health.reports(before, visit):
            ward.work.publish(report, place=visit.building)
    return {"report_id": visit_id, "alarm": visit.persons[0].alarm}
