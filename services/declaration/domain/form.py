"""The declaration form: its five groups, and what cannot be true of them.

Field list: the city's self-declaration form of February 2020 (basic, person type, home quarantine
and health, residence, other). All legs since 1 January are listed one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from lianfang.days import at
from lianfang.errors import InvalidPayload
from lianfang.events.declaration import ContactClaim, Leg
from lianfang.vocabulary import Need, PersonType, Presence, ResidenceKind, Symptom
from services.declaration.domain import documents
from services.declaration.domain.documents import DocumentType, Gender

#: The day from which the form asks for every leg, and since which `stayed` never left.
SINCE = date(2020, 1, 1)
#: How far a telephone's clock may be ahead.
_SKEW = timedelta(minutes=5)


class Tenure(StrEnum):
    """By what right somebody lives there."""

    OWNER = "owner"
    TENANT = "tenant"
    DORMITORY = "dormitory"
    HOTEL = "hotel"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The grown-up co-resident who declares for somebody."""

    relationship: str
    person_id: str | None = None
    document_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """Who declares. `person_id` names somebody known who has no document."""

    name: str
    document_type: DocumentType = DocumentType.RESIDENT_ID
    document_number: str | None = None
    person_id: str | None = None
    gender: Gender | None = None
    birth_on: date | None = None
    nationality: str | None = None
    phone: str | None = None
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLeg:
    """A leg with the places in the declarant's own words."""

    leg: Leg
    from_text: str | None = None
    to_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Travel:
    """Returning, arriving or stayed, and every leg since 1 January."""

    type: PersonType
    legs: tuple[FormLeg, ...] = ()
    emergency_contact: str | None = None
    emergency_phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """In home quarantine since when; where they were, whom they met; how they feel."""

    in_home_quarantine_since: date | None = None
    stayed_in_key_area: bool = False
    contact_claims: tuple[ContactClaim, ...] = ()
    temperature: float | None = None
    symptoms: tuple[Symptom, ...] = ()
    sought_care: bool = False
    has_separate_room: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where they stay."""

    building: str
    room: str
    unit: str | None = None
    floor: int | None = None
    kind: ResidenceKind = ResidenceKind.USUAL
    tenure: Tenure | None = None
    since_on: date | None = None
    household_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Work, vehicle, needs, and the statement that all is true."""

    statement_version: str
    statement_agreed: bool
    workplace: str | None = None
    work_since_on: date | None = None
    plate: str | None = None
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """All five groups."""

    basic: Basic
    person_type: Travel
    health: Health
    residence: Home
    other: Other
    declared_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a form or a row names, normalised; gender and birth date from the document if it says."""

    name: str
    document_type: DocumentType | None
    number: str | None
    gender: Gender | None
    born: date | None


def identify(
    *,
    name: str,
    document: tuple[DocumentType, str | None],
    gender: Gender | None,
    birth_on: date | None,
    today: date,
    fields: str,
) -> Identity:
    """Check a person's documents against each other.

    Raises:
        InvalidPayload: an impossible number, a birth in the future, or one that differs from the
            number's; `fields` is the dotted path in front of the field's name.
    """
    document_type, raw = document
    if birth_on is not None and birth_on > today:
        raise InvalidPayload.of(f"{fields}birth_on", "lies in the future")
    if not raw:
        return Identity(name, None, None, gender, birth_on)
    number = documents.check(document_type, raw, today, f"{fields}document_number")
    if document_type is DocumentType.RESIDENT_ID:
        born = documents.born_on(number)
        if birth_on is not None and birth_on != born:
            raise InvalidPayload.of(f"{fields}birth_on", "differs from the document number")
        sex = documents.gender_of(number)
        if gender is not None and gender not in (sex, Gender.OTHER):
            raise InvalidPayload.of(f"{fields}gender", "differs from the document number")
        return Identity(name, document_type, number, gender or sex, born)
    return Identity(name, document_type, number, gender, birth_on)


def check(form: Form, now: datetime, today: date, fields: str) -> Identity:
    """Who declares, when everything in the form can be true.

    Raises:
        InvalidPayload: naming the first field that cannot.
    """
    basic = form.basic
    if form.declared_at is not None and form.declared_at > now + _SKEW:
        raise InvalidPayload.of(f"{fields}declared_at", "lies in the future")
    if not form.other.statement_agreed:
        raise InvalidPayload.of(f"{fields}other.statement_agreed", "must be agreed to")
    identity = identify(
        name=basic.name,
        document=(basic.document_type, basic.document_number),
        gender=basic.gender,
        birth_on=basic.birth_on,
        today=today,
        fields=f"{fields}basic.",
    )
    for n, travelled in enumerate(form.person_type.legs):
        _check_leg(travelled.leg, now, f"{fields}person_type.legs.{n}.")
    health, since = form.health, form.residence.since_on
    _not_later(health.in_home_quarantine_since, today, fields, "health.in_home_quarantine_since")
    _not_later(since, today, fields, "residence.since_on")
    for n, claim in enumerate(health.contact_claims):
        _not_later(claim.last_on, today, fields, f"health.contact_claims.{n}.last_on")
    return identity


def _not_later(day: date | None, today: date, fields: str, field: str) -> None:
    if day is not None and day > today:
        raise InvalidPayload.of(f"{fields}{field}", "lies in the future")


def _check_leg(leg: Leg, now: datetime, fields: str) -> None:
    if leg.arrive_at is not None and leg.arrive_at < leg.depart_at:
        raise InvalidPayload.of(f"{fields}arrive_at", "lies before depart_at")
    if leg.planned:
        return
    if leg.depart_at > now + _SKEW:
        raise InvalidPayload.of(f"{fields}depart_at", "lies in the future and is not planned")
    if leg.arrive_at is not None and leg.arrive_at > now + _SKEW:
        raise InvalidPayload.of(f"{fields}arrive_at", "lies in the future and is not planned")


def stays_since(form: Form, declared_at: datetime) -> datetime:
    """Since when the form says they stay there: their word, else the last leg, else now."""
    if form.residence.since_on is not None:
        return at(form.residence.since_on, 0)
    if form.person_type.type is PersonType.STAYED:
        return at(SINCE, 0)
    done = [f.leg for f in form.person_type.legs if not f.leg.planned]
    last = max((leg.arrive_at or leg.depart_at for leg in done), default=declared_at)
    return min(last, declared_at)


def presence(form: Form) -> Presence:
    """Somebody with a planned leg is still away; everybody else declares from home."""
    planned = any(f.leg.planned for f in form.person_type.legs)
    if form.residence.kind is ResidenceKind.REGISTERED_ONLY or planned:
        return Presence.AWAY
    return Presence.PRESENT
