"""Three copies of every message in any order leave the same tasks, rounds and read models."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from lianfang.events.isolation import IsolationOrdered, RollAmended, RollEntry
from lianfang.events.screening import DeclarationAssessed, SymptomReported
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Measure, Need, OrderState, Outcome, RollStatus, Symptom
from tests.component.dispatch import district as d

SEEDS = range(1, 21)
KEPT = (
    "cases",
    "seals",
    "foci",
    "alarms",
    "households",
    "tasks",
    "scopes",
    "rounds",
    "stops",
    "organisations",
    "teams",
    "responsibilities",
)
AUDIT = {
    "revision",
    "history",
    "team_id",
    "assigned_at",
    "recorded_at",
    "updated_at",
    "opened_by",
    "level_history",
    "audit",
}


def state_of(pump: Pump) -> dict[str, Any]:
    """Every document without its audit fields."""
    documents = pump.documents("dispatch")
    return {
        f"{name} {row['_id']}": _kept(row) for name in KEPT for row in documents.raw(name).find()
    }


def _kept(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _kept(inner) for key, inner in value.items() if key not in AUDIT}
    if isinstance(value, list):
        return [_kept(inner) for inner in value]
    return value


def roll(status: RollStatus, revision: int, decision: str) -> RollAmended:
    entry = RollEntry(
        person_id="p9", household_id="h9", status=status, reason="late", revision=revision
    )
    return RollAmended(
        decision_id=decision,
        seal_id=d.SEAL,
        building=d.BUILDING,
        entries=(entry,),
        policy_version="test",
    )


def assessed(outcome: Outcome, revision: int) -> DeclarationAssessed:
    return DeclarationAssessed(
        assessment_id="a-p5",
        declaration_id="d-p5",
        person_id="p5",
        household_id="h3",
        building=d.BUILDING,
        outcome=outcome,
        reasons=(),
        assessed_at=d.START - timedelta(minutes=10 - revision),
        policy_version="test",
        revision=revision,
    )


def symptom(report_id: str, minutes: int) -> SymptomReported:
    return SymptomReported(
        report_id=report_id,
        person_id="p4",
        household_id="h2",
        building=d.BUILDING,
        reported_at=d.START - timedelta(minutes=minutes),
        symptoms=(Symptom.FEVER,),
    )


def beginning() -> list[Any]:
    """A seal, its orders in chunks, then contacts among them, a newcomer, and alarms."""
    pet = (Need.PET, Need.ELDERLY)
    case = d.order("p1", "h1", Measure.ISOLATION, order_id="iso-p1")
    superseded = d.order("p1", "h1", state=OrderState.SUPERSEDED, revision=2)
    outside = d.order("p8", "h8", Measure.FACILITY, seal_id=None, revision=1)
    return [
        d.confirmed(),
        d.imposed(1),
        d.imposed(2, exits=(d.GATE, f"{d.ENCLOSURE}.g2")),
        *d.orders(d.building_orders(), size=2),
        *d.orders([case], "decision-i", IsolationOrdered),
        *d.extended([superseded], "decision-s"),
        *d.extended([d.order("p3", "h2", Measure.FACILITY, needs=pet, revision=2)], "decision-c"),
        *d.extended([d.order("p4", "h2", Measure.FACILITY, revision=2)], "decision-d"),
        *d.extended([outside], "decision-o"),
        roll(RollStatus.DOOR_CHECK, 1, "roll-1"),
        roll(RollStatus.FOUND, 2, "roll-2"),
        assessed(Outcome.HOSPITAL, 1),
        assessed(Outcome.PASS, 2),
        symptom("r1", 5),
        symptom("r2", 9),
    ]


def end() -> list[Any]:
    """The case is discarded: seal, orders and isolation withdrawn, each in its own message."""
    gone = [
        d.order(o.person_id, o.household_id, o.measure, state=OrderState.WITHDRAWN, revision=9)
        for o in d.building_orders()
        if o.person_id != "p1"
    ]
    case = d.order(
        "p1",
        "h1",
        Measure.ISOLATION,
        order_id="iso-p1",
        state=OrderState.WITHDRAWN,
        revision=2,
    )
    return [
        d.discarded(),
        d.withdrawn(),
        *d.ended(gone, size=2),
        *d.ended([case], "decision-x"),
        roll(RollStatus.DOOR_CHECK, 3, "roll-3"),
    ]


def play(pump: Pump, together: bool, **delivery: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state after the beginning and after the end; `together` delivers both at once."""
    pump.reset()
    pump.use("dispatch")
    pump.now = d.START
    d.staff(pump, "enclosure", teams=2)
    d.say(pump, *beginning())
    between: dict[str, Any] = {}
    if not together:
        pump.settle(**delivery)
        between = state_of(pump)
    d.say(pump, *end())
    pump.settle(**delivery)
    assert pump.parked() == []
    return between, state_of(pump)


@cache
def in_order(pump: Pump, together: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The states when each message comes once and in its order."""
    return play(pump, together)


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[Any]:
    """The documents that differ, for a person to read."""
    keys = sorted({*one, *other})
    return [(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)]


@pytest.mark.parametrize("seed", SEEDS)
def test_three_copies_in_any_order_end_in_the_same_state(session_pump: Pump, seed: int) -> None:
    expected = in_order(session_pump, together=False)
    shuffled = play(session_pump, together=False, seed=seed, copies=3)
    assert differing(expected[0], shuffled[0]) == []
    assert differing(expected[1], shuffled[1]) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_even_the_end_may_overtake_the_beginning(session_pump: Pump, seed: int) -> None:
    expected = in_order(session_pump, together=False)[1]
    shuffled = play(session_pump, together=True, seed=seed, copies=3)[1]
    assert differing(expected, shuffled) == []


def test_the_scenario_leaves_work_and_then_none(session_pump: Pump) -> None:
    play(session_pump, together=False)
    by_state = session_pump.call("dispatch.count_tasks", place="4403")["by_state"]
    assert set(by_state) == {"assigned", "cancelled"}
    open_kinds = {task["kind"] for task in d.tasks(session_pump, state="assigned")}
    assert open_kinds == {"trinity_visit", "contact_transfer", "fever_escort"}
