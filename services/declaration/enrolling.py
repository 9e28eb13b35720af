"""Residents registered at the door or by the office, without a form of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lianfang.errors import InvalidPayload
from lianfang.vocabulary import PresenceSource
from services.declaration import store
from services.declaration.announcing import announce_sightings
from services.declaration.domain import form as f
from services.declaration.domain import place as p
from services.declaration.domain import residence as r
from services.declaration.domain.form import Identity
from services.declaration.domain.person import Person, id_of_document, is_minor
from services.declaration.domain.residence import Residence, Seen
from services.declaration.registry import Registry, Room, no_such, room_of


@dataclass(slots=True)
class _Entry:
    """One resident on the way."""

    told: Mapping[str, Any]
    fields: str
    identity: Identity
    room: Room
    fingerprint: str | None


def register(work: Any, vault: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """Register every resident, or none; rooms that no table knows are provisional.

    Raises:
        InvalidPayload, NotFound: naming the resident and the field.
    """
    registry = Registry(work, vault)
    building = request["building"]
    entries = [
        _entry(registry, building, told, f"residents.{n}.")
        for n, told in enumerate(request["residents"])
    ]
    _load(registry, entries)
    source = request["source"]
    answers, seen = [], []
    for entry in entries:
        registry.stand(entry.room, "building")
        unknown = not registry.room_is_known(entry.room)
        residence = _register(registry, entry, provisional=unknown)
        if entry.told["seen_at"] and source:
            residence = _look(registry, residence, source, entry.told["seen_at"])
            seen.append(residence)
        answers.append(
            {
                "person_id": residence.person_id,
                "household_id": residence.household_id,
                "residence_id": residence.residence_id,
                "provisional_room": unknown,
            }
        )
    batch = registry.announce()
    if source:
        announce_sightings(work, batch, source, seen)
    return {"batch_id": batch, "residents": answers}


def _entry(registry: Registry, building: str, told: Mapping[str, Any], fields: str) -> _Entry:
    work = registry.work
    identity = f.identify(
        name=told["name"],
        document=(told["document_type"], told["document_number"]),
        gender=told["gender"],
        birth_on=told["birth_on"],
        today=work.today,
        fields=fields,
    )
    for field in ("stays_since", "seen_at"):
        if told[field] is not None and told[field] > work.now:
            raise InvalidPayload.of(f"{fields}{field}", "lies in the future")
    mark = None
    if identity.number and identity.document_type:
        mark = registry.fingerprint(identity.document_type, identity.number)
    room = room_of(building, told["unit"], told["room"], fields)
    return _Entry(told, fields, identity, room, mark)


def _load(registry: Registry, entries: Sequence[_Entry]) -> None:
    registry.load_places(
        path for e in entries for path in (e.room.building, e.room.unit_path, e.room.path)
    )
    registry.load_persons(
        [e.fingerprint for e in entries if e.fingerprint],
        [e.told["guardian_id"] for e in entries if e.told["guardian_id"]],
    )
    labels = [_labelled(e) for e in entries if e.told["household"]]
    given = [e.told["household_id"] for e in entries]
    registry.load_homes([e.room for e in entries], [*given, *labels])


def _labelled(entry: _Entry) -> str:
    return r.household_id_of(entry.room.building, entry.room.path, entry.told["household"])


def _register(registry: Registry, entry: _Entry, *, provisional: bool) -> Residence:
    told, work = entry.told, registry.work
    guardian = told["guardian_id"]
    if guardian and registry.person(guardian) is None:
        raise no_such("person", guardian, f"{entry.fields}guardian_id")
    if provisional and entry.room.path not in registry.places:
        registry.places[entry.room.path] = p.provisional(entry.room.path)
        work.save(store.PLACES, registry.places[entry.room.path])
    known = registry.person_by_document([entry.fingerprint]) if entry.fingerprint else None
    if known is not None:
        person_id = known.person_id
    else:
        person_id = id_of_document(entry.fingerprint) if entry.fingerprint else work.new_id()
    person = registry.name_person(person_id, entry.identity, texts(entry.identity, told["phone"]))
    household_id = _household_of(registry, entry, person_id)
    registry.keep_household(household_id, entry.room, told["floor"], provisional=provisional)
    residence = _wanted(registry, entry, person, household_id)
    changed = r.revised(registry.residences(person_id).get(household_id), residence)
    registry.put(changed)
    return changed or residence


def _household_of(registry: Registry, entry: _Entry, person_id: str) -> str:
    told = entry.told
    if told["household_id"]:
        field = f"{entry.fields}household_id"
        return registry.given_household(told["household_id"], entry.room, field)
    if told["household"]:
        return _labelled(entry)
    for residence in registry.residences(person_id).values():
        if residence.room_path == entry.room.path and residence.ended_at is None:
            return residence.household_id
    return registry.sole_household(entry.room)


def _wanted(registry: Registry, entry: _Entry, person: Person, household_id: str) -> Residence:
    told, identity, room = entry.told, entry.identity, entry.room
    known = registry.residences(person.person_id).get(household_id)
    fresh = Residence(
        residence_id=r.residence_id_of(person.person_id, household_id),
        person_id=person.person_id,
        household_id=household_id,
        building=room.building,
        room_path=room.path,
        unit=room.unit,
        room=room.room,
    )
    base = r.reopened(known, fresh)
    since = told["stays_since"]
    earliest = min(filter(None, (base.stays_since, since)), default=None)
    return replace(
        base,
        floor=told["floor"] if told["floor"] is not None else base.floor,
        kind=told["kind"],
        needs=tuple(told["needs"]) or base.needs,
        stays_since=earliest,
        guardian_id=told["guardian_id"] or base.guardian_id,
        is_minor=is_minor(identity.born, registry.work.today) if identity.born else base.is_minor,
    )


def _look(
    registry: Registry, residence: Residence, source: PresenceSource, seen_at: datetime
) -> Residence:
    """The residence with its person seen there; a revision of its own beside the registration."""
    sighting = Seen(presence=r.PRESENT, seen_at=seen_at, source=source)
    looked = r.seen(residence, sighting)
    registry.put(looked)
    return looked or residence


def texts(identity: Identity, phone: str | None) -> dict[str, Any]:
    """What a person's sealed record holds."""
    return {
        "name": identity.name,
        "document_number": identity.number,
        "phone": phone,
        "gender": identity.gender.value if identity.gender else None,
        "birth_on": identity.born.isoformat() if identity.born else None,
    }
