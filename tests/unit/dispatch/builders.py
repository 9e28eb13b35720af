"""Rules, households and tasks for the tests of dispatch's domain."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianfang.events.isolation import Cause, OrderSnapshot
from lianfang.places import Level
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState, Role
from services.dispatch.domain.households import Household, learn_orders
from services.dispatch.domain.rounds import Scope, ScopeKind
from services.dispatch.domain.rules import (
    TASK_KINDS,
    DispatchRules,
    Escalation,
    RoundTemplate,
    TaskTemplate,
)
from services.dispatch.domain.task import Task, TaskAudit, TaskState

ENCLOSURE = "4403.nanshan.440305001.440305001012.e01"
BUILDING = f"{ENCLOSURE}.b01"
NOW = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
TODAY = date(2020, 2, 3)
RULES = DispatchRules(
    version="test",
    tasks={kind: TaskTemplate(roles=(Role.HEALTH,), due_minutes=120) for kind in TASK_KINDS},
    escalation=Escalation(step_minutes=dict.fromkeys(Level, 60), no_team_minutes=15),
    rounds={
        "seal": {
            "head_count": RoundTemplate(slots={"all": 24}, once=True),
            "meal": RoundTemplate(slots={"lunch": 14, "dinner": 20}),
            "medicine": RoundTemplate(slots={"day": 20}, needs=(Need.CHRONIC_MEDICINE,)),
            "sampling": RoundTemplate(slots={"day": 18}, days=(1, 13)),
        },
        "home": {
            "temperature": RoundTemplate(slots={"am": 12}),
            "sampling": RoundTemplate(
                slots={"day": 18}, days=(1,), catch_up_on=TODAY + timedelta(days=9)
            ),
        },
    },
)
SEAL = Scope(scope_id="seal-1", kind=ScopeKind.SEAL, place=BUILDING, day_one_on=TODAY)


def order(person: str = "p1", **facts: Any) -> OrderSnapshot:
    """An order of the household `h1`."""
    known: dict[str, Any] = {
        "order_id": f"o-{person}",
        "person_id": person,
        "household_id": "h1",
        "building": BUILDING,
        "measure": Measure.SEALED,
        "state": OrderState.ORDERED,
        "start_on": TODAY,
        "due_on": TODAY + timedelta(days=13),
        "causes": (Cause(kind=CauseKind.SEAL, id="seal-1", due_on=TODAY),),
        "revision": 1,
        "seal_id": "seal-1",
    }
    return OrderSnapshot(**{**known, **facts})


def household(*orders: OrderSnapshot, household_id: str = "h1") -> Household:
    """A household that heard of these orders."""
    return learn_orders(Household(household_id=household_id, building=BUILDING), orders)


def task(state: TaskState = TaskState.ASSIGNED, **facts: Any) -> Task:
    """A task in some state."""
    known: dict[str, Any] = {
        "task_id": "t1",
        "kind": "gate_post",
        "place": BUILDING,
        "cause_kind": CauseKind.SEAL,
        "cause_id": "seal-1",
        "state": state,
        "level": Level.ENCLOSURE,
        "roles": (Role.HEALTH,),
        "due_at": NOW + timedelta(hours=2),
        "clock_at": NOW + timedelta(hours=2),
        "opened_by": "e1",
        "policy_version": "test",
        "audit": TaskAudit(correlation_id="c1", shown=True, opened_at=NOW),
        "team_id": "team-1",
    }
    return Task(**{**known, **facts})
