"""Gathers the facts that one decision about people needs: each collection once, nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lianfang.runtime.work import Work
from lianfang.vocabulary import Need
from services.isolation import store
from services.isolation.domain.cases import Case
from services.isolation.domain.doors import Door, door_id
from services.isolation.domain.facts import Person, Residence
from services.isolation.domain.people import Scene
from services.isolation.domain.scope import covers
from services.isolation.domain.seals import Seal
from services.isolation.domain.turns import Turn


def gather(work: Work, persons: set[str], households: set[str], turns: list[Turn]) -> Scene:
    """The scene of these persons and households, and of everybody behind the turned seals.

    A turned seal brings its whole buildings, its roll, and whoever its doors named.
    """
    people_turns = [turn for turn in turns if turn.concerns_people]
    residences = _whole_buildings(work, people_turns)
    inside = {r.person_id for r in residences.values()}
    apart = (persons | _on_rolls(work, people_turns)) - inside
    if apart or households:
        found = store.residences_of(work, apart, households)
        residences |= {r.residence_id: r for r in found}
        apart |= {r.person_id for r in found if r.household_id in households} - inside
    doors = _doors(work, residences.values(), households, people_turns)
    if people_turns:
        strangers = {p for door in doors.values() for p in door.person_ids} - inside - apart
        apart |= strangers
    else:
        strangers = set()
    left = {r.person_id for r in residences.values() if r.ended_at is not None}
    if left or strangers:
        found = store.residences_of(work, left | strangers)
        residences |= {r.residence_id: r for r in found}
    closing = _closing_seals(work, residences.values(), turns)
    wards = store.wards_of(work, apart) if apart else []
    everybody = tuple(sorted(inside | apart))
    told = work.load(store.PERSONS, everybody)
    return Scene(
        persons=everybody,
        residences=_by_person(residences.values()),
        told=told,
        cases=_cases(work, told, closing),
        orders=store.orders_of(work, everybody),
        doors=doors,
        seals=tuple(closing.values()),
        turned=frozenset(turn.after.seal_id for turn in turns),
        wards=_wards({*residences.values(), *wards}),
    )


def _on_rolls(work: Work, turns: list[Turn]) -> set[str]:
    return {
        entry.person_id
        for turn in turns
        if turn.before is not None
        for sheet in store.sheets_of(work, turn.after.seal_id)
        for entry in sheet.entries
    }


def _whole_buildings(work: Work, turns: list[Turn]) -> dict[str, Residence]:
    scopes = [s.scope for t in turns for s in (t.before, t.after) if s is not None]
    if not scopes:
        return {}
    buildings = {b for t in turns for s in (t.before, t.after) if s for b in s.buildings}
    return {
        r.residence_id: r
        for r in store.residents_of(work, buildings)
        if any(covers(scope, r.path) for scope in scopes)
    }


def _closing_seals(
    work: Work, residences: Iterable[Residence], turns: list[Turn]
) -> dict[str, Seal]:
    """The seals that close these people in, as this decision leaves them."""
    buildings = {r.building for r in residences}
    found = {seal.seal_id: seal for seal in store.open_seals(work, buildings)} if buildings else {}
    found |= {turn.after.seal_id: turn.after for turn in turns}
    return {key: found[key] for key in sorted(found) if found[key].is_closing}


def _doors(
    work: Work, residences: Iterable[Residence], households: set[str], turns: list[Turn]
) -> dict[str, Door]:
    if turns:
        buildings = {b for turn in turns for b in turn.after.buildings}
        return {
            door.door_id: door
            for door in work.find(store.DOORS, {"building": {"$in": sorted(buildings)}})
        }
    pairs = {(r.building, r.household_id) for r in residences}
    pairs |= {(r.building, household) for r in residences for household in households}
    return work.load(store.DOORS, sorted(door_id(*pair) for pair in pairs))


def _cases(work: Work, told: Mapping[str, Person], closing: Mapping[str, Seal]) -> dict[str, Case]:
    ids = {cause for seal in closing.values() for cause in seal.causes}
    for person in told.values():
        ids.update(person.case_ids)
        ids.update(contact.case_id for contact in person.contacts)
    return work.load(store.CASES, sorted(ids))


def _by_person(residences: Iterable[Residence]) -> dict[str, tuple[Residence, ...]]:
    found: dict[str, list[Residence]] = {}
    for residence in residences:
        found.setdefault(residence.person_id, []).append(residence)
    return {
        person: tuple(sorted(theirs, key=lambda r: r.residence_id))
        for person, theirs in found.items()
    }


def _wards(residences: Iterable[Residence]) -> dict[str, tuple[Need, ...]]:
    found: dict[str, set[Need]] = {}
    for residence in residences:
        if residence.guardian_id and residence.is_current and residence.needs:
            found.setdefault(residence.guardian_id, set()).update(residence.needs)
    return {guardian: tuple(sorted(needs)) for guardian, needs in found.items()}
