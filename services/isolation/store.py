"""Where isolation keeps what it knows and what it decided, and how it finds it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from lianfang.days import day_of
from lianfang.places import ancestors
from lianfang.runtime.documents import Collection, Index, Reader
from lianfang.vocabulary import OrderState, SampleResult, SealState
from services.isolation.domain.cases import Case
from services.isolation.domain.doors import Door
from services.isolation.domain.facts import (
    Complaint,
    DoneTask,
    Person,
    Place,
    Residence,
    Sample,
)
from services.isolation.domain.foci import Focus
from services.isolation.domain.orders import OPEN as OPEN_ORDERS
from services.isolation.domain.orders import Order
from services.isolation.domain.pauses import Pause
from services.isolation.domain.roll import Sheet
from services.isolation.domain.seals import OPEN as OPEN_SEALS
from services.isolation.domain.seals import Seal

PLACES = Collection("places", Place, "path", [Index("exits")])
RESIDENCES = Collection(
    "residences",
    Residence,
    "residence_id",
    [
        Index("building"),
        Index("person_id"),
        Index("household_id"),
        Index("guardian_id", where={"guardian_id": {"$type": "string"}}),
    ],
)
PERSONS = Collection("persons", Person, "person_id", [Index("contacts.case_id")])
CASES = Collection("cases", Case, "case_id", [Index("stays.place")])
DOORS = Collection("doors", Door, "door_id", [Index("building")])
SAMPLES = Collection("samples", Sample, "sample_id", [Index("person_ids", "collected_at")])
COMPLAINTS = Collection("complaints", Complaint, "report_id", [Index("person_id", "reported_at")])
DONE_TASKS = Collection("done_tasks", DoneTask, "task_id", [Index("cause_id"), Index("person_ids")])
SEALS = Collection(
    "seals",
    Seal,
    "seal_id",
    [
        Index("buildings"),
        Index("anchor", "episode", unique=True),
        Index("causes"),
        Index("state", "climbs_at"),
        Index("state", "due_on"),
        Index("imposed_at"),
        Index("batches"),
    ],
)
SHEETS = Collection("sheets", Sheet, "sheet_id", [Index("seal_id")])
ORDERS = Collection(
    "orders",
    Order,
    "order_id",
    [
        Index("person_id"),
        Index("seal_id"),
        Index("building"),
        Index("is_open", "due_on"),
    ],
)
FOCI = Collection("foci", Focus, "focus_id")
PAUSES = Collection("pauses", Pause, "place")


# -- places and cases ---------------------------------------------------------------------------


def places_for(reader: Reader, buildings: Iterable[str]) -> dict[str, Place]:
    """The buildings with their units, their ancestors, and all that shares an exit with them."""
    found: dict[str, Place] = {}
    for building in sorted(set(buildings)):
        under = {"_id": {"$gte": building + ".", "$lt": building + "/"}}
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
            {"stays.place": {"$gte": building + ".", "$lt": building + "/"}},
        ]
    if not clauses:
        return []
    return sorted(reader.find(CASES, {"$or": clauses}), key=lambda case: case.case_id)


# -- people ---------------------------------------------------------------------------------------


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


def orders_of(reader: Reader, persons: Iterable[str]) -> dict[str, list[Order]]:
    """All orders these persons ever had, by person, in the order of their episodes."""
    found: dict[str, list[Order]] = {}
    for order in reader.find(ORDERS, {"person_id": {"$in": sorted(set(persons))}}):
        found.setdefault(order.person_id, []).append(order)
    return found


# -- seals ----------------------------------------------------------------------------------------


def seals_touching(reader: Reader, buildings: Iterable[str]) -> list[Seal]:
    """All seals, ended ones too, that touch one of these buildings, oldest first."""
    found = reader.find(SEALS, {"buildings": {"$in": sorted(set(buildings))}})
    return sorted(found, key=lambda seal: (seal.imposed_at, seal.seal_id))


def open_seals(reader: Reader, buildings: Iterable[str]) -> list[Seal]:
    """The seals that are not over and touch one of these buildings."""
    where = {"buildings": {"$in": sorted(set(buildings))}, "state": {"$in": list(OPEN_SEALS)}}
    return sorted(reader.find(SEALS, where), key=lambda seal: seal.seal_id)


def automatic_seals(reader: Reader, since: datetime, batch_id: str | None) -> tuple[int, int]:
    """How many seals the rule imposed since then, and how many ever from this laboratory batch."""
    automatic: dict[str, Any] = {"is_manual": False, "state": {"$ne": SealState.PROPOSED}}
    recent = reader.count(SEALS, {**automatic, "imposed_at": {"$gt": since}})
    of_batch = reader.count(SEALS, {**automatic, "batches": batch_id}) if batch_id else 0
    return recent, of_batch


def sealed_near(reader: Reader, paths: Iterable[str], exits: Iterable[str]) -> set[str]:
    """The closed buildings that these places, or their exits, may bear on."""
    places = sorted(set(paths))
    clauses: list[dict[str, Any]] = [
        {"buildings": {"$in": sorted({p for path in places for p in (path, *ancestors(path))})}},
        {"exits": {"$in": sorted(set(exits))}},
    ]
    where = {"state": {"$in": list(OPEN_SEALS)}, "$or": clauses}
    found = {b for seal in reader.find(SEALS, where) for b in seal.buildings}
    return found


def bound_among(reader: Reader, residences: Sequence[Residence]) -> set[str]:
    """Of the people of these residences, those in a closed building or under an open order.

    Guardians of the former count too: what their wards need may except them.
    """
    if not residences:
        return set()
    closed = {
        b for seal in open_seals(reader, {r.building for r in residences}) for b in seal.buildings
    }
    persons = {r.person_id for r in residences} | {
        r.guardian_id for r in residences if r.guardian_id
    }
    where = {"person_id": {"$in": sorted(persons)}, "is_open": True}
    bound = {order.person_id for order in reader.find(ORDERS, where)}
    return bound | {r.person_id for r in residences if r.building in closed}


def sheets_of(reader: Reader, seal_id: str) -> list[Sheet]:
    """The seal's whole roll."""
    return reader.find(SHEETS, {"seal_id": seal_id})


def orders_on(reader: Reader, seal_id: str) -> list[Order]:
    """The open orders of everybody on the seal's roll."""
    return reader.find(ORDERS, {"seal_id": seal_id, "is_open": True})


# -- clocks ---------------------------------------------------------------------------------------


def climbing(reader: Reader, now: datetime, limit: int) -> Sequence[str]:
    """Seals whose order clock has struck."""
    waiting = [SealState.PROPOSED, SealState.PROVISIONAL]
    where = {"state": {"$in": waiting}, "climbs_at": {"$lte": now}}
    return [seal.seal_id for seal in reader.find(SEALS, where, limit=limit)]


def seals_over(reader: Reader, now: datetime, limit: int) -> Sequence[str]:
    """Seals whose last day has ended."""
    where = {
        "state": {"$in": [SealState.ORDERED, SealState.APPROVED]},
        "due_on": {"$lt": _today(now)},
    }
    return [seal.seal_id for seal in reader.find(SEALS, where, limit=limit)]


def orders_over(reader: Reader, now: datetime, limit: int) -> Sequence[str]:
    """Orders outside any seal whose last day has ended; the infected wait for no day."""
    where = {
        "is_open": True,
        "due_on": {"$lt": _today(now)},
        "seal_id": None,
        "state": {"$in": [s for s in OPEN_ORDERS if s != OrderState.RELEASE_DUE]},
        "measure": {"$ne": "isolation"},
    }
    return [order.order_id for order in reader.find(ORDERS, where, limit=limit)]


def _today(now: datetime) -> str:
    return day_of(now).isoformat()


# -- what release waits for -----------------------------------------------------------------------


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
