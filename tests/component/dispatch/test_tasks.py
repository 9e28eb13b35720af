"""A task's life in a team's hands, its way up when nobody does it, and its recall."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianfang.errors import IllegalTransition, InvalidPayload, NotFound
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Measure, OrderState
from tests.component.dispatch import district as d

BY = "Worker Invented"


def opened(pump: Pump, kind: str = "network_report") -> str:
    """A case with its tasks; the id of one of them."""
    d.say(pump, d.confirmed())
    pump.settle()
    (task,) = d.tasks(pump, kind=kind)
    task_id: str = task["task_id"]
    return task_id


def move(pump: Pump, task_id: str, *moves: str, **facts: Any) -> dict[str, Any]:
    """A worker's words about a task, one after the other; the task after the last."""
    answer: dict[str, Any] = {}
    for name in moves:
        answer = pump.call(f"dispatch.{name}_task", task_id=task_id, by=BY, **facts)
    return answer


def test_a_task_is_accepted_started_and_completed_and_each_step_is_said(dispatch: Pump) -> None:
    task_id = opened(dispatch)
    assert move(dispatch, task_id, "accept", "start", "complete")["state"] == "completed"
    said = [event.TYPE for event in dispatch.events() if event.TYPE.startswith("task.")]
    assert said == ["task.accepted", "task.started", "task.completed"]
    (completed,) = dispatch.envelopes("task.completed")
    assert completed.correlationid == d.CASE


@pytest.mark.parametrize(
    ("before", "name"),
    [
        ((), "start"),
        ((), "complete"),
        (("accept",), "accept"),
        (("accept",), "complete"),
        (("accept", "start", "complete"), "complete"),
        (("accept", "start", "complete"), "accept"),
    ],
)
def test_a_move_that_is_not_listed_is_refused_and_changes_nothing(
    dispatch: Pump, before: tuple[str, ...], name: str
) -> None:
    task_id = opened(dispatch)
    move(dispatch, task_id, *before)
    state = dispatch.call("dispatch.get_task", task_id=task_id)
    with pytest.raises(IllegalTransition):
        move(dispatch, task_id, name)
    assert dispatch.call("dispatch.get_task", task_id=task_id) == state


def test_a_started_task_cannot_be_refused_and_an_open_one_cannot_fail(dispatch: Pump) -> None:
    task_id = opened(dispatch)
    with pytest.raises(IllegalTransition):
        move(dispatch, task_id, "fail", reason="no road")
    move(dispatch, task_id, "accept", "start")
    with pytest.raises(IllegalTransition):
        move(dispatch, task_id, "refuse", reason="too far")


def test_an_unknown_task_is_not_found(dispatch: Pump) -> None:
    with pytest.raises(NotFound):
        move(dispatch, "nothing", "accept")
    with pytest.raises(NotFound):
        dispatch.call("dispatch.get_task", task_id="nothing")


def test_a_refused_task_goes_to_another_team_and_never_back(dispatch: Pump) -> None:
    d.staff(dispatch, "enclosure", teams=2)
    task_id = opened(dispatch)
    first = dispatch.call("dispatch.get_task", task_id=task_id)["team_id"]
    after = move(dispatch, task_id, "refuse", reason="no vehicle")
    assert after["state"] == "assigned"
    assert {first, after["team_id"]} == {"team-enclosure-1", "team-enclosure-2"}
    last = move(dispatch, task_id, "refuse", reason="no vehicle either")
    assert (last["state"], last["team_id"]) == ("open", None)


def test_a_task_that_cannot_be_done_is_open_one_level_up(dispatch: Pump) -> None:
    d.staff(dispatch, "community")
    task_id = opened(dispatch)
    move(dispatch, task_id, "accept", "start")
    after = move(dispatch, task_id, "fail", reason="the lift is broken")
    assert (after["level"], after["state"]) == ("community", "assigned")
    assert after["team_id"] == "team-community-1"
    (escalated,) = dispatch.events("task.escalated")
    assert (escalated.reason, escalated.told_org_id) == ("not_executable", "org-community")


def test_an_overdue_task_climbs_the_five_levels_each_by_the_clock(dispatch: Pump) -> None:
    for level in ("community", "street", "district", "city"):
        d.staff(dispatch, level)
    opened(dispatch)
    for minutes in (120, 60, 120, 240):
        dispatch.now = dispatch.now + timedelta(minutes=minutes)
        dispatch.tick()
    escalated = [e for e in dispatch.events("task.escalated") if e.kind == "network_report"]
    assert [(e.from_level, e.to_level, e.reason, e.told_org_id) for e in escalated] == [
        ("enclosure", "community", "overdue", "org-community"),
        ("community", "street", "overdue", "org-street"),
        ("street", "district", "overdue", "org-district"),
        ("district", "city", "overdue", "org-city"),
    ]
    assert [e.clock_at - d.START for e in escalated] == [
        timedelta(hours=hours) for hours in (2, 3, 5, 9)
    ]
    (task,) = d.tasks(dispatch, kind="network_report")
    assert (task["level"], task["clock_at"], task["team_id"]) == ("city", None, "team-enclosure-1")


def test_a_task_is_overdue_after_its_time_until_it_is_done(dispatch: Pump) -> None:
    task_id = opened(dispatch)
    dispatch.now = d.at(hours=3)
    (task,) = d.tasks(dispatch, kind="network_report")
    assert task["overdue"] is True
    assert move(dispatch, task_id, "accept", "start", "complete")["overdue"] is False


def test_a_task_that_nobody_can_take_climbs_with_the_reason_no_team(pump: Pump) -> None:
    pump.use("dispatch")
    pump.now = d.START
    d.staff(pump, "enclosure", roles=["community"])
    d.staff(pump, "community")
    opened(pump)
    (task,) = d.tasks(pump, kind="network_report")
    assert (task["state"], task["team_id"]) == ("open", None)
    pump.now = d.START + timedelta(minutes=15)
    pump.tick()
    escalated = [e for e in pump.events("task.escalated") if e.kind == "network_report"]
    assert [(e.reason, e.to_level) for e in escalated] == [("no_team", "community")]
    (task,) = d.tasks(pump, kind="network_report")
    assert (task["state"], task["team_id"]) == ("assigned", "team-community-1")


def test_the_least_loaded_team_on_shift_gets_the_next_task(dispatch: Pump) -> None:
    d.staff(dispatch, "enclosure", teams=3)
    night = [{"from_at": d.at(hours=12), "until_at": d.at(hours=20)}]
    dispatch.call("dispatch.set_roster", team_id="team-enclosure-3", shifts=night)
    d.say(dispatch, d.confirmed(), d.imposed())
    dispatch.settle()
    load = dispatch.call("dispatch.get_workload", place="4403.nanshan")["teams"]
    counts = {team["team_id"]: team["open"] for team in load}
    assert counts["team-enclosure-3"] == 0
    assert abs(counts["team-enclosure-1"] - counts["team-enclosure-2"]) <= 1
    assert sum(counts.values()) == 7


def test_a_started_task_is_recalled_and_ends_with_the_workers_word(dispatch: Pump) -> None:
    task_id = opened(dispatch, "case_investigation")
    move(dispatch, task_id, "accept", "start")
    d.say(dispatch, d.discarded())
    dispatch.settle()
    assert dispatch.call("dispatch.get_task", task_id=task_id)["state"] == "recalled"
    assert [e.task_id for e in dispatch.events("task.recalled")] == [task_id]
    assert move(dispatch, task_id, "complete")["state"] == "cancelled"


def test_done_work_stays_done_when_its_cause_ends(dispatch: Pump) -> None:
    task_id = opened(dispatch)
    move(dispatch, task_id, "accept", "start", "complete")
    d.say(dispatch, d.discarded())
    dispatch.settle()
    assert dispatch.call("dispatch.get_task", task_id=task_id)["state"] == "completed"


def test_reassigning_needs_the_roles_and_the_jurisdiction(dispatch: Pump) -> None:
    d.staff(dispatch, "community")
    task_id = opened(dispatch)
    after = move(dispatch, task_id, "reassign", team_id="team-community-1", reason="nearer")
    assert (after["state"], after["team_id"]) == ("assigned", "team-community-1")
    d.staff(dispatch, "community", roles=["police"])
    with pytest.raises(InvalidPayload):
        move(dispatch, task_id, "reassign", team_id="team-community-1", reason="nearer")
    with pytest.raises(NotFound):
        move(dispatch, task_id, "reassign", team_id="nobody", reason="nearer")


def test_an_order_that_is_taken_up_again_opens_its_tasks_again(dispatch: Pump) -> None:
    for revision, state in enumerate(
        (OrderState.ORDERED, OrderState.WITHDRAWN, OrderState.ORDERED), 1
    ):
        order = d.order("p2", "h1", Measure.FACILITY, revision=revision, state=state)
        d.say(dispatch, *d.orders([order], f"decision-{revision}"))
        dispatch.settle()
    states = {task["kind"]: task["state"] for task in d.tasks(dispatch)}
    assert states == {"trinity_visit": "assigned", "contact_transfer": "assigned"}
    assert len(dispatch.events("tasks.opened")) == 2
    assert len(dispatch.events("tasks.cancelled")) == 1


def test_a_transferred_case_needs_no_second_transfer(dispatch: Pump) -> None:
    d.say(dispatch, d.confirmed(custody="in_hospital"))
    dispatch.settle()
    assert "case_transfer" not in d.counted(dispatch)
