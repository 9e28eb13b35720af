"""Plans and their differences: the same set of messages in any order leaves the same tasks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lianfang.vocabulary import Measure, Need, OrderState
from services.dispatch.domain.difference import Difference, Moment, Wanted, difference
from services.dispatch.domain.households import Household, learn_orders, plan_orders
from services.dispatch.domain.task import Task, TaskState
from tests.unit.dispatch.builders import BUILDING, NOW, RULES, household, order

MOMENT = Moment(now=NOW, opened_by="e1", correlation_id="c1")


def compare(wanted: list[Wanted], existing: dict[str, Task]) -> Difference:
    return difference(wanted, existing, RULES, MOMENT)


def kinds(changes: tuple[Task, ...]) -> list[str]:
    return sorted(task.kind for task in changes)


def test_a_facility_order_asks_for_a_visit_and_a_transfer() -> None:
    wanted = plan_orders(household(order(measure=Measure.FACILITY)), NOW)
    changes = compare(wanted, {})
    assert kinds(changes.opened) == ["contact_transfer", "trinity_visit"]
    assert {task.due_at for task in changes.opened} == {NOW + timedelta(hours=2)}


def test_what_is_wanted_and_exists_changes_nothing() -> None:
    wanted = plan_orders(household(order(measure=Measure.HOME)), NOW)
    existing = {task.task_id: task for task in compare(wanted, {}).saved}
    again = compare(wanted, existing)
    assert (again.saved, again.opened, again.cancelled, again.events) == ((), (), (), ())


def test_an_order_that_ended_before_it_was_heard_of_leaves_tombstones() -> None:
    gone = order(measure=Measure.FACILITY, state=OrderState.WITHDRAWN)
    changes = compare(plan_orders(household(gone), NOW), {})
    assert kinds(changes.tombstones) == ["contact_transfer", "trinity_visit"]
    assert (changes.opened, changes.cancelled) == ((), ())


def test_the_earliest_due_time_of_a_task_stands() -> None:
    (want,) = plan_orders(household(order(measure=Measure.HOME)), NOW)
    existing = {task.task_id: task for task in compare([want], {}).saved}
    (earlier,) = compare([replace(want, since=NOW - timedelta(hours=1))], existing).saved
    assert earlier.due_at == NOW + timedelta(hours=1)
    assert compare([replace(want, since=NOW + timedelta(hours=1))], existing).saved == ()


def test_a_recall_is_taken_back_when_the_reason_returns() -> None:
    (want,) = plan_orders(household(order(measure=Measure.HOME)), NOW)
    (task,) = compare([want], {}).saved
    recalled = replace(task, state=TaskState.RECALLED)
    (after,) = compare([want], {task.task_id: recalled}).saved
    assert after.state == TaskState.STARTED


SNAPSHOTS = [
    order("p1", revision=1),
    order("p1", revision=2, measure=Measure.FACILITY, needs=(Need.PET,)),
    order("p1", revision=3, measure=Measure.FACILITY, state=OrderState.WITHDRAWN),
    order("p2", revision=1, needs=(Need.PET,)),
    order("p2", revision=2, state=OrderState.SUPERSEDED),
    order("p2", order_id="o-iso", revision=1, measure=Measure.ISOLATION, needs=(Need.PET,)),
]


def play(snapshots: list[Any]) -> tuple[Household, dict[str, Task]]:
    door = Household(household_id="h1", building=BUILDING)
    tasks: dict[str, Task] = {}
    for snapshot in snapshots:
        door = learn_orders(door, [snapshot])
        for task in compare(plan_orders(door, NOW), tasks).saved:
            tasks[task.task_id] = task
    return door, tasks


def plain(tasks: dict[str, Task]) -> dict[str, tuple[Any, ...]]:
    return {key: (t.kind, t.state, t.due_at, t.seal_id, t.place) for key, t in tasks.items()}


@given(st.permutations(SNAPSHOTS + SNAPSHOTS))
def test_orders_in_any_sequence_end_in_the_same_household_and_tasks(mixed: list[Any]) -> None:
    expected_door, expected_tasks = play(SNAPSHOTS)
    door, tasks = play(mixed)
    assert door == expected_door
    assert plain(tasks) == plain(expected_tasks)
