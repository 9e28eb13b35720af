"""What other services told us, kept so that the order of arrival does not matter.

Each `learn_*` takes what is known (or None) and returns what is known now; an older revision adds
nothing. Ended things stay as tombstones, so what ended cannot begin again by a late message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from lianfang.events.declaration import PlaceSnapshot, ResidentSnapshot, Sighting
from lianfang.events.screening import (
    ContactDropped,
    ContactIdentified,
    DeclarationAssessed,
)
from lianfang.vocabulary import (
    CommunityType,
    ContactCategory,
    Need,
    Outcome,
    PlaceUse,
    Presence,
    PresenceSource,
    ResidenceKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place at or above the unit, with the gates it needs."""

    path: str
    revision: int
    use: PlaceUse = PlaceUse.RESIDENCE
    community_type: CommunityType | None = None
    exits: tuple[str, ...] = ()


def learn_place(known: Place | None, told: PlaceSnapshot) -> Place:
    """The place as the newest revision describes it."""
    if known is not None and known.revision >= told.revision:
        return known
    return Place(
        path=told.path,
        revision=told.revision,
        use=told.use,
        community_type=told.community_type,
        exits=tuple(sorted(set(told.exits))),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The last time somebody stood before a person's door: was the person there?"""

    at: datetime
    is_there: bool
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """A person in a household in a building, without the room.

    `known_at` is when the residence was first told of; None while only a sighting has come.
    `presence` is the newest word on it, of `presence_revision`.
    """

    residence_id: str
    person_id: str
    household_id: str
    building: str
    revision: int = 0
    unit: str | None = None
    kind: ResidenceKind = ResidenceKind.USUAL
    presence: Presence = Presence.UNKNOWN
    presence_revision: int = 0
    stays_since: datetime | None = None
    known_at: datetime | None = None
    ended_at: datetime | None = None
    ended_why: str | None = None
    needs: tuple[Need, ...] = ()
    guardian_id: str | None = None
    look: Look | None = None

    @property
    def is_current(self) -> bool:
        """Whether the person still belongs there, and really stays there."""
        return (
            self.known_at is not None
            and self.ended_at is None
            and self.kind != ResidenceKind.REGISTERED_ONLY
        )

    @property
    def is_away(self) -> bool:
        """Whether the person was last known to be elsewhere."""
        return self.presence in (Presence.AWAY, Presence.AWAY_IN_CITY, Presence.MOVED_OUT)

    @property
    def path(self) -> str:
        """The place path down to the unit."""
        if not self.unit:
            return self.building
        return self.unit if "." in self.unit else f"{self.building}.{self.unit}"


def learn_residence(
    known: Residence | None, told: ResidentSnapshot, at: datetime, ended_why: str | None = None
) -> Residence:
    """The residence as its newest revision describes it; `at` is when this was said."""
    known = known or Residence(
        residence_id=told.residence_id,
        person_id=told.person_id,
        household_id=told.household_id,
        building=told.building,
    )
    known_at = at if known.known_at is None else min(known.known_at, at)
    if known.revision >= told.revision:
        return known if known.known_at == known_at else replace(known, known_at=known_at)
    newer = told.revision > known.presence_revision
    return replace(
        known,
        household_id=told.household_id,
        building=told.building,
        revision=told.revision,
        unit=told.unit,
        kind=told.kind,
        presence=told.presence if newer else known.presence,
        presence_revision=max(told.revision, known.presence_revision),
        stays_since=told.stays_since,
        known_at=known_at,
        ended_at=told.ended_at,
        ended_why=ended_why if told.ended_at else None,
        needs=told.needs,
        guardian_id=told.guardian_id,
    )


#: Who says so after having stood at the door.
_AT_THE_DOOR = (PresenceSource.HEAD_COUNT, PresenceSource.GATE)


def learn_sighting(
    known: Residence | None, told: Sighting, building: str, source: PresenceSource
) -> Residence:
    """The residence with where its person was last seen or told."""
    known = known or Residence(
        residence_id=told.residence_id,
        person_id=told.person_id,
        household_id=told.household_id,
        building=building,
    )
    look = known.look
    if source in _AT_THE_DOOR and told.presence != Presence.UNKNOWN:
        seen = Look(
            at=told.seen_at, is_there=told.presence == Presence.PRESENT, revision=told.revision
        )
        if look is None or (look.at, look.revision) < (seen.at, seen.revision):
            look = seen
    if told.revision >= known.presence_revision:
        known = replace(known, presence=told.presence, presence_revision=told.revision)
    return known if known.look == look else replace(known, look=look)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person's contact with a case; `is_dropped` is a tombstone of its revision."""

    contact_id: str
    case_id: str
    revision: int
    is_dropped: bool = False
    category: ContactCategory = ContactCategory.GENERAL
    last_exposure_on: date | None = None
    building: str | None = None
    household_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The newest outcome of a person's declarations."""

    assessment_id: str
    outcome: Outcome
    revision: int
    assessed_at: datetime
    building: str
    household_id: str
    last_exposure_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What was said about one person; `case_ids` lists every case that ever was about them."""

    person_id: str
    contacts: tuple[Contact, ...] = ()
    verdict: Verdict | None = None
    case_ids: tuple[str, ...] = ()


def learn_contact(known: Person, told: ContactIdentified | ContactDropped) -> Person:
    """The person with the contact as its newest revision has it; a drop wins a tie."""
    before = {contact.contact_id: contact for contact in known.contacts}
    old = before.get(told.contact_id)
    dropped = isinstance(told, ContactDropped)
    if old is not None and (old.revision, old.is_dropped) >= (told.revision, dropped):
        return known
    if isinstance(told, ContactDropped):
        new = Contact(
            contact_id=told.contact_id,
            case_id=told.case_id,
            revision=told.revision,
            is_dropped=True,
        )
    else:
        new = Contact(
            contact_id=told.contact_id,
            case_id=told.case_id,
            revision=told.revision,
            category=told.category,
            last_exposure_on=told.last_exposure_on,
            building=told.building,
            household_id=told.household_id,
        )
    before[told.contact_id] = new
    return replace(known, contacts=tuple(before[key] for key in sorted(before)))


def learn_verdict(known: Person, told: DeclarationAssessed) -> Person:
    """The person with the newest verdict."""
    if known.verdict is not None and known.verdict.revision >= told.revision:
        return known
    verdict = Verdict(
        assessment_id=told.assessment_id,
        outcome=told.outcome,
        revision=told.revision,
        assessed_at=told.assessed_at,
        building=told.building,
        household_id=told.household_id,
        last_exposure_on=told.last_exposure_on,
    )
    return replace(known, verdict=verdict)


def learn_case_id(known: Person, case_id: str) -> Person:
    """The person with one more case to look at."""
    if case_id in known.case_ids:
        return known
    return replace(known, case_ids=tuple(sorted({*known.case_ids, case_id})))
