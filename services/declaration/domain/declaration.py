"""A declaration: one per person, each resubmission its next revision."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from lianfang.envelope import natural_id
from lianfang.events.declaration import DeclarationSubmitted, Leg
from lianfang.vocabulary import TravelMode
from services.declaration.domain.form import Form, Tenure
from services.declaration.domain.residence import Residence


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What somebody asked the declarant to correct; free text is sealed."""

    asked_at: datetime
    asked_by: str | None
    sealed_reason: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The newest form of a person: `facts` as they were published, the rest sealed."""

    declaration_id: str
    person_id: str
    household_id: str
    residence_id: str
    place: str
    declared_at: datetime
    revision: int
    facts: DeclarationSubmitted
    sought_care: bool = False
    tenure: Tenure | None = None
    sealed: bytes
    correction: Correction | None = None


def declaration_id_of(person_id: str) -> str:
    """Natural in the person."""
    return natural_id("declaration", person_id)


def submitted(
    known: Declaration | None,
    form: Form,
    residence: Residence,
    *,
    declared_at: datetime,
    proxy_person_id: str | None,
    sealed: bytes,
) -> Declaration:
    """The declaration that `form` makes: the next revision, with any correction asked now given."""
    facts = _facts(form, residence, declared_at, known.revision + 1 if known else 1)
    return Declaration(
        declaration_id=facts.declaration_id,
        person_id=residence.person_id,
        household_id=residence.household_id,
        residence_id=residence.residence_id,
        place=residence.room_path,
        declared_at=declared_at,
        revision=facts.revision,
        facts=replace(facts, proxy_person_id=proxy_person_id) if proxy_person_id else facts,
        sought_care=form.health.sought_care,
        tenure=form.residence.tenure,
        sealed=sealed,
    )


def _facts(
    form: Form, residence: Residence, declared_at: datetime, revision: int
) -> DeclarationSubmitted:
    health = form.health
    return DeclarationSubmitted(
        declaration_id=declaration_id_of(residence.person_id),
        person_id=residence.person_id,
        household_id=residence.household_id,
        building=residence.building,
        revision=revision,
        person_type=form.person_type.type,
        declared_at=declared_at,
        statement_version=form.other.statement_version,
        legs=tuple([_published(f.leg) for f in form.person_type.legs]),
        stayed_in_key_area=health.stayed_in_key_area,
        symptoms=health.symptoms,
        temperature=health.temperature,
        in_home_quarantine_since=health.in_home_quarantine_since,
        contact_claims=health.contact_claims,
        has_separate_room=health.has_separate_room,
        needs=form.other.needs,
    )


def _published(leg: Leg) -> Leg:
    """A private car's plate is personal: it stays in the sealed form."""
    return replace(leg, number=None) if leg.mode is TravelMode.CAR and leg.number else leg
