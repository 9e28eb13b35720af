"""Asks the services what one case brought about, in the same words as the ledger."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lianfang.demo.desk import Desk
from lianfang.demo.ledger import Expected

#: A seal in one of these closes its building.
CLOSED = ("provisional", "ordered", "approved", "release_due")


def found_of(desk: Desk, case_id: str, building: str) -> Expected:
    """Seal, orders, contacts and tasks of one case in its building."""
    seal = desk.ask("isolation.get_seal", building=building)
    orders = open_orders(desk, seal_id=seal["seal_id"])
    contacts = contacts_of(desk, case_id)
    tasks = desk.ask("dispatch.count_tasks", correlation_id=case_id)["by_kind"]
    return Expected(
        seals=len(closing_seals(desk, building)),
        orders=len(orders),
        orders_by_measure=dict(Counter(order["measure"] for order in orders)),
        households=seal["households"],
        persons=seal["persons"],
        contacts=len(contacts),
        contacts_by_category=dict(Counter(c["category"] for c in contacts)),
        contacts_by_kind=dict(sorted(Counter(c["kind"] for c in contacts).items())),
        tasks=sum(tasks.values()),
        tasks_by_kind=dict(sorted(tasks.items())),
        due_on=seal["due_on"],
    )


def closing_seals(desk: Desk, place: str) -> list[dict[str, Any]]:
    """The seals at a place that close something now."""
    seals = desk.all("isolation.find_seals", "seals", place=place)
    return [seal for seal in seals if seal["state"] in CLOSED]


def open_orders(desk: Desk, **where: Any) -> list[dict[str, Any]]:
    """The orders that stand."""
    return list(desk.all("isolation.find_orders", "orders", open=True, **where))


def contacts_of(desk: Desk, case_id: str) -> list[dict[str, Any]]:
    """The contacts of a case."""
    return list(desk.all("screening.find_contacts", "contacts", case_id=case_id))


def served_households(desk: Desk, seal_id: str) -> int:
    """How many households of the seal have every order of theirs served."""
    served: dict[str, bool] = {}
    for order in open_orders(desk, seal_id=seal_id):
        household = order["household_id"]
        is_served = order["state"] != "ordered" or not order["at_home"]
        served[household] = served.get(household, True) and is_served
    return sum(served.values())


def waiting_by_level(desk: Desk, place: str) -> Counter[str]:
    """Tasks that nobody finished, by the level to which they climbed."""
    waiting: Counter[str] = Counter()
    for state in ("open", "assigned"):
        tasks = desk.all("dispatch.find_tasks", "tasks", state=state, place=place)
        waiting.update(task["level"] for task in tasks)
    return waiting


def parked(desk: Desk) -> int:
    """How many messages lie parked."""
    messages = desk.all("journal.find_parked", "parked", state="parked")
    return sum(1 for _ in messages)
