"""Invariants of tasks: each cause has every task it asks for once, and no task outlives its cause.

What a cause asks for is written down here a second time, from what dispatch knows of the cause
(which is itself held against its source).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from lianfang.audit.copies import CLOSED_STATES
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import Verdict, invariant, judged
from lianfang.days import day_of
from lianfang.envelope import natural_id

_GONE = ("cancelled", "recalled")
_UNDONE = ("open", "assigned", "accepted", "started")
_AWAY = ("facility", "isolation")
_VISITED = ("home", "facility")

#: Task ids with whether the cause asks for them now.
Wanted = dict[str, bool]


def _task(cause: str, kind: str, *key: str) -> str:
    return natural_id("task", cause, kind, *key)


# -- what each cause asks for ---------------------------------------------------------------------


def of_case(case: Row) -> Wanted:
    """Report, investigation, transfer while at home, disinfection of each home."""
    if case["decided_at"] is None:
        return {}
    key, stands = case["_id"], not case["discarded"]
    waits = case["custody"] == "at_home" and not case["closed"]
    wanted = {_task(key, "network_report", ""): stands}
    for person in case["persons_ever"]:
        wanted[_task(key, "case_investigation", person)] = stands and person == case["person_id"]
    for person in case["at_home_ever"]:
        mine = stands and waits and person == case["person_id"]
        wanted[_task(key, "case_transfer", person)] = mine
    for home in case["homes_ever"]:
        wanted[_task(key, "terminal_disinfection", home)] = stands and home in case["homes"]
    return wanted


def of_seal(seal: Row) -> Wanted:
    """A post at each exit, head count, notices, and the check when the last day is over."""
    if seal["imposed_at"] is None:
        return {}
    key, closes = seal["_id"], seal["state"] in CLOSED_STATES
    wanted: Wanted = {}
    if seal["imposed"]:
        for gate in seal["exits_ever"]:
            wanted[_task(key, "gate_post", gate)] = closes and gate in seal["exits"]
        wanted |= {_task(key, kind, ""): closes for kind in ("head_count", "serve_notice")}
    for day in seal["release_due"]:
        due = closes and seal["due_on"] is not None and seal["due_on"] <= day
        wanted[_task(key, "release_check", day)] = due
    return wanted


def of_focus(focus: Row) -> Wanted:
    """Disinfect it and ask its keeper."""
    if focus["declared_at"] is None:
        return {}
    kinds = ("focus_disinfection", "keeper_inquiry")
    return {_task(focus["_id"], kind): focus["stands"] for kind in kinds}


def of_alarm(alarm: Row) -> Wanted:
    """One escort per person and day."""
    reported = {_day(report["reported_at"]) for report in alarm["reports"]}
    now = {_day(alarm["verdict_at"])} if alarm["verdict"] == "hospital" else set[str]()
    return {
        natural_id("task", "fever_escort", alarm["_id"], day): day in reported | now
        for day in reported | now | {_day(instant) for instant in alarm.get("hospital_at", ())}
    }


def _day(instant: datetime) -> str:
    return day_of(instant).isoformat()


def of_order(order: Row) -> Wanted:
    """A visit while somebody is at home because of it, a transfer while a bed is owed."""
    counts, wanted = order["open"] and order["at_home"], Wanted()
    if order["visited_ever"]:
        active = counts and order["measure"] in _VISITED
        wanted[_task(order["order_id"], "trinity_visit")] = active
    if order["facility_ever"]:
        active = counts and order["measure"] == "facility"
        wanted[_task(order["order_id"], "contact_transfer")] = active
    return wanted


def of_pet(household: Row) -> Wanted:
    """Picked up while every open order takes its person away."""
    orders = household["orders"]
    if not household["pet_ever"] or not any(order["away_ever"] for order in orders):
        return {}
    standing = [order for order in orders if order["open"]]
    pet = any("pet" in order["needs"] for order in standing)
    away = all(order["measure"] in _AWAY for order in standing)
    return {_task(household["_id"], "pet_pickup"): pet and away}


def of_checks(household: Row, seals: dict[str, Row]) -> Wanted:
    """A look at the door for everybody about whom a standing seal's roll is not sure."""
    wanted: Wanted = {}
    for check in household["checks"]:
        seal = seals.get(check["seal_id"], {"revision": 0})
        over = bool(seal["revision"]) and seal["state"] not in CLOSED_STATES
        if check["checked_ever"]:
            cause = natural_id("resident", check["seal_id"], check["person_id"])
            active = check["status"] == "door_check" and not over
            wanted[_task(cause, "door_check")] = active
    return wanted


_SIMPLE: dict[str, tuple[str, Callable[[Row], Wanted]]] = {
    "case": ("dispatch.cases", of_case),
    "seal": ("dispatch.seals", of_seal),
    "focus": ("dispatch.foci", of_focus),
    "symptom": ("dispatch.alarms", of_alarm),
}


# -- none missing ---------------------------------------------------------------------------------


@invariant(
    "tasks-opened",
    "每个原因所要的任务都在，恰好一项；原因终结的任务都已撤销、召回或完成",
    "every task that a cause asks for is there once, and each that it asks for no more is "
    "cancelled, recalled or done",
    "dispatch",
    "isolation",
)
def tasks_opened(evidence: Evidence) -> Iterator[Verdict]:
    """No task is missing, and none is open for a withdrawn cause."""
    for (task_id, active), found in evidence.beside(
        _all_wanted(evidence), "dispatch.tasks", lambda pair: [pair[0]], "state", "kind"
    ):
        task = found.get(task_id)
        if task is None:
            yield f"{task_id}: missing"
        else:
            wrong = _GONE if active else _UNDONE
            yield judged(task["state"] not in wrong, f"{task['kind']} {task_id}: {task['state']}")


def _all_wanted(evidence: Evidence) -> Iterator[tuple[str, bool]]:
    for source, of in _SIMPLE.values():
        for cause in evidence.rows(source):
            yield from of(cause).items()
    households = evidence.rows("dispatch.households")
    for household, seals in evidence.beside(
        households, "dispatch.seals", _seals_of, "state", "revision"
    ):
        yield from of_pet(household).items()
        yield from of_checks(household, seals).items()
    yield from _wanted_of_orders(evidence)


def _seals_of(household: Row) -> list[str]:
    return [check["seal_id"] for check in household["checks"]]


def _wanted_of_orders(evidence: Evidence) -> Iterator[tuple[str, bool]]:
    """As the household has it to which the order belongs now."""
    orders = evidence.rows("isolation.orders", None, "household_id")
    for order, found in evidence.beside(
        orders, "dispatch.households", lambda o: [o["household_id"]], "orders"
    ):
        for fact in found.get(order["household_id"], {"orders": ()})["orders"]:
            if fact["order_id"] == order["_id"]:
                yield from of_order(fact).items()


# -- none too many --------------------------------------------------------------------------------


@invariant(
    "tasks-caused",
    "每项任务都有要过它的原因",
    "every task has a cause that asked for it",
    "dispatch",
)
def tasks_caused(evidence: Evidence) -> Iterator[Verdict]:
    """A task under an id that nothing asks for would be done twice, or for nobody."""
    for kind, (source, of) in _SIMPLE.items():
        tasks = evidence.rows("dispatch.tasks", {"cause_kind": kind})
        for task, found in evidence.beside(tasks, source, lambda t: [_cause_key(t)]):
            cause = found.get(_cause_key(task))
            fine = cause is not None and task["_id"] in of(cause)
            yield judged(fine, f"{task['kind']} {task['_id']}")
    others = evidence.rows("dispatch.tasks", {"cause_kind": {"$nin": list(_SIMPLE)}})
    for task, found in evidence.beside(
        others, "dispatch.households", lambda t: t["household_ids"][:1]
    ):
        wanted = [_of_household(household) for household in found.values()]
        yield judged(any(task["_id"] in ids for ids in wanted), f"{task['kind']} {task['_id']}")


def _cause_key(task: Row) -> str:
    """The document of the cause: an escort's is its person's."""
    return str(task["person_ids"][0] if task["cause_kind"] == "symptom" else task["cause_id"])


def _of_household(household: Row) -> set[str]:
    ids: set[Any] = {*of_pet(household), *of_checks(household, {})}
    return ids.union(*(of_order(order) for order in household["orders"]))


@invariant(
    "facility-transfers",
    "每名在家候床的须集中隔离者恰有一项转运任务",
    "whoever waits at home for a facility bed has exactly one transfer task",
    "isolation",
    "dispatch",
)
def facility_transfers(evidence: Evidence) -> Iterator[Verdict]:
    """Until there are stations nothing else brings anybody there."""
    waiting = {"is_open": True, "measure": "facility", "at_home": True}
    orders = evidence.rows("isolation.orders", waiting, "_id")
    for order, tasks in evidence.gathered(
        orders, "dispatch.tasks", "cause_id", lambda o: o["_id"], "cause_id", "kind", "state"
    ):
        own = [t for t in tasks if t["kind"] == "contact_transfer" and t["state"] not in _GONE]
        yield judged(len(own) == 1, f"{order['_id']}: {len(own)}")
