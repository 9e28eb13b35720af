"""What isolation answers to questions; nothing here writes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from lianfang.days import at
from lianfang.errors import InvalidPayload, NotFound
from lianfang.places import Level, at_level
from lianfang.runtime.documents import Page, Reader
from services.isolation import store
from services.isolation.domain import conditions, orders
from services.isolation.domain.assignment import buildings_of
from services.isolation.domain.conditions import Judgement, Readiness
from services.isolation.domain.orders import Order
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import covers, exits_of, scope_of
from services.isolation.domain.seals import Seal

#: The most ids that an answer lists as blocking one condition.
_LISTED = 500


def the_seal(reader: Reader, seal_id: str) -> Seal:
    """The seal with this id.

    Raises:
        NotFound: there is none.
    """
    seal = reader.get(store.SEALS, seal_id)
    if seal is None:
        raise NotFound.of("seal", seal_id)
    return seal


def seal_asked_for(reader: Reader, request: dict[str, Any]) -> Seal:
    """The seal by its id, or the open (else the last) one of a building.

    Raises:
        NotFound: there is none; InvalidPayload: neither was given.
    """
    if request.get("seal_id"):
        return the_seal(reader, request["seal_id"])
    building = request.get("building")
    if not building:
        raise InvalidPayload.of("seal_id", "give seal_id or building")
    found = store.seals_touching(reader, [building])
    if not found:
        raise NotFound.of("seal of", building)
    still_open = [seal for seal in found if seal.is_open]
    return (still_open or found)[-1]


def the_building(reader: Reader, building: str) -> None:
    """Make sure that we know this building.

    Raises:
        NotFound: no place and no resident of that name was ever told.
    """
    known = reader.get(store.PLACES, building) is not None
    if not known and not store.residents_of(reader, [building]):
        raise NotFound.of("building", building)


def readiness(reader: Reader, seal: Seal, today: date, rules: Rules) -> tuple[Judgement, ...]:
    """The release conditions of a seal as they are now."""
    sheets = store.sheets_of(reader, seal.seal_id)
    on_roll = store.orders_on(reader, seal.seal_id)
    persons = [order.person_id for order in on_roll]
    sampled_since = at(today - timedelta(days=rules.sample_within_days), 0)
    ill_since = at(today - timedelta(days=rules.symptom_free_days), 0)
    facts = Readiness(
        today=today,
        sheets=tuple(sheets),
        orders=tuple(on_roll),
        negative=frozenset(store.sampled_negative(reader, persons, sampled_since)),
        complaints=tuple(store.complaints_of(reader, persons, ill_since)),
        done=tuple(store.done_for(reader, seal.causes, persons)),
    )
    return conditions.judge(seal, facts, rules)


def seal_document(seal: Seal, judgements: tuple[Judgement, ...] = ()) -> dict[str, Any]:
    """A seal as an answer, with its conditions where they were asked for."""
    return {
        **{name: getattr(seal, name) for name in _SEAL_FIELDS},
        "reason": seal.ended_why,
        "waivers": [asdict(waiver) for waiver in seal.waivers],
        "history": [asdict(step) for step in seal.history],
        "conditions": [
            {**asdict(c), "blocked": len(j.blocked_by)}
            for c, j in zip(conditions.shown(judgements, _LISTED), judgements, strict=True)
        ],
    }


_SEAL_FIELDS = (
    "seal_id",
    "state",
    "building",
    "scope",
    "exits",
    "causes",
    "imposed_at",
    "day_one_on",
    "due_on",
    "order_due_at",
    "lapses_at",
    "households",
    "persons",
    "is_manual",
    "level",
    "ordered_by",
    "approved_by",
    "policy_version",
    "revision",
)


def get_seal(reader: Reader, request: dict[str, Any], today: date, rules: Rules) -> dict[str, Any]:
    """The seal with its release conditions while it closes."""
    seal = seal_asked_for(reader, request)
    judged = readiness(reader, seal, today, rules) if seal.is_closing else ()
    return seal_document(seal, judged)


def find_seals(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    """A page of seals, without conditions."""
    page: Page[Seal] = reader.page(
        store.SEALS,
        store.seals_where(request.get("place"), request.get("state")),
        "seal_id",
        request.get("after"),
        request["limit"],
    )
    return {"seals": [seal_document(seal) for seal in page.items], "next": page.next}


def get_seal_roll(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    """Everybody on the seal's roll, household by household."""
    seal = the_seal(reader, request["seal_id"])
    sheets = sorted(store.sheets_of(reader, seal.seal_id), key=lambda s: s.household_id)
    entries = [
        {"household_id": sheet.household_id, **asdict(entry)}
        for sheet in sheets
        for entry in sheet.entries
    ]
    return {"entries": entries}


def preview_seal(
    reader: Reader, request: dict[str, Any], today: date, rules: Rules
) -> dict[str, Any]:
    """What a seal of this building would close, if it were imposed now.

    Raises:
        NotFound: no such building.
    """
    building = request["building"]
    the_building(reader, at_level(building, Level.BUILDING) or building)
    places = store.places_for(reader, [building])
    scope = scope_of(building, places, rules)
    places |= store.places_for(reader, buildings_of(scope))
    inside = [
        r
        for r in store.residents_of(reader, buildings_of(scope))
        if r.is_current and covers(scope, r.path)
    ]
    return {
        "scope": scope,
        "exits": exits_of(scope, places),
        "households": len({r.household_id for r in inside}),
        "persons": len({r.person_id for r in inside}),
        "due_on": today + timedelta(days=rules.seal_days - 1),
        "policy_version": rules.version,
    }


# -- orders ----------------------------------------------------------------------------------------


def order_document(order: Order) -> dict[str, Any]:
    """An order as an answer."""
    return {
        **asdict(orders.snapshot(order)),
        "served_by": order.served_by,
        "served_at": order.served_at,
        "notice": order.notice,
        "is_open": order.is_open,
        "history": [asdict(step) for step in order.history],
    }


def get_order(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    """An order by its id, or the open (else the last) one of a person.

    Raises:
        NotFound: there is none; InvalidPayload: neither was given.
    """
    if request.get("order_id"):
        order = reader.get(store.ORDERS, request["order_id"])
        if order is None:
            raise NotFound.of("order", request["order_id"])
        return order_document(order)
    person_id = request.get("person_id")
    if not person_id:
        raise InvalidPayload.of("order_id", "give order_id or person_id")
    theirs = store.orders_of(reader, [person_id]).get(person_id, [])
    if not theirs:
        raise NotFound.of("order of person", person_id)
    return order_document(max(theirs, key=lambda order: (order.is_open, order.episode)))


def find_orders(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    """A page of orders."""
    where = store.orders_where(request)
    page = reader.page(store.ORDERS, where, "order_id", request.get("after"), request["limit"])
    return {"orders": [order_document(order) for order in page.items], "next": page.next}


def count_orders(reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
    """Open orders by measure, all orders by state."""
    if not request.get("seal_id") and not request.get("place"):
        raise InvalidPayload.of("place", "give seal_id or place")
    return store.count_orders(reader, store.orders_where(request))
