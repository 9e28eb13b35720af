"""RPC documents of residents: at the door, on the roll, seen."""

from __future__ import annotations

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
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import Need, Presence, PresenceSource, ResidenceKind
from services.declaration.domain.documents import DocumentType, Gender


class ResidentDocument(Request):
    """A resident as found or told; without document and household a new person in the room."""

    room = Text(min=1, max=20, required=True)
    unit = Text(min=1, max=20, load_default=None, allow_none=True)
    floor = Count(max=200, load_default=None, allow_none=True)
    household_id = Id(load_default=None, allow_none=True)
    household = Text(min=1, max=200, load_default=None, allow_none=True)
    name = Text(min=1, max=60, required=True)
    document_type = EnumField(DocumentType, load_default=DocumentType.RESIDENT_ID)
    document_number = Text(min=1, max=40, load_default=None, allow_none=True)
    phone = Text(max=30, load_default=None, allow_none=True)
    gender = EnumField(Gender, load_default=None, allow_none=True)
    birth_on = Day(load_default=None, allow_none=True)
    kind = EnumField(ResidenceKind, load_default=ResidenceKind.USUAL)
    needs = ListOf(EnumField(Need), max=10, load_default=list)
    stays_since = Instant(load_default=None, allow_none=True)
    seen_at = Instant(load_default=None, allow_none=True)
    guardian_id = Id(load_default=None, allow_none=True)


class RegisterResidentsRequest(Request):
    """Residents of one building; all are taken or, when one cannot be, none."""

    building = PlacePath(Level.BUILDING, required=True)
    source = EnumField(PresenceSource, load_default=None, allow_none=True)
    residents = ListOf(ResidentDocument, max=1000, required=True)


class RegisteredAnswer(Answer):
    """The residence; `provisional_room` when no table knows the room."""

    person_id = Id()
    household_id = Id()
    residence_id = Id()
    provisional_room = Flag()


class RegisterResidentsAnswer(Answer):
    """In the order of the request."""

    batch_id = Id()
    residents = ListOf(RegisteredAnswer)


class SightingDocument(Request):
    """Where a resident of the building was, seen or told when."""

    person_id = Id(required=True)
    presence = EnumField(Presence, required=True)
    seen_at = Instant(required=True)
    contactable = Flag(load_default=True)


class RecordPresenceRequest(Request):
    """Sightings of one building."""

    building = PlacePath(Level.BUILDING, required=True)
    source = EnumField(PresenceSource, required=True)
    sightings = ListOf(SightingDocument, max=1000, required=True)


class RecordPresenceAnswer(Answer):
    """How many were news; a later sighting known already wins."""

    batch_id = Id()
    recorded = Count()


class FindResidentsRequest(Request):
    """Who has a document, one person's residences, or who lives in a place."""

    document_number = Text(min=1, max=40, load_default=None)
    person_id = Id(load_default=None)
    place = PlacePath(load_default=None)
    after = Text(max=400, load_default=None)
    limit = Count(min=1, max=500, load_default=50)


class ResidentAnswer(Answer):
    """One residence; name and phone masked."""

    person_id = Id()
    household_id = Id()
    residence_id = Id()
    building = Text()
    unit = Text(allow_none=True)
    room = Text()
    floor = Count(allow_none=True)
    presence = EnumField(Presence)
    presence_at = Instant(allow_none=True)
    kind = EnumField(ResidenceKind)
    needs = ListOf(EnumField(Need))
    is_minor = Flag()
    guardian_id = Id(allow_none=True)
    stays_since = Instant(allow_none=True)
    declared = Flag()
    revision = Count()
    name_masked = Text()
    phone_masked = Text(allow_none=True)


class ResidentsAnswer(Answer):
    """A page of residents; `next` goes into the next request's `after`."""

    residents = ListOf(ResidentAnswer)
    next = Text(allow_none=True)


class GetRollRequest(Request):
    """Of one building."""

    building = PlacePath(Level.BUILDING, required=True)


class RollAnswer(Answer):
    """Everybody who lives in a building now, by room."""

    building = Text()
    households = Count()
    persons = Count()
    residents = ListOf(ResidentAnswer)


class GetCoverageRequest(Request):
    """Of one place."""

    place = PlacePath(required=True)


class CoverageAnswer(Answer):
    """How many live here, how many of them declared, where they are; moved out counts no more."""

    residents = Count()
    households = Count()
    declared = Count()
    present = Count()
    away = Count()
    unknown = Count()
