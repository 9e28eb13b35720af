"""Case commands: what a medic records, checked, completed from what is known, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from lianfang.days import day_of
from lianfang.errors import Conflict, InvalidPayload, NotFound
from lianfang.vocabulary import Classification
from services.screening import store
from services.screening.completion import complete, stays_given
from services.screening.domain import cases, samples
from services.screening.domain.cases import INFECTED, Case
from services.screening.domain.contacts import ContactState, district_of
from services.screening.domain.rules import ScreeningRules
from services.screening.domain.times import check_day, check_instant
from services.screening.people import People
from services.screening.tracer import Tracer

_CASE_FACTS = (
    "onset_on",
    "first_positive_at",
    "custody",
    "custody_since",
    "laboratory_batch_id",
    "sample_id",
)


class Ward:
    """The cases, inside one unit of work. `district` is the path of this district."""

    def __init__(self, work: Any, rules: ScreeningRules, district: str) -> None:
        self.work, self.rules, self.district = work, rules, district
        self.tracer = Tracer(work, rules.contacts, keep=True)

    # -- finding ------------------------------------------------------------------------------

    def people(self, *person_ids: str) -> People:
        """What is held of these persons; decisions about them come one after the other."""
        return People(self.work, person_ids, self.district)

    def case(self, case_id: str) -> Case:
        """The case; what is said from now on belongs to it.

        Raises:
            NotFound: there is none.
        """
        case: Case | None = self.work.get(store.CASES, case_id)
        if case is None:
            raise NotFound.of("case", case_id)
        self.work.correlate(case_id)
        return case

    def open_case_of(self, people: People, person_id: str) -> Case | None:
        """The case that the person is now."""
        case_id = people.dossier(person_id).case_id
        case: Case | None = self.work.get(store.CASES, case_id) if case_id else None
        return case if case and case.state not in cases.ENDED else None

    def opened(self, people: People, person_id: str, **facts: Any) -> Case:
        """A new case of the person, not yet anything but reported."""
        self.work.guard("person", person_id)
        case_id = cases.case_id_of(person_id, store.cases_of(self.work, person_id) + 1)
        self.work.correlate(case_id)
        place = people.building(person_id)
        return Case(
            case_id=case_id,
            person_id=person_id,
            origin_person_id=person_id,
            state=Classification.REPORTED,
            building=place,
            household_id=people.household(person_id),
            reporting_district=self.district.rpartition(".")[2],
            owning_district=district_of(place),
            policy_version=self.rules.version,
            **facts,
        )

    # -- suspecting ---------------------------------------------------------------------------

    def report(self, request: dict[str, Any]) -> Case:
        """A medic's suspicion: recorded and told, nothing else follows."""
        check_day(request.get("onset_on"), self.work.today, "onset_on")
        people = self.people(request["person_id"])
        person_id = people.require(request["person_id"])
        if request.get("sample_id") and not self.work.get(store.SAMPLES, request["sample_id"]):
            raise NotFound.of("sample", request["sample_id"])
        case = self.open_case_of(people, person_id)
        if case is not None:
            self.work.correlate(case.case_id)
            return case
        return self.suspect(
            people,
            person_id,
            basis=request["basis"],
            reported_by=request["reported_by"],
            reported_at=self.work.now,
            onset_on=request.get("onset_on"),
            sample_id=request.get("sample_id"),
        )

    def suspect(self, people: People, person_id: str, **facts: Any) -> Case:
        """A new suspected case."""
        before = self.work.origin
        case, event = cases.suspect(self.opened(people, person_id, **facts))
        self._save(people, case)
        self.work.publish(event, place=case.building)
        self.work.begin(before)
        return case

    def suspect_other(self, people: People, case: Case, person_id: str) -> None:
        """The suspicion was about somebody else: its tube had been swapped."""
        former, place = case.person_id, people.building(person_id)
        case = replace(
            case,
            person_id=person_id,
            building=place,
            household_id=people.household(person_id),
            owning_district=district_of(place),
        )
        case, event = cases.suspect(case, case.revision + 1)
        self._save(people, case)
        self._save_person(people, former, None)
        self.work.publish(event, place=place)

    # -- confirming ---------------------------------------------------------------------------

    def confirm(self, request: dict[str, Any]) -> Case:
        """A named medic records a case as confirmed or asymptomatic."""
        decided_at = request.get("decided_at") or self.work.now
        self._check_times(request, decided_at)
        case, people = self._addressed(request, decided_at)
        facts = {name: request[name] for name in _CASE_FACTS if request.get(name) is not None}
        facts |= {name: request[name] for name in ("classification", "basis", "decided_by")}
        facts["decided_at"] = decided_at
        self._from_sample(case, facts)
        if request.get("stays") is not None:
            facts |= {"stays": stays_given(self.work, people, case.person_id, request["stays"])}
            facts |= {"stays_given": True}
        confirmed, news = cases.confirm(case, facts)
        self.work.correlate(confirmed.case_id, self._laboratory_word(confirmed))
        if not news:
            return confirmed
        confirmed = complete(self.work, self.rules, confirmed, people)
        self._save(people, confirmed)
        self.work.publish(cases.said(confirmed), place=confirmed.building)
        self._follow(confirmed, [confirmed.person_id])
        return confirmed

    def _addressed(self, request: dict[str, Any], at: datetime) -> tuple[Case, People]:
        if request.get("case_id"):
            case = self.case(request["case_id"])
            if request.get("person_id") not in (None, case.person_id):
                raise Conflict(f"case {case.case_id} is about another person: amend it")
            return case, self.people(case.person_id)
        if not request.get("person_id"):
            raise InvalidPayload.of("case_id", "a case or a person must be given")
        people = self.people(request["person_id"])
        person_id = people.require(request["person_id"])
        known = self.open_case_of(people, person_id)
        case = known or self.opened(
            people,
            person_id,
            basis=request["basis"],
            reported_by=request["decided_by"],
            reported_at=at,
        )
        return case, people

    def _check_times(self, request: dict[str, Any], decided_at: datetime) -> None:
        for name in ("decided_at", "first_positive_at", "custody_since"):
            check_instant(request.get(name), self.work.now, name)
        check_day(request.get("onset_on"), day_of(decided_at), "onset_on")

    def _from_sample(self, case: Case, facts: dict[str, Any]) -> None:
        sample_id = facts.get("sample_id") or case.sample_id
        if sample_id is None:
            return
        sample = self.work.get(store.SAMPLES, sample_id)
        if sample is None:
            raise NotFound.of("sample", sample_id)
        if case.state in INFECTED:
            return
        if sample.collected_at:
            facts.setdefault("first_positive_at", sample.collected_at)
        if sample.batch_id:
            facts.setdefault("laboratory_batch_id", sample.batch_id)

    def _laboratory_word(self, case: Case) -> str | None:
        if case.sample_id is None:
            return None
        sample = self.work.get(store.SAMPLES, case.sample_id)
        return samples.word_of(sample) if sample and sample.resulted_at else None

    # -- amending, ending ---------------------------------------------------------------------

    def amend(self, request: dict[str, Any]) -> Case:
        """Another person, address or onset: the old consequences go, the new come."""
        case = self.case(request["case_id"])
        facts = {n: request[n] for n in ("person_id", "onset_on") if request.get(n) is not None}
        check_day(facts.get("onset_on"), day_of(case.decided_at or self.work.now), "onset_on")
        former = case.person_id
        people = self.people(former, facts.get("person_id", former))
        person_id = people.require(facts.get("person_id", former))
        other = self.open_case_of(people, person_id)
        if other is not None and other.case_id != case.case_id:
            raise Conflict(f"person {person_id} is case {other.case_id} already")
        if request.get("stays") is not None:
            facts |= {"stays": stays_given(self.work, people, person_id, request["stays"])}
            facts |= {"stays_given": True}
        elif person_id != former:
            facts |= {"stays_given": False}
        amended = complete(self.work, self.rules, cases.amend(case, facts), people)
        if replace(amended, revision=case.revision) == case:
            return case
        self._save(people, amended)
        if person_id != former:
            self._save_person(people, former, None)
        event = cases.amended(amended, former, request["reason"], request["amended_by"])
        self.work.publish(event, place=amended.building)
        self._follow(amended, [former, person_id], request["reason"])
        return amended

    def discard(self, request: dict[str, Any]) -> Case:
        """The case is none: whatever exists only because of it goes."""
        check_instant(request.get("decided_at"), self.work.now, "decided_at")
        case, event = cases.discard(
            self.case(request["case_id"]),
            reason=request["reason"],
            decided_by=request["decided_by"],
            at=request.get("decided_at") or self.work.now,
            second_signature=request.get("second_signature"),
        )
        people = self.people(case.person_id)
        self.work.save(store.CASES, case)
        self._save_person(people, case.person_id, None)
        self.work.publish(event, place=case.building)
        self._follow(case, [case.person_id], case.reason or "")
        return case

    def close(self, request: dict[str, Any]) -> Case:
        """The case ended by recovery or death; whom it exposed stays a contact."""
        check_instant(request.get("decided_at"), self.work.now, "decided_at")
        case, event = cases.close(
            self.case(request["case_id"]),
            outcome=request["outcome"],
            decided_by=request["decided_by"],
            at=request.get("decided_at") or self.work.now,
        )
        self.work.save(store.CASES, case)
        self.work.publish(event, place=case.building)
        return case

    # -- following ----------------------------------------------------------------------------

    def _save(self, people: People, case: Case) -> None:
        self.work.save(store.CASES, case)
        self._save_person(people, case.person_id, case)

    def _save_person(self, people: People, person_id: str, case: Case | None) -> None:
        dossier = people.dossier(person_id)
        infected = case is not None and case.state in INFECTED
        case_id = case.case_id if case else None
        if (dossier.case_id, dossier.infected) != (case_id, infected) or case is not None:
            dossier = replace(
                dossier, case_id=case_id, infected=infected, revision=dossier.revision + 1
            )
            self.work.save(store.DOSSIERS, dossier)

    def _follow(self, case: Case, person_ids: list[str], reason: str = "") -> None:
        self.tracer.retrace(case, reason) if reason else self.tracer.retrace(case)
        self.tracer.restate(person_ids)

    def counts(self, case: Case) -> dict[str, Any]:
        """What a case led to, for the answer."""
        contacts = store.contacts_of(self.work, case.case_id)
        exposures = store.exposures_of(self.work, case.case_id)
        return {
            "case_id": case.case_id,
            "state": case.state,
            "revision": case.revision,
            "contacts": sum(c.state != ContactState.DROPPED for c in contacts),
            "exposures": sum(e.standing for e in exposures),
        }
