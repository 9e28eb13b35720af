"""Documents about cases, contacts and exposures."""

from __future__ import annotations

from marshmallow import validate

from lianfang.schemas.fields import (
    Answer,
    Count,
    Day,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    OneOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import (
    Classification,
    ContactCategory,
    ContactKind,
    Custody,
    ExposureSetting,
    FoundBy,
    PlaceUse,
    TravelMode,
)
from services.screening.domain.cases import INFECTED
from services.screening.domain.contacts import ContactState


class StayDocument(Request):
    """Where a case was, until when."""

    place = PlacePath(required=True)
    last_present_at = Instant(required=True)
    use = EnumField(PlaceUse, load_default=PlaceUse.RESIDENCE)
    household_id = Id(load_default=None, allow_none=True)


class ReportCaseRequest(Request):
    """A medic's suspicion."""

    person_id = Id(required=True)
    basis = Text(required=True, min=1, max=500)
    reported_by = Text(required=True, min=1, max=100)
    onset_on = Day(load_default=None, allow_none=True)
    sample_id = Id(load_default=None, allow_none=True)


class ConfirmCaseRequest(Request):
    """A named medic's decision about a case, or about a person who is none yet."""

    case_id = Id(load_default=None, allow_none=True)
    person_id = Id(load_default=None, allow_none=True)
    classification = EnumField(Classification, required=True, validate=validate.OneOf(INFECTED))
    basis = Text(required=True, min=1, max=500)
    decided_by = Text(required=True, min=1, max=100)
    decided_at = Instant(load_default=None, allow_none=True)
    onset_on = Day(load_default=None, allow_none=True)
    first_positive_at = Instant(load_default=None, allow_none=True)
    custody = EnumField(Custody, load_default=None, allow_none=True)
    custody_since = Instant(load_default=None, allow_none=True)
    laboratory_batch_id = Id(load_default=None, allow_none=True)
    sample_id = Id(load_default=None, allow_none=True)
    stays = ListOf(StayDocument, max=50, load_default=None, allow_none=True)


class AmendCaseRequest(Request):
    """Another person, another onset, other stays."""

    case_id = Id(required=True)
    reason = Text(required=True, min=1, max=500)
    amended_by = Text(required=True, min=1, max=100)
    person_id = Id(load_default=None, allow_none=True)
    onset_on = Day(load_default=None, allow_none=True)
    stays = ListOf(StayDocument, max=50, load_default=None, allow_none=True)


class DiscardCaseRequest(Request):
    """The case is none; a confirmed one takes two signatures."""

    case_id = Id(required=True)
    reason = Text(required=True, min=1, max=500)
    decided_by = Text(required=True, min=1, max=100)
    decided_at = Instant(load_default=None, allow_none=True)
    second_signature = Text(load_default=None, allow_none=True, max=100)


class CloseCaseRequest(Request):
    """The case ended."""

    case_id = Id(required=True)
    outcome = Text(required=True, validate=validate.OneOf(["recovered", "died"]))
    decided_by = Text(required=True, min=1, max=100)
    decided_at = Instant(load_default=None, allow_none=True)


class CaseMovedAnswer(Answer):
    """Where a case now stands and what it led to."""

    case_id = Id()
    state = EnumField(Classification)
    revision = Count()
    contacts = Count()
    exposures = Count()


class CarrierDocument(Request):
    """A means of transport on a day."""

    mode = EnumField(TravelMode, required=True)
    number = Text(required=True, min=1, max=20)
    on = Day(required=True)
    coach = Text(load_default=None, allow_none=True, max=10)
    rows = ListOf(Count(min=1, max=500), max=50, load_default=list)


class ExposureDocument(Request):
    """Where and when a case exposed others."""

    setting = EnumField(ExposureSetting, required=True)
    from_at = Instant(required=True)
    until_at = Instant(required=True)
    carrier = OneOf(CarrierDocument, load_default=None, allow_none=True)
    place = PlacePath(load_default=None, allow_none=True)


class RecordExposuresRequest(Request):
    """Exposures of one case."""

    case_id = Id(required=True)
    exposures = ListOf(ExposureDocument, max=200, required=True)


class ExposuresAnswer(Answer):
    """The exposures and how many contacts they have by now."""

    exposure_ids = ListOf(Id())
    contacts = Count()


class ContactDocument(Request):
    """A contact as an investigator judged it."""

    person_id = Id(required=True)
    category = EnumField(ContactCategory, required=True)
    kind = EnumField(ContactKind, required=True)
    first_exposure_on = Day(required=True)
    last_exposure_on = Day(required=True)
    basis = Text(required=True, min=1, max=500)


class RecordContactsRequest(Request):
    """Contacts of one case."""

    case_id = Id(required=True)
    contacts = ListOf(ContactDocument, max=500, required=True)


class ContactIdsAnswer(Answer):
    """The contacts' ids, in the order of the request."""

    contact_ids = ListOf(Id())


class FindContactsRequest(Request):
    """Contacts of a case, of a person, in a state."""

    case_id = Id(load_default=None, allow_none=True)
    person_id = Id(load_default=None, allow_none=True)
    state = EnumField(ContactState, load_default=None, allow_none=True)
    after = Text(load_default=None, allow_none=True, max=400)
    limit = Count(min=1, max=500, load_default=50)


class ContactAnswer(Answer):
    """One contact."""

    contact_id = Id()
    case_id = Id()
    person_id = Id()
    household_id = Id(allow_none=True)
    building = Text()
    category = EnumField(ContactCategory)
    kind = EnumField(ContactKind)
    found_by = EnumField(FoundBy)
    first_exposure_on = Day()
    last_exposure_on = Day()
    state = EnumField(ContactState)
    basis = Text()
    reason = Text(allow_none=True)
    policy_version = Text()
    revision = Count()


class ContactsAnswer(Answer):
    """A page of contacts."""

    contacts = ListOf(ContactAnswer)
    next = Text(allow_none=True)


class GetCaseRequest(Request):
    """Which case."""

    case_id = Id(required=True)


class StayAnswer(Answer):
    """A stay of a case."""

    place = Text()
    last_present_at = Instant()
    use = EnumField(PlaceUse)
    unit_segment = Text(allow_none=True)
    household_id = Id(allow_none=True)


class CaseAnswer(Answer):
    """One case."""

    case_id = Id()
    person_id = Id()
    state = EnumField(Classification)
    classification = EnumField(Classification, allow_none=True)
    building = Text()
    household_id = Id(allow_none=True)
    basis = Text()
    reported_by = Text()
    reported_at = Instant()
    decided_by = Text(allow_none=True)
    decided_at = Instant(allow_none=True)
    infectious_from_on = Day(allow_none=True)
    onset_on = Day(allow_none=True)
    first_positive_at = Instant(allow_none=True)
    laboratory_batch_id = Text(allow_none=True)
    sample_id = Text(allow_none=True)
    custody = EnumField(Custody)
    custody_since = Instant(allow_none=True)
    stays = ListOf(StayAnswer)
    stays_given = Flag()
    outcome = Text(allow_none=True)
    reason = Text(allow_none=True)
    reporting_district = Text()
    owning_district = Text()
    policy_version = Text()
    revision = Count()


class FindCasesRequest(Request):
    """Cases below a place, in a state."""

    place = PlacePath(load_default=None, allow_none=True)
    state = EnumField(Classification, load_default=None, allow_none=True)
    after = Text(load_default=None, allow_none=True, max=400)
    limit = Count(min=1, max=500, load_default=50)


class CasesAnswer(Answer):
    """A page of cases, the latest reported first."""

    cases = ListOf(CaseAnswer)
    next = Text(allow_none=True)
