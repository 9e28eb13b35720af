"""The screening service: thin entrypoints over listening, ward, laboratory and fieldwork."""

from __future__ import annotations

from typing import Any

from lianfang.days import day_of
from lianfang.errors import NotFound
from lianfang.events.declaration import (
    DeclarationSubmitted,
    PresenceRecorded,
    ResidentLeft,
    ResidentMoved,
    ResidentRegistered,
)
from lianfang.events.dispatch import StopsRecorded
from lianfang.runtime.entrypoints import command, query, subscribe
from lianfang.runtime.resources import Policy, Setting
from lianfang.vocabulary import Outcome
from services.screening import fieldwork, listening, store
from services.screening.domain import dossiers
from services.screening.domain.rules import ScreeningRules
from services.screening.laboratory import Laboratory
from services.screening.schemas import cases as c
from services.screening.schemas import samples as s
from services.screening.schemas import verdicts as v
from services.screening.ward import Ward


class Screening:
    """Risk of those who declare, samples, cases and the people they exposed."""

    name = "screening"
    policy = Policy("screening", ScreeningRules)
    city = Setting("city")
    district = Setting("district")

    def _ward(self, work: Any) -> Ward:
        return Ward(work, self.policy.on(work.today), f"{self.city}.{self.district}")

    # -- what happened elsewhere --------------------------------------------------------------

    @subscribe("declarations", DeclarationSubmitted, batch=200, load=listening.load_declarations)
    def on_declaration(self, work: Any, event: DeclarationSubmitted) -> None:
        """A declaration gets its verdict, and meets the cases that stand."""
        listening.hear_declaration(work, self.policy.on(day_of(event.declared_at)), event)

    @subscribe(
        "residents",
        ResidentRegistered,
        ResidentMoved,
        ResidentLeft,
        PresenceRecorded,
        batch=20,
        load=listening.load_residents,
    )
    def on_residents(self, work: Any, event: Any) -> None:
        """Who lives with whom, who was there."""
        listening.hear_residents(work, self.policy.on(work.today), event)

    @subscribe("stops", StopsRecorded, batch=50, load=listening.load_stops)
    def on_stops(self, work: Any, event: StopsRecorded) -> None:
        """What rounds found at the doors."""
        listening.hear_stops(work, self.policy.on(day_of(event.received_at)), event)

    # -- cases --------------------------------------------------------------------------------

    @command(c.ReportCaseRequest, c.CaseMovedAnswer)
    def report_case(self, work: Any, request: dict[str, Any]) -> Any:
        """Record a medic's suspicion."""
        ward = self._ward(work)
        return ward.counts(ward.report(request))

    @command(c.ConfirmCaseRequest, c.CaseMovedAnswer)
    def confirm_case(self, work: Any, request: dict[str, Any]) -> Any:
        """Record a case as confirmed or asymptomatic, by name: the cascade starts."""
        ward = self._ward(work)
        return ward.counts(ward.confirm(request))

    @command(c.AmendCaseRequest, c.CaseMovedAnswer)
    def amend_case(self, work: Any, request: dict[str, Any]) -> Any:
        """Correct the person, the address or the onset."""
        ward = self._ward(work)
        return ward.counts(ward.amend(request))

    @command(c.DiscardCaseRequest, c.CaseMovedAnswer)
    def discard_case(self, work: Any, request: dict[str, Any]) -> Any:
        """The case is none: everything that exists only because of it goes."""
        ward = self._ward(work)
        return ward.counts(ward.discard(request))

    @command(c.CloseCaseRequest, c.CaseMovedAnswer)
    def close_case(self, work: Any, request: dict[str, Any]) -> Any:
        """The case ended by recovery or death."""
        ward = self._ward(work)
        return ward.counts(ward.close(request))

    @command(c.RecordExposuresRequest, c.ExposuresAnswer)
    def record_exposures(self, work: Any, request: dict[str, Any]) -> Any:
        """Let exposures of a case stand."""
        return fieldwork.record_exposures(self._ward(work), request)

    @command(c.RecordContactsRequest, c.ContactIdsAnswer)
    def record_contacts(self, work: Any, request: dict[str, Any]) -> Any:
        """Record contacts as an investigator judged them."""
        return fieldwork.record_contacts(self._ward(work), request)

    @query(c.GetCaseRequest, c.CaseAnswer)
    def get_case(self, reader: Any, request: dict[str, Any]) -> Any:
        """One case."""
        return _found(reader.get(store.CASES, request["case_id"]), "case", request["case_id"])

    @query(c.FindCasesRequest, c.CasesAnswer)
    def find_cases(self, reader: Any, request: dict[str, Any]) -> Any:
        """Cases by place and state."""
        page = store.page_of_cases(reader, request)
        return {"cases": page.items, "next": page.next}

    @query(c.FindContactsRequest, c.ContactsAnswer)
    def find_contacts(self, reader: Any, request: dict[str, Any]) -> Any:
        """Contacts by case, person and state."""
        page = store.page_of_contacts(reader, request)
        return {"contacts": page.items, "next": page.next}

    # -- samples and health -------------------------------------------------------------------

    @command(s.RecordSamplesRequest, s.SamplesAnswer)
    def record_samples(self, work: Any, request: dict[str, Any]) -> Any:
        """Record tubes taken, void or swapped."""
        return Laboratory(self._ward(work)).record(request)

    @command(s.ImportResultsRequest, s.ImportResultsAnswer)
    def import_results(self, work: Any, request: dict[str, Any]) -> Any:
        """Take a laboratory's batch, row by row."""
        return Laboratory(self._ward(work)).import_results(request)

    @command(s.RecordHealthRequest, s.HealthAnswer)
    def record_health(self, work: Any, request: dict[str, Any]) -> Any:
        """Record a temperature or symptoms."""
        return fieldwork.record_health(self._ward(work), request)

    # -- verdicts -----------------------------------------------------------------------------

    @query(v.GetAssessmentRequest, v.AssessmentAnswer)
    def get_assessment(self, reader: Any, request: dict[str, Any]) -> Any:
        """The present verdict on a person's declaration."""
        dossier = reader.get(store.DOSSIERS, request["person_id"])
        if dossier is None or dossier.statement is None:
            raise NotFound.of("assessment", request["person_id"])
        return dossiers.said(dossier)

    @query(v.FindAssessmentsRequest, v.AssessmentsAnswer)
    def find_assessments(self, reader: Any, request: dict[str, Any]) -> Any:
        """Verdicts by place and outcome."""
        page = store.page_of_dossiers(reader, request)
        return {"assessments": [dossiers.said(d) for d in page.items], "next": page.next}

    @query(v.CountOutcomesRequest, v.OutcomesAnswer)
    def count_outcomes(self, reader: Any, request: dict[str, Any]) -> Any:
        """How many of each outcome."""
        counts = store.count_outcomes(reader, request["place"])
        outcomes = {outcome.value: counts.get(outcome, 0) for outcome in Outcome}
        return {"outcomes": outcomes, "total": sum(outcomes.values())}


def _found(state: Any, kind: str, key: str) -> Any:
    if state is None:
        raise NotFound.of(kind, key)
    return state
