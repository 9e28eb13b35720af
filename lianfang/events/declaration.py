"""What the declaration service says: places, who lives where, who is present, what was declared.

Rooms travel in `resident.*` only. Names, document numbers, phones and address texts travel nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from lianfang.events.event import Chunked, Event
from lianfang.vocabulary import (
    CommunityType,
    ContactKind,
    Need,
    PersonType,
    PlaceUse,
    Presence,
    PresenceSource,
    ResidenceKind,
    Symptom,
    TravelMode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceSnapshot:
    """A place at or above the unit. `exits` are the gates it needs; two buildings may share one."""

    path: str
    name: str
    revision: int
    use: PlaceUse = PlaceUse.RESIDENCE
    community_type: CommunityType | None = None
    exits: tuple[str, ...] = ()
    floors: int | None = None
    grid: str | None = None
    shared_facilities: bool = False
    provisional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceRegistered(Chunked):
    """Places became known. `batch_id` is the registration or the import."""

    TYPE: ClassVar[str] = "place.registered"
    SUBJECT: ClassVar[str] = "batch_id"
    batch_id: str
    places: tuple[PlaceSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAmended(Event):
    """A known place got other facts (a new exit, another use)."""

    TYPE: ClassVar[str] = "place.amended"
    SUBJECT: ClassVar[str] = "path"
    path: str
    place: PlaceSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentSnapshot:
    """One residence: a person in a household in a room, since when, until when, with what needs.

    `residence_id` is the natural id of person and household. `stays_since` is when the person is
    first known to have stayed there (it tells a late arrival from an earlier one); `ended_at` is
    set when the residence is over.
    """

    residence_id: str
    person_id: str
    household_id: str
    building: str
    room: str
    revision: int
    unit: str | None = None
    floor: int | None = None
    kind: ResidenceKind = ResidenceKind.USUAL
    presence: Presence = Presence.UNKNOWN
    stays_since: datetime | None = None
    ended_at: datetime | None = None
    needs: tuple[Need, ...] = ()
    is_minor: bool = False
    guardian_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentRegistered(Chunked):
    """Residences of one building began or got other facts. A household never spans two chunks."""

    TYPE: ClassVar[str] = "resident.registered"
    SUBJECT: ClassVar[str] = "batch_id"
    batch_id: str
    building: str
    residents: tuple[ResidentSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentMoved(Event):
    """A person moved: the residence that ended and the one that began."""

    TYPE: ClassVar[str] = "resident.moved"
    SUBJECT: ClassVar[str] = "person_id"
    person_id: str
    ended: ResidentSnapshot
    began: ResidentSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentLeft(Event):
    """A residence ended: moved out, died, or turned out to live elsewhere."""

    TYPE: ClassVar[str] = "resident.left"
    SUBJECT: ClassVar[str] = "residence_id"
    residence_id: str
    reason: str
    resident: ResidentSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Where one resident was, seen or told when. `revision` is the residence's."""

    residence_id: str
    person_id: str
    household_id: str
    presence: Presence
    seen_at: datetime
    revision: int
    contactable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceRecorded(Chunked):
    """Somebody looked or asked: one action, all sightings of one building."""

    TYPE: ClassVar[str] = "presence.recorded"
    SUBJECT: ClassVar[str] = "batch_id"
    batch_id: str
    building: str
    source: PresenceSource
    sightings: tuple[Sighting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One leg of travel; `number` is the flight, train or plate, divisions are official codes."""

    mode: TravelMode
    depart_at: datetime
    from_division: str
    to_division: str
    number: str | None = None
    coach: str | None = None
    row: int | None = None
    arrive_at: datetime | None = None
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactClaim:
    """The declarant's own word of a contact with a case: how, when, and whom, when known."""

    kind: ContactKind
    last_on: date
    case_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclarationSubmitted(Event):
    """A resident (or a co-resident by proxy) declared. A resubmission is the next revision."""

    TYPE: ClassVar[str] = "declaration.submitted"
    SUBJECT: ClassVar[str] = "declaration_id"
    declaration_id: str
    person_id: str
    household_id: str
    building: str
    person_type: PersonType
    declared_at: datetime
    statement_version: str
    legs: tuple[Leg, ...] = ()
    stayed_in_key_area: bool = False
    symptoms: tuple[Symptom, ...] = ()
    temperature: float | None = None
    in_home_quarantine_since: date | None = None
    contact_claims: tuple[ContactClaim, ...] = ()
    has_separate_room: bool = True
    needs: tuple[Need, ...] = ()
    proxy_person_id: str | None = None
