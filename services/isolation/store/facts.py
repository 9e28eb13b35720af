"""Queries over what other services told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from lianfang.places import ancestors
from lianfang.runtime.documents import Reader
from lianfang.vocabulary import SampleResult
from services.isolation.domain.cases import Case
from services.isolation.domain.evidence import Complaint, DoneTask
from services.isolation.domain.facts import Person, Place, Residence
from services.isolation.store.collections import (
    CASES,
    COMPLAINTS,
    DONE_TASKS,
    PERSONS,
    PLACES,
    RESIDENCES,
    SAMPLES,
)


def places_for(reader: Reader, buildings: Iterable[str]) -> dict[str, Place]:
    """The buildings with their units, their ancestors, and all that shares an exit with them."""
    found: dict[str, Place] = {}
    for building in sorted(set(buildings)):
        under = {"_id": below(building)}
        near = {"_id": {"$in": [building, *ancestors(building)]}}
        for place in reader.find(PLACES, {"$or": [near, under]}):
            found[place.path] = place
    exits = sorted({gate for place in found.values() for gate in place.exits})
    if exits:
        for place in reader.find(PLACES, {"exits": {"$in": exits}}):
            found[place.path] = place
    return found


def cases_staying_in(reader: Reader, buildings: Iterable[str]) -> list[Case]:
    """The cases with a stay in one of these buildings or their units, in the order of their ids."""
    clauses: list[dict[str, Any]] = []
    for building in sorted(set(buildings)):
        clauses += [
            {"stays.place": building},
            {"stays.place": below(building)},
        ]
    if not clauses:
        return []
    return sorted(reader.find(CASES, {"$or": clauses}), key=lambda case: case.case_id)


def residents_of(reader: Reader, buildings: Iterable[str]) -> list[Residence]:
    """Every residence of these buildings, ended ones too."""
    return reader.find(RESIDENCES, {"building": {"$in": sorted(set(buildings))}})


def residences_of(
    reader: Reader, persons: Iterable[str], households: Iterable[str] = ()
) -> list[Residence]:
    """Every residence of these persons, and of everybody in these households."""
    by_person = {"person_id": {"$in": sorted(set(persons))}}
    by_household = {"household_id": {"$in": sorted(set(households))}}
    return reader.find(RESIDENCES, {"$or": [by_person, by_household]})


def wards_of(reader: Reader, persons: Iterable[str]) -> list[Residence]:
    """The residences of those whose guardians these persons are."""
    return reader.find(RESIDENCES, {"guardian_id": {"$in": sorted(set(persons))}})


def contacts_of_case(reader: Reader, case_id: str) -> list[Person]:
    """Everybody who ever was a contact of the case."""
    return reader.find(PERSONS, {"contacts.case_id": case_id})


def below(place: str) -> dict[str, Any]:
    """The range of paths that lie below a place, without the place itself."""
    return {"$gte": place + ".", "$lt": place + "/"}


def sampled_negative(reader: Reader, persons: Iterable[str], since: datetime) -> set[str]:
    """Which of these persons have a negative sample taken since then."""
    where = {"person_ids": {"$in": sorted(set(persons))}, "collected_at": {"$gte": since}}
    negative = {**where, "result": SampleResult.NEGATIVE}
    return {person for sample in reader.find(SAMPLES, negative) for person in sample.person_ids}


def complaints_of(reader: Reader, persons: Iterable[str], since: datetime) -> list[Complaint]:
    """Symptoms reported of these persons since then."""
    where = {"person_id": {"$in": sorted(set(persons))}, "reported_at": {"$gte": since}}
    return reader.find(COMPLAINTS, where)


def done_for(reader: Reader, causes: Iterable[str], persons: Iterable[str]) -> list[DoneTask]:
    """Completed tasks of these causes, or for these persons."""
    clauses = [
        {"cause_id": {"$in": sorted(set(causes))}},
        {"person_ids": {"$in": sorted(set(persons))}},
    ]
    return reader.find(DONE_TASKS, {"$or": clauses})
