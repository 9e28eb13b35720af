"""RPC documents of declarations; a loaded form is the domain's own record."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from lianfang.events.declaration import ContactClaim, Leg
from lianfang.places import Level
from lianfang.schemas.fields import (
    Answer,
    Count,
    Day,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    Number,
    OneOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import (
    ContactKind,
    Need,
    PersonType,
    ResidenceKind,
    Symptom,
    TravelMode,
)
from services.declaration.domain import form as f
from services.declaration.domain.documents import DocumentType, Gender
from services.declaration.schemas.quick import Quick

#: The most forms of one call.
FORMS = 200
_NAME, _NUMBER, _PHONE = 60, 40, 30


class Record(Request):
    """A document that loads as a frozen record of the domain; what was not said has its default."""

    record: Any = dict

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Any:
        """The record, its lists frozen."""
        return self.make({k: tuple(v) if isinstance(v, list) else v for k, v in data.items()})

    def make(self, data: dict[str, Any]) -> Any:
        """The record of loaded fields."""
        return self.record(**data)


class ProxyDocument(Record):
    """The grown-up co-resident who declares, by id or document."""

    record = f.Proxy
    relationship = Text(min=1, max=40, required=True)
    person_id = Id()
    document_number = Text(min=1, max=_NUMBER)


class BasicDocument(Record):
    """Group 1: who."""

    record = f.Basic
    name = Text(min=1, max=_NAME, required=True)
    document_type = EnumField(DocumentType)
    document_number = Text(min=1, max=_NUMBER, allow_none=True)
    person_id = Id(allow_none=True)
    gender = EnumField(Gender, allow_none=True)
    birth_on = Day(allow_none=True)
    nationality = Text(max=40, allow_none=True)
    phone = Text(max=_PHONE, allow_none=True)
    proxy = OneOf(ProxyDocument, allow_none=True)


class LegDocument(Record):
    """One leg of travel since 1 January 2020."""

    mode = EnumField(TravelMode, required=True)
    number = Text(max=20, allow_none=True)
    coach = Text(max=10, allow_none=True)
    row = Count(min=1, max=200, allow_none=True)
    from_division = Text(min=1, max=12, required=True)
    to_division = Text(min=1, max=12, required=True)
    from_text = Text(max=100, allow_none=True)
    to_text = Text(max=100, allow_none=True)
    depart_at = Instant(required=True)
    arrive_at = Instant(allow_none=True)
    planned = Flag()

    def make(self, data: dict[str, Any]) -> f.FormLeg:
        """The leg as published, beside the declarant's own words."""
        start, end = data.pop("from_text", None), data.pop("to_text", None)
        return f.FormLeg(leg=Leg(**data), from_text=start, to_text=end)


class TravelDocument(Record):
    """Group 2: returning, arriving or stayed."""

    record = f.Travel
    type = EnumField(PersonType, required=True)
    legs = ListOf(LegDocument, max=60)
    emergency_contact = Text(max=_NAME, allow_none=True)
    emergency_phone = Text(max=_PHONE, allow_none=True)


class ContactClaimDocument(Record):
    """A contact with a case, in the declarant's word."""

    record = ContactClaim
    kind = EnumField(ContactKind, required=True)
    last_on = Day(required=True)
    case_id = Id(allow_none=True)


class HealthDocument(Record):
    """Group 3: home quarantine and health."""

    record = f.Health
    in_home_quarantine_since = Day(allow_none=True)
    stayed_in_key_area = Flag()
    contact_claims = ListOf(ContactClaimDocument, max=20)
    temperature = Number(min=30, max=45, allow_none=True)
    symptoms = ListOf(EnumField(Symptom), max=10)
    sought_care = Flag()
    has_separate_room = Flag()


class HomeDocument(Record):
    """Group 4: where they stay."""

    record = f.Home
    building = PlacePath(Level.BUILDING, required=True)
    unit = Text(min=1, max=20, allow_none=True)
    room = Text(min=1, max=20, required=True)
    floor = Count(max=200, allow_none=True)
    kind = EnumField(ResidenceKind)
    tenure = EnumField(f.Tenure, allow_none=True)
    since_on = Day(allow_none=True)
    household_id = Id(allow_none=True)


class OtherDocument(Record):
    """Group 5: work, vehicle, needs, statement of truth."""

    record = f.Other
    workplace = Text(max=100, allow_none=True)
    work_since_on = Day(allow_none=True)
    plate = Text(max=20, allow_none=True)
    needs = ListOf(EnumField(Need), max=10)
    statement_version = Text(min=1, max=40, required=True)
    statement_agreed = Flag(required=True)


class FormDocument(Record):
    """The whole form."""

    record = f.Form
    basic = OneOf(BasicDocument, required=True)
    person_type = OneOf(TravelDocument, required=True)
    health = OneOf(HealthDocument, required=True)
    residence = OneOf(HomeDocument, required=True)
    other = OneOf(OtherDocument, required=True)
    declared_at = Instant(allow_none=True)


class SubmitDeclarationRequest(Request):
    """One form."""

    form = Quick(FormDocument, required=True)


class SubmitDeclarationsRequest(Request):
    """Up to 200 forms; all are taken or, when one cannot be true, none."""

    forms = ListOf(Quick(FormDocument), max=FORMS, required=True)


class SubmittedAnswer(Answer):
    """The declaration that a form made; a resubmission has the next revision."""

    declaration_id = Id()
    person_id = Id()
    household_id = Id()
    revision = Count()


class SubmittedListAnswer(Answer):
    """In the order of the forms."""

    declarations = ListOf(SubmittedAnswer)


class RequestCorrectionRequest(Request):
    """What is wrong with a declaration, so that it is submitted again."""

    declaration_id = Id(required=True)
    reason = Text(min=1, max=500, required=True)


class GetDeclarationRequest(Request):
    """By id."""

    declaration_id = Id(required=True)


class FindDeclarationsRequest(Request):
    """Newest forms of a person, or of a place by room."""

    place = PlacePath(load_default=None)
    person_id = Id(load_default=None)
    after = Text(max=400, load_default=None)
    limit = Count(min=1, max=500, load_default=50)


class LegAnswer(Answer):
    """A leg without its personal words."""

    mode = EnumField(TravelMode)
    number = Text(allow_none=True)
    coach = Text(allow_none=True)
    row = Count(allow_none=True)
    from_division = Text()
    to_division = Text()
    depart_at = Instant()
    arrive_at = Instant(allow_none=True)
    planned = Flag()


class ContactClaimAnswer(Answer):
    """A contact as it was declared."""

    kind = EnumField(ContactKind)
    last_on = Day()
    case_id = Id(allow_none=True)


class DeclarationAnswer(Answer):
    """The newest form of a person; names and numbers masked."""

    declaration_id = Id()
    person_id = Id()
    household_id = Id()
    residence_id = Id()
    building = Text()
    revision = Count()
    declared_at = Instant()
    person_type = EnumField(PersonType)
    legs = ListOf(LegAnswer)
    stayed_in_key_area = Flag()
    symptoms = ListOf(EnumField(Symptom))
    temperature = Number(allow_none=True)
    in_home_quarantine_since = Day(allow_none=True)
    contact_claims = ListOf(ContactClaimAnswer)
    sought_care = Flag()
    has_separate_room = Flag()
    tenure = EnumField(f.Tenure, allow_none=True)
    needs = ListOf(EnumField(Need))
    proxy_person_id = Id(allow_none=True)
    statement_version = Text()
    name_masked = Text()
    phone_masked = Text(allow_none=True)
    document_number_masked = Text(allow_none=True)
    correction_asked_at = Instant(allow_none=True)


class DeclarationsAnswer(Answer):
    """A page of declarations; `next` goes into the next request's `after`."""

    declarations = ListOf(DeclarationAnswer)
    next = Text(allow_none=True)
