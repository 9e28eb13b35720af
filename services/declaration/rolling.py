"""Rows of the residents' roll compared with what is known, imported or listed as duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from lianfang.errors import InvalidPayload, LianfangError
from services.declaration.domain import documents
from services.declaration.domain import form as f
from services.declaration.domain import residence as r
from services.declaration.domain.form import Identity
from services.declaration.domain.importing import Import, Refusal, Tally
from services.declaration.domain.person import id_of_document, id_without_document, is_minor
from services.declaration.domain.residence import Residence
from services.declaration.enrolling import texts
from services.declaration.importing import refusal
from services.declaration.registry import Registry, Room, no_such, room_of
from services.declaration.rows import ResidentRow, Row, read_resident


@dataclass(slots=True)
class _Entry:
    """One row on its way."""

    told: ResidentRow
    identity: Identity
    room: Room
    household_id: str
    person_id: str
    fingerprint: str | None
    guardian_prints: Sequence[str]


def take_residents(
    work: Any, vault: Any, current: Import, rows: Sequence[tuple[int, Row]], tally: Tally
) -> None:
    """Import the residents of these rows; one person counts once, wherever the rows stand."""
    registry = Registry(work, vault)
    entries: list[_Entry] = []
    for n, row in rows:
        try:
            entries.append(_entry(registry, read_resident(n, row)))
        except LianfangError as error:
            tally.refuse(refusal(n, error))
    _load(registry, entries)
    taken: set[str] = set()
    coming = {e.fingerprint: e.person_id for e in entries if e.fingerprint}
    for entry in entries:
        try:
            _take(registry, current, entry, taken, coming, tally)
        except LianfangError as error:
            tally.refuse(refusal(entry.told.row, error))
    registry.announce()


def _entry(registry: Registry, told: ResidentRow) -> _Entry:
    work = registry.work
    identity = f.identify(
        name=told.name,
        document=(told.document_type, told.document_number),
        gender=told.gender,
        birth_on=told.birth_on,
        today=work.today,
        fields="",
    )
    if told.stays_since is not None and told.stays_since > work.now:
        raise InvalidPayload.of("stays_since", "lies in the future")
    room = room_of(told.building, told.unit, told.room, "")
    household_id = r.household_id_of(told.building, room.path, told.household)
    mark = None
    if identity.number and identity.document_type:
        mark = registry.fingerprint(identity.document_type, identity.number)
        person_id = id_of_document(mark)
    else:
        name_mark = registry.vault.fingerprint(f"name:{identity.name}")
        person_id = id_without_document(household_id, name_mark, identity.born)
    guardian = told.guardian_document_number
    prints = registry.fingerprints(documents.normalise(guardian)) if guardian else ()
    return _Entry(told, identity, room, household_id, person_id, mark, prints)


def _load(registry: Registry, entries: Sequence[_Entry]) -> None:
    registry.load_places(x for e in entries for x in (e.room.building, e.room.unit_path))
    prints = [e.fingerprint for e in entries if e.fingerprint]
    prints += [mark for e in entries for mark in e.guardian_prints]
    registry.load_persons(prints, [e.person_id for e in entries if not e.fingerprint])
    registry.load_homes((), {e.household_id: None for e in entries})


def _take(
    registry: Registry,
    current: Import,
    entry: _Entry,
    taken: set[str],
    coming: dict[str | None, str],
    tally: Tally,
) -> None:
    told = entry.told
    registry.stand(entry.room, "building")
    guardian_id = _guardian(registry, entry, coming)
    found = registry.person_by_document([entry.fingerprint]) if entry.fingerprint else None
    person_id = found.person_id if found else entry.person_id
    repeated = _repeated(registry, current, entry, person_id, person_id in taken)
    if repeated:
        field = "document_number" if entry.fingerprint else "name"
        tally.repeat(Refusal(row=told.row, field=field, code="duplicate", reason=repeated))
        return
    taken.add(person_id)
    registry.name_person(person_id, entry.identity, texts(entry.identity, told.phone))
    registry.keep_household(entry.household_id, entry.room, told.floor, provisional=False)
    known = registry.residences(person_id).get(entry.household_id)
    changed = r.revised(known, _wanted(registry, current, entry, person_id, guardian_id, known))
    registry.put(changed)
    tally.imported += changed is not None
    tally.unchanged += changed is None


def _guardian(registry: Registry, entry: _Entry, coming: dict[str | None, str]) -> str | None:
    if not entry.guardian_prints:
        return None
    known = registry.person_by_document(entry.guardian_prints)
    if known is not None:
        return known.person_id
    for mark in entry.guardian_prints:
        if mark in coming:
            return coming[mark]
    raise no_such("person", "of that document", "guardian_document_number")


def _repeated(
    registry: Registry, current: Import, entry: _Entry, person_id: str, in_this_call: bool
) -> str | None:
    """Why the row is a duplicate, if it is: in the file, or living elsewhere in the store."""
    if in_this_call:
        return "stands in a former row of the file"
    homes = registry.residences(person_id).values()
    if any(x.import_id == current.import_id and x.ended_at is None for x in homes):
        return "stands in a former row of the file"
    if any(
        x.household_id != entry.household_id and x.ended_at is None and x.kind is entry.told.kind
        for x in homes
    ):
        return "is registered in another household"
    return None


def _wanted(  # a row beside what is known
    registry: Registry,
    current: Import,
    entry: _Entry,
    person_id: str,
    guardian_id: str | None,
    known: Residence | None,
) -> Residence:
    told, room, work = entry.told, entry.room, registry.work
    if known is None or known.ended_at is not None:
        fresh = Residence(
            residence_id=r.residence_id_of(person_id, entry.household_id),
            person_id=person_id,
            household_id=entry.household_id,
            building=room.building,
            room_path=room.path,
            unit=room.unit,
            room=room.room,
        )
        base = r.reopened(known, fresh)
    else:
        base = known
    if base.presence_source is None and base.presence is not told.presence:
        base = replace(base, presence=told.presence, presence_at=work.now)
    born = entry.identity.born
    return replace(
        base,
        room_path=room.path,
        unit=room.unit,
        room=room.room,
        floor=told.floor,
        kind=told.kind,
        needs=told.needs,
        stays_since=told.stays_since or base.stays_since,
        is_minor=is_minor(born, work.today),
        guardian_id=guardian_id,
        import_id=current.import_id,
    )
