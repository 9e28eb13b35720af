"""The declaration service: thin entrypoints over registry, declarations, imports and presence."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from lianfang.errors import NotFound
from lianfang.events.dispatch import StopsRecorded
from lianfang.runtime.entrypoints import command, query, subscribe
from lianfang.runtime.resources import Vault
from services.declaration import (
    answers,
    declaring,
    enrolling,
    importing,
    placing,
    presence,
    rolling,
    store,
)
from services.declaration.domain.declaration import Correction
from services.declaration.domain.declaration import Declaration as Submitted
from services.declaration.schemas import forms as f
from services.declaration.schemas import imports as i
from services.declaration.schemas import places as p
from services.declaration.schemas import residents as r


class Declaration:
    """Who lives where, who is there, and what they declared."""

    name = "declaration"
    vault = Vault()

    # -- places -------------------------------------------------------------------------------

    @command(p.RegisterPlaceRequest, p.RegisterPlaceAnswer)
    def register_place(self, work: Any, request: Any) -> Any:
        """Register or amend up to 1,000 places; what stands above each must be known."""
        return placing.register(work, self.vault, request["places"])

    @command(i.ImportRequest, i.ImportAnswer)
    def import_places(self, work: Any, request: Any) -> Any:
        """Take rows of a places file; bad rows are listed, the good ones registered."""
        take = partial(importing.take_places, work, self.vault)
        return importing.run(work, request, importing.PLACES, take)

    @query(p.FindPlacesRequest, p.PlacesAnswer)
    def find_places(self, reader: Any, request: Any) -> Any:
        """Places at and below one, by path."""
        page = store.page_of_places(reader, request)
        return {"places": page.items, "next": page.next}

    # -- residents ----------------------------------------------------------------------------

    @command(i.ImportRequest, i.ImportAnswer)
    def import_residents(self, work: Any, request: Any) -> Any:
        """Take rows of the residents' roll; bad rows and duplicates are listed."""
        take = partial(rolling.take_residents, work, self.vault)
        return importing.run(work, request, importing.RESIDENTS, take)

    @query(i.GetImportRequest, i.ImportAnswer)
    def get_import(self, reader: Any, request: Any) -> Any:
        """How far a file is, and its last refused rows."""
        found = reader.get(store.IMPORTS, request["import_id"])
        if found is None:
            raise NotFound.of("import", request["import_id"])
        return importing.answer(found)

    @command(r.RegisterResidentsRequest, r.RegisterResidentsAnswer)
    def register_residents(self, work: Any, request: Any) -> Any:
        """Register residents of a building as found or told; unknown rooms are provisional."""
        return enrolling.register(work, self.vault, request)

    @command(r.RecordPresenceRequest, r.RecordPresenceAnswer)
    def record_presence(self, work: Any, request: Any) -> Any:
        """Record where residents of a building were; the latest word of each counts."""
        return presence.record(work, request)

    @subscribe("stops", StopsRecorded, batch=50, load=presence.load)
    def on_stops_recorded(self, work: Any, event: StopsRecorded) -> None:
        """A head count says who is there, away, gone or dead."""
        presence.hear_stops(work, event)

    @query(r.FindResidentsRequest, r.ResidentsAnswer)
    def find_residents(self, reader: Any, request: Any) -> Any:
        """Residences by document, person or place; names masked."""
        return answers.find_residents(reader, self.vault, request)

    @query(r.GetRollRequest, r.RollAnswer)
    def get_roll(self, reader: Any, request: Any) -> Any:
        """Everybody who lives in a building now."""
        return answers.roll(reader, self.vault, request["building"])

    @query(r.GetCoverageRequest, r.CoverageAnswer)
    def get_coverage(self, reader: Any, request: Any) -> Any:
        """How many of a place's residents declared, and where they are."""
        return store.coverage(reader, request["place"])

    # -- declarations -------------------------------------------------------------------------

    @command(f.SubmitDeclarationRequest, f.SubmittedAnswer)
    def submit_declaration(self, work: Any, request: Any) -> Any:
        """Declare; a resubmission is the next revision of the same declaration."""
        (taken,) = declaring.submit(work, self.vault, [request["form"]], several=False)
        return answers.submitted(taken)

    @command(f.SubmitDeclarationsRequest, f.SubmittedListAnswer)
    def submit_declarations(self, work: Any, request: Any) -> Any:
        """Declare for up to 200 persons; all forms are taken or none."""
        taken = declaring.submit(work, self.vault, request["forms"], several=True)
        return {"declarations": [answers.submitted(found) for found in taken]}

    @command(f.RequestCorrectionRequest, f.SubmittedAnswer)
    def request_correction(self, work: Any, request: Any) -> Any:
        """Ask the declarant to submit again; the next revision settles it."""
        found = self._declaration(work, request["declaration_id"])
        correction = Correction(
            asked_at=work.now,
            asked_by=work.actor,
            sealed_reason=self.vault.seal({"reason": request["reason"]}),
        )
        work.save(store.DECLARATIONS, replace(found, correction=correction))
        return answers.submitted(found)

    @query(f.GetDeclarationRequest, f.DeclarationAnswer)
    def get_declaration(self, reader: Any, request: Any) -> Any:
        """The newest form of a declaration; names and numbers masked."""
        return answers.declaration(self.vault, self._declaration(reader, request["declaration_id"]))

    @query(f.FindDeclarationsRequest, f.DeclarationsAnswer)
    def find_declarations(self, reader: Any, request: Any) -> Any:
        """Declarations of a person or a place."""
        return answers.declarations(self.vault, store.page_of_declarations(reader, request))

    def _declaration(self, reader: Any, declaration_id: str) -> Submitted:
        found: Submitted | None = reader.get(store.DECLARATIONS, declaration_id)
        if found is None:
            raise NotFound.of("declaration", declaration_id)
        return found
