"""What must hold of the whole run: nothing lost on the way, nothing done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from lianfang.demo.desk import Desk
from lianfang.demo.findings import open_orders

_WITHDRAWN = ("cancelled", "recalled")


def lost(desk: Desk, declaration_ids: Iterable[str]) -> int:
    """Declarations that were answered and never published, or never assessed."""
    declared = set(declaration_ids)
    submitted = {event["subject"] for event in _events(desk, "declaration.submitted")}
    assessed = {event["data"]["declaration_id"] for event in _events(desk, "declaration.assessed")}
    return len(declared - submitted) + len(declared - assessed)


def duplicates(desk: Desk, case_ids: Iterable[str], seal_id: str) -> int:
    """Effects that exist twice: events, verdicts, orders of one person, tasks, rounds."""
    events: Counter[Any] = Counter()
    for kind in ("declaration.submitted", "declaration.assessed"):
        for event in _events(desk, kind):
            events[event["event_id"]] += 1
            events[kind, event["subject"]] += 1
    orders = Counter(order["person_id"] for order in open_orders(desk))
    tasks: Counter[Any] = Counter()
    for case_id in case_ids:
        for task in desk.all("dispatch.find_tasks", "tasks", correlation_id=case_id):
            if task["state"] not in _WITHDRAWN:
                tasks[task["kind"], task["cause_id"], task["place"], *task["person_ids"]] += 1
    rounds = Counter(
        (found["kind"], found["on"], found["slot"])
        for found in desk.all("dispatch.find_rounds", "rounds", seal_id=seal_id)
    )
    return sum(_twice(counted) for counted in (events, orders, tasks, rounds))


def _events(desk: Desk, kind: str) -> Iterable[dict[str, Any]]:
    return desk.all("journal.find_events", "events", type=kind)


def _twice(counted: Counter[Any]) -> int:
    return sum(n - 1 for n in counted.values())
