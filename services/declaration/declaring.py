"""Declarations taken: who declares, where they stay, what changed by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lianfang.days import to_milliseconds
from lianfang.errors import InvalidPayload
from lianfang.vocabulary import PresenceSource
from services.declaration import store
from services.declaration.domain import documents
from services.declaration.domain import form as f
from services.declaration.domain import residence as r
from services.declaration.domain.declaration import Declaration, declaration_id_of, submitted
from services.declaration.domain.form import Form, Identity
from services.declaration.domain.person import (
    Person,
    id_of_document,
    id_without_document,
    is_minor,
)
from services.declaration.domain.residence import Residence
from services.declaration.enrolling import texts
from services.declaration.registry import Registry, Room, no_such, room_of

#: Whose word about presence a declaration may replace.
_WEAK = (None, PresenceSource.DECLARATION, PresenceSource.PHONE)


@dataclass(slots=True)
class _Entry:
    """One form on its way."""

    form: Form
    fields: str
    identity: Identity
    room: Room
    fingerprint: str | None
    proxy_prints: Sequence[str]


def submit(work: Any, vault: Any, forms: Sequence[Form], several: bool) -> list[Declaration]:
    """Take every form, or none when one cannot be true; in their order.

    Raises:
        InvalidPayload, NotFound: naming the form and the field.
    """
    registry = Registry(work, vault)
    entries = [
        _entry(registry, form, f"forms.{n}." if several else "form.")
        for n, form in enumerate(forms)
    ]
    _load(registry, entries)
    taken = [_declare(registry, entry) for entry in entries]
    registry.announce()
    for declaration in taken:
        work.publish(declaration.facts, place=declaration.facts.building)
    return taken


def _entry(registry: Registry, form: Form, fields: str) -> _Entry:
    work, home = registry.work, form.residence
    identity = f.check(form, work.now, work.today, fields)
    mark = None
    if identity.number and identity.document_type:
        mark = registry.fingerprint(identity.document_type, identity.number)
    proxy = form.basic.proxy
    number = proxy.document_number if proxy and not proxy.person_id else None
    prints = registry.fingerprints(documents.normalise(number)) if number else ()
    room = room_of(home.building, home.unit, home.room, f"{fields}residence.")
    return _Entry(form, fields, identity, room, mark, prints)


def _load(registry: Registry, entries: Sequence[_Entry]) -> None:
    registry.load_places(x for e in entries for x in (e.room.building, e.room.unit_path))
    prints = [e.fingerprint for e in entries if e.fingerprint]
    prints += [mark for e in entries for mark in e.proxy_prints]
    proxies = [e.form.basic.proxy for e in entries if e.form.basic.proxy]
    named = [proxy.person_id for proxy in proxies if proxy.person_id]
    named += [e.form.basic.person_id for e in entries if e.form.basic.person_id]
    registry.load_homes([e.room for e in entries], [e.form.residence.household_id for e in entries])
    without = [_nameless_id(registry, e) for e in entries if not e.fingerprint]
    registry.load_persons(prints, [*named, *without])
    persons = [_person_id(registry, e) for e in entries]
    registry.work.load(store.DECLARATIONS, map(declaration_id_of, persons))


def _nameless_id(registry: Registry, entry: _Entry) -> str:
    """Who has no document is found by name and birthday in the room's household."""
    household = entry.form.residence.household_id or registry.sole_household(entry.room)
    mark = registry.vault.fingerprint(f"name:{entry.identity.name}")
    return id_without_document(household, mark, entry.identity.born)


def _person_id(registry: Registry, entry: _Entry) -> str:
    if entry.fingerprint:
        known = registry.person_by_document([entry.fingerprint])
        if known is not None:
            return known.person_id
    given = entry.form.basic.person_id
    if given:
        if registry.person(given) is None:
            raise no_such("person", given, f"{entry.fields}basic.person_id")
        return given
    if entry.fingerprint:
        return id_of_document(entry.fingerprint)
    return _nameless_id(registry, entry)


def _declare(registry: Registry, entry: _Entry) -> Declaration:
    registry.stand(entry.room, f"{entry.fields}residence.building")
    work, form = registry.work, entry.form
    declared_at = to_milliseconds(form.declared_at) if form.declared_at else work.now
    proxy = _proxy(registry, entry)
    person_id = _person_id(registry, entry)
    household_id = _household_of(registry, entry, person_id, proxy)
    sealed = registry.vault.seal(_texts(entry))
    person = registry.name_person(
        person_id, entry.identity, texts(entry.identity, form.basic.phone), sealed
    )
    registry.keep_household(
        household_id,
        entry.room,
        form.residence.floor,
        provisional=not registry.room_is_known(entry.room),
    )
    residence = _settle(registry, entry, person, household_id, declared_at)
    known = work.get(store.DECLARATIONS, declaration_id_of(person_id))
    declaration = submitted(
        known,
        form,
        residence,
        declared_at=declared_at,
        proxy_person_id=proxy.person_id if proxy else None,
        sealed=sealed,
    )
    work.save(store.DECLARATIONS, declaration)
    return declaration


def _proxy(registry: Registry, entry: _Entry) -> Person | None:
    """Who declares for somebody else: a grown-up who lives in the same room.

    Raises:
        NotFound, InvalidPayload: nobody knows the person; not a grown-up of that home.
    """
    proxy, field = entry.form.basic.proxy, f"{entry.fields}basic.proxy"
    if proxy is None:
        return None
    if proxy.person_id:
        person = registry.person(proxy.person_id)
    else:
        person = registry.person_by_document(entry.proxy_prints)
    if person is None:
        raise no_such("person", proxy.person_id or "of that document", field)
    homes = registry.residences(person.person_id).values()
    here = [x for x in homes if x.room_path == entry.room.path and x.ended_at is None]
    if not here:
        raise InvalidPayload.of(field, "does not live in the declared home")
    if here[0].is_minor:
        raise InvalidPayload.of(field, "is not grown up")
    return person


def _household_of(registry: Registry, entry: _Entry, person_id: str, proxy: Person | None) -> str:
    given = entry.form.residence.household_id
    if given:
        return registry.given_household(given, entry.room, f"{entry.fields}residence.household_id")
    for somebody in (person_id, proxy.person_id if proxy else None):
        for residence in registry.residences(somebody or "").values():
            if residence.room_path == entry.room.path and residence.ended_at is None:
                return residence.household_id
    return registry.sole_household(entry.room)


def _settle(
    registry: Registry, entry: _Entry, person: Person, household_id: str, declared_at: datetime
) -> Residence:
    """The residence that the form tells of; one of the same kind elsewhere ends by it."""
    homes = registry.residences(person.person_id)
    known = homes.get(household_id)
    wanted = _wanted(registry, entry, person, household_id, declared_at, known)
    began = r.revised(known, wanted)
    former = [
        x
        for x in homes.values()
        if x.ended_at is None and x.kind is wanted.kind and x.household_id != household_id
    ]
    for residence in former:
        person = registry.move(person, r.ended(residence, r.MOVED, declared_at), began or wanted)
    if not former:
        registry.put(began)
    return began or known or wanted


def _wanted(
    registry: Registry,
    entry: _Entry,
    person: Person,
    household_id: str,
    declared_at: datetime,
    known: Residence | None,
) -> Residence:
    form, identity, work = entry.form, entry.identity, registry.work
    since = f.stays_since(form, declared_at)
    fresh = Residence(
        residence_id=r.residence_id_of(person.person_id, household_id),
        person_id=person.person_id,
        household_id=household_id,
        building=entry.room.building,
        room_path=entry.room.path,
        unit=entry.room.unit,
        room=entry.room.room,
        guardian_id=person.guardian_id,
    )
    base = r.reopened(known, fresh)
    presence = f.presence(form)
    if base.presence_source in _WEAK and base.presence is not presence:
        base = replace(
            base,
            presence=presence,
            presence_at=declared_at,
            presence_source=PresenceSource.DECLARATION,
        )
    floor = form.residence.floor
    return replace(
        base,
        floor=floor if floor is not None else base.floor,
        kind=form.residence.kind,
        stays_since=min(base.stays_since or since, since),
        needs=form.other.needs,
        is_minor=is_minor(identity.born, work.today) if identity.born else base.is_minor,
        declared=True,
    )


def _texts(entry: _Entry) -> dict[str, Any]:
    """Everything personal in the form, for the one sealing that declaration and person share."""
    form = entry.form
    legs = [
        {"from": leg.from_text, "to": leg.to_text, "number": leg.leg.number}
        for leg in form.person_type.legs
    ]
    return {
        **texts(entry.identity, form.basic.phone),
        "nationality": form.basic.nationality,
        "relationship": form.basic.proxy.relationship if form.basic.proxy else None,
        "emergency_contact": form.person_type.emergency_contact,
        "emergency_phone": form.person_type.emergency_phone,
        "legs": legs,
        "workplace": form.other.workplace,
        "work_since_on": str(form.other.work_since_on or ""),
        "plate": form.other.plate,
    }
