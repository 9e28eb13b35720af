"""A task: what its team does and what its cause asks for, in any order, keeps to its states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given

from services.dispatch.domain import task as tasks
from services.dispatch.domain.difference import Moment, Wanted, difference
from services.dispatch.domain.task import Task, TaskState
from tests.properties.walks import SAME, paths, walk
from tests.unit.dispatch.builders import NOW, RULES, task

SHOWN = {TaskState}
OPEN, ASSIGNED, ACCEPTED = TaskState.OPEN, TaskState.ASSIGNED, TaskState.ACCEPTED
STARTED, RECALLED = TaskState.STARTED, TaskState.RECALLED
COMPLETED, CANCELLED = TaskState.COMPLETED, TaskState.CANCELLED
START = task(OPEN)
MOMENT = Moment(now=NOW, opened_by="e1", correlation_id="c1")


def said(decide: Callable[[Task], tuple[Task, Any]]) -> Callable[[Task], Task]:
    """The task after a decision, whose word is about the task as it then is."""

    def act(before: Task) -> Task:
        after, event = decide(before)
        if event is not None:
            assert (event.task_id, event.revision) == (after.task_id, after.revision)
        return after

    return act


def cause(*, stands: bool) -> Callable[[Task], Task]:
    """What its cause asks for, now."""

    def act(before: Task) -> Task:
        want = Wanted(
            task_id=before.task_id,
            kind=before.kind,
            place=before.place,
            cause_kind=before.cause_kind,
            cause_id=before.cause_id,
            since=NOW,
            active=stands,
        )
        changes = difference([want], {before.task_id: before}, RULES, MOMENT)
        assert len(changes.saved) <= 1
        return changes.saved[0] if changes.saved else before

    return act


ACTS = {
    "cause_stands": cause(stands=True),
    "cause_ends": cause(stands=False),
    "assign": said(lambda t: tasks.assign(t, "t2", NOW, by="x", reason=None, clock_at=NOW)),
    "accept": said(lambda t: tasks.accept(t, NOW, "x")),
    "start": said(lambda t: tasks.start(t, NOW, "x")),
    "complete": said(lambda t: tasks.complete(t, NOW, "x", None)),
    "finish": said(lambda t: tasks.finish(t, NOW, "x", None)),
    "refuse": said(lambda t: tasks.refuse(t, NOW, "x", "busy", NOW)),
    "fail": said(lambda t: tasks.fail(t, NOW, "x", "locked")),
}
_WAITS = {
    "cause_stands": SAME,
    "cause_ends": CANCELLED,
    "assign": ASSIGNED,
    "finish": COMPLETED,
}
MOVES = {
    OPEN: _WAITS,
    ASSIGNED: {**_WAITS, "accept": ACCEPTED, "refuse": OPEN},
    ACCEPTED: {**_WAITS, "start": STARTED, "refuse": OPEN},
    STARTED: {
        "cause_stands": SAME,
        "cause_ends": RECALLED,
        "complete": COMPLETED,
        "finish": COMPLETED,
        "fail": OPEN,
    },
    RECALLED: {"cause_stands": STARTED, "cause_ends": SAME, "complete": CANCELLED},
    CANCELLED: {"cause_stands": OPEN, "cause_ends": SAME},
    COMPLETED: {"cause_stands": SAME, "cause_ends": SAME},
}


def test_a_task_keeps_to_its_states() -> None:
    reached = set()

    @given(paths(ACTS, rarely=["finish", "complete"]))
    def walks(path: list[str]) -> None:
        stages = walk(START, path, ACTS, MOVES)
        reached.update(stage.state for stage in stages)
        last = stages[-1]
        assert len(last.history) == last.revision - 1
        assert (last.clock_at is None) == (last.state in (COMPLETED, CANCELLED))

    walks()
    assert reached == set(TaskState)
