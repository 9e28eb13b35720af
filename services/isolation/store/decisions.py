"""Queries over what isolation decided: seals, rolls, orders, and their clocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lianfang.days import day_of
from lianfang.places import ancestors
from lianfang.runtime.documents import Reader
from lianfang.vocabulary import OrderState, SealState
from services.isolation.domain.facts import Residence
from services.isolation.domain.orders import OPEN as OPEN_ORDERS
from services.isolation.domain.orders import Order
from services.isolation.domain.roll import Sheet
from services.isolation.domain.seals import OPEN as OPEN_SEALS
from services.isolation.domain.seals import Seal
from services.isolation.store.collections import (
    ORDERS,
    SEALS,
    SHEETS,
)
from services.isolation.store.facts import below


def orders_of(reader: Reader, persons: Iterable[str]) -> dict[str, list[Order]]:
    """All orders these persons ever had, by person, in the order of their episodes."""
    found: dict[str, list[Order]] = {}
    for order in reader.find(ORDERS, {"person_id": {"$in": sorted(set(persons))}}):
        found.setdefault(order.person_id, []).append(order)
    return found


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


def seals_where(place: str | None, state: SealState | None) -> dict[str, Any]:
    """The filter of seals that touch a place and are in a state; both may be left out."""
    where: dict[str, Any] = {}
    if place is not None:
        where["$or"] = [{"buildings": place}, {"buildings": {"$elemMatch": below(place)}}]
    if state is not None:
        where["state"] = state
    return where


def orders_where(request: Mapping[str, Any]) -> dict[str, Any]:
    """The filter of orders that a request describes."""
    where = {
        field: request[field]
        for field in ("seal_id", "building", "person_id", "measure", "state")
        if request.get(field) is not None
    }
    if request.get("open") is not None:
        where["is_open"] = request["open"]
    if request.get("place") is not None:
        place = request["place"]
        where["$or"] = [{"building": place}, {"building": below(place)}]
    return where


def count_orders(reader: Any, where: Mapping[str, Any]) -> dict[str, Any]:
    """Open orders by measure, all orders by state, and how many are open."""
    group = {"measure": "$measure", "state": "$state", "is_open": "$is_open"}
    pipeline = [{"$match": dict(where)}, {"$group": {"_id": group, "n": {"$sum": 1}}}]
    by_measure: Counter[str] = Counter()
    by_state: Counter[str] = Counter()
    for row in reader.raw(ORDERS.name).aggregate(pipeline):
        kind, n = row["_id"], row["n"]
        by_state[kind["state"]] += n
        if kind["is_open"]:
            by_measure[kind["measure"]] += n
    return {
        "by_measure": dict(by_measure),
        "by_state": dict(by_state),
        "open": sum(by_measure.values()),
    }


def climbing(reader: Reader, now: datetime, limit: int) -> Sequence[str]:
    """Seals whose order clock has struck."""
    struck = [
        {
            "state": {"$in": [SealState.PROPOSED, SealState.PROVISIONAL]},
            "climbs_at": {"$lte": now},
        },
        {"state": SealState.PROVISIONAL, "lapses_at": {"$lte": now}},
    ]
    where = {"$or": struck}
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
