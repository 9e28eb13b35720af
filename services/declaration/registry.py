"""Persons, households and residences of one command: loaded at once, changed, saved, announced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import InvalidPayload, NotFound
from lianfang.events.declaration import ResidentMoved
from services.declaration import store
from services.declaration.announcing import announce_places, announce_residents
from services.declaration.domain import place as p
from services.declaration.domain import residence as r
from services.declaration.domain.documents import DocumentType
from services.declaration.domain.form import Identity
from services.declaration.domain.person import Identifier, Person, linked
from services.declaration.domain.residence import Household, Residence


@dataclass(frozen=True, slots=True)
class Room:
    """A room as a request names it, in segments."""

    building: str
    unit: str | None
    room: str

    @property
    def unit_path(self) -> str | None:
        """The unit's path, if the building has units."""
        return f"{self.building}.{self.unit}" if self.unit else None

    @property
    def path(self) -> str:
        """The room's path."""
        return f"{self.unit_path or self.building}.{self.room}"


def room_of(building: str, unit: str | None, room: str, fields: str) -> Room:
    """The room in segments, however it was written."""
    unit = p.segment("u", unit, f"{fields}unit") if unit else None
    return Room(building, unit, p.segment("r", room, f"{fields}room"))


def no_such(kind: str, key: str, field: str) -> NotFound:
    """`NotFound` that names the field."""
    reason = f"there is no such {kind}"
    facts = {"kind": kind, "key": key, "fields": {field: [reason]}}
    return NotFound(f"{field}: {reason}", facts)


class Registry:
    """One command's residents. Load first, in a handful of queries; then ask and put."""

    def __init__(self, work: Any, vault: Any) -> None:
        self.work, self.vault = work, vault
        self.places: dict[str, p.Place] = {}
        self.households: dict[str, Household] = {}
        self._in_room: dict[str, dict[str, Household]] = {}
        self._by_document: dict[str, str] = {}
        self._persons: dict[str, Person] = {}
        self._residences: dict[str, dict[str, Residence]] = {}
        self._changed: dict[str, Residence] = {}
        self._units: dict[str, p.Place] = {}

    # -- loading ------------------------------------------------------------------------------

    def load_places(self, paths: Iterable[str | None]) -> None:
        """Know which of these exist."""
        self.places |= self.work.load(store.PLACES, [path for path in paths if path])

    def load_persons(self, fingerprints: Iterable[str], person_ids: Iterable[str] = ()) -> None:
        """Know whoever has one of these documents or ids, and where they live."""
        found = store.persons_by_documents(self.work, fingerprints)
        missing = set(person_ids) - {person.person_id for person in found}
        if missing:
            found += self.work.load(store.PERSONS, sorted(missing)).values()
        for person in found:
            self._know(person)
        for residence in store.residences_of(self.work, [x.person_id for x in found]):
            self._residences.setdefault(residence.person_id, {})[residence.household_id] = residence

    def load_homes(self, rooms: Iterable[Room], household_ids: Iterable[str | None] = ()) -> None:
        """Know the households of these rooms, and these by id."""
        for household in store.households_in(self.work, [room.path for room in rooms]):
            self._house(household)
        wanted = [key for key in household_ids if key and key not in self.households]
        for household in self.work.load(store.HOUSEHOLDS, wanted).values():
            self._house(household)

    def _know(self, person: Person) -> None:
        self._persons[person.person_id] = person
        for fingerprint in person.fingerprints:
            self._by_document[fingerprint] = person.person_id

    def _house(self, household: Household) -> None:
        self.households[household.household_id] = household
        self._in_room.setdefault(household.room_path, {})[household.household_id] = household

    # -- places -------------------------------------------------------------------------------

    def stand(self, room: Room, field: str) -> None:
        """Make sure of the building; a unit that no table knows becomes a provisional one.

        Raises:
            NotFound: nobody registered the building.
        """
        if room.building not in self.places:
            raise no_such("building", room.building, field)
        unit = room.unit_path
        if unit and unit not in self.places:
            self.places[unit] = self._units[unit] = p.provisional(unit)
            self.work.save(store.PLACES, self.places[unit])

    def room_is_known(self, room: Room) -> bool:
        """Whether a table (places or roll) lists the room."""
        if room.path in self.places:
            return not self.places[room.path].provisional
        return any(not h.provisional for h in self._in_room.get(room.path, {}).values())

    # -- persons ------------------------------------------------------------------------------

    def fingerprint(self, document_type: DocumentType, number: str) -> str:
        """The keyed hash by which a document is found."""
        found: str = self.vault.fingerprint(f"{document_type.value}:{number}")
        return found

    def fingerprints(self, number: str) -> list[str]:
        """A number whose document's type nobody said."""
        return [self.fingerprint(kind, number) for kind in DocumentType]

    def person_by_document(self, fingerprints: Iterable[str]) -> Person | None:
        """Whom one of these documents names."""
        for fingerprint in fingerprints:
            if fingerprint in self._by_document:
                return self._persons[self._by_document[fingerprint]]
        return None

    def person(self, person_id: str) -> Person | None:
        """A loaded person."""
        return self._persons.get(person_id)

    def name_person(
        self,
        person_id: str,
        identity: Identity,
        texts: Mapping[str, Any],
        sealed: bytes | None = None,
    ) -> Person:
        """The person as named now, saved when anything is new.

        `texts` are the personal facts; `sealed` is a sealing that already holds them all, so that
        nothing is sealed twice.
        """
        known = self._persons.get(person_id)
        facts = self.vault.fingerprint("|".join(f"{k}={v}" for k, v in sorted(texts.items())))
        person = known
        if known is None:
            sealed = sealed or self.vault.seal(dict(texts))
            person = Person(person_id=person_id, sealed=sealed, facts=facts)
        elif known.facts != facts:
            told = {k: v for k, v in texts.items() if v is not None}
            sealed = self.vault.seal({**self.vault.open(known.sealed), **told})
            person = replace(known, sealed=sealed, facts=facts)
        assert person is not None  # noqa: S101 - for the type checker
        if identity.number and identity.document_type:
            mark = self.fingerprint(identity.document_type, identity.number)
            person = linked(
                person, Identifier(document_type=identity.document_type, fingerprint=mark)
            )
        if person is not known:
            self.work.save(store.PERSONS, person)
            self._know(person)
        return person

    # -- homes --------------------------------------------------------------------------------

    def sole_household(self, room: Room) -> str:
        """The room's one household; where there are several or none, the room's own."""
        here = self._in_room.get(room.path, {})
        return next(iter(here)) if len(here) == 1 else r.household_id_of("", room.path, None)

    def keep_household(
        self, household_id: str, room: Room, floor: int | None, *, provisional: bool
    ) -> Household:
        """The household in its room, saved when it is new or became certain."""
        known = self.households.get(household_id)
        household = Household(
            household_id=household_id,
            building=room.building,
            room_path=room.path,
            unit=room.unit,
            room=room.room,
            floor=floor if floor is not None else (known.floor if known else None),
            provisional=provisional and (known is None or known.provisional),
        )
        if household != known:
            self.work.save(store.HOUSEHOLDS, household)
            self._house(household)
        return household

    def given_household(self, household_id: str, room: Room, field: str) -> str:
        """A household that a request names by id, when it lives in that room.

        Raises:
            NotFound, InvalidPayload: it does not exist; it lives elsewhere.
        """
        known = self.households.get(household_id)
        if known is None:
            raise no_such("household", household_id, field)
        if known.room_path != room.path:
            raise InvalidPayload.of(field, "lives in another room")
        return household_id

    # -- residences ---------------------------------------------------------------------------

    def residences(self, person_id: str) -> dict[str, Residence]:
        """A person's residences by household, ended ones included."""
        return self._residences.get(person_id, {})

    def put(self, residence: Residence | None, *, announce: bool = True) -> None:
        """Save a residence that changed; `announce` puts it into `resident.registered`."""
        if residence is None:
            return
        self._residences.setdefault(residence.person_id, {})[residence.household_id] = residence
        self.work.save(store.RESIDENCES, residence)
        if announce:
            self._changed[residence.residence_id] = residence

    def move(self, person: Person, ended: Residence, began: Residence) -> Person:
        """End one residence for another and say so."""
        moved = replace(person, moves=person.moves + 1)
        self.work.save(store.PERSONS, moved)
        self._know(moved)
        self.put(ended, announce=False)
        self.put(began, announce=False)
        event = ResidentMoved(
            person_id=person.person_id,
            ended=r.snapshot(ended),
            began=r.snapshot(began),
            revision=moved.moves,
        )
        self.work.publish(event, place=began.building)
        return moved

    # -- announcing ---------------------------------------------------------------------------

    def announce(self) -> str:
        """Publish what changed, per building in chunks; returns the batch's id."""
        batch = natural_id("batch", self.work.causation_id)
        announce_places(self.work, self._units.values(), batch)
        announce_residents(self.work, batch, self._changed.values())
        self._changed, self._units = {}, {}
        return batch
