"""The state machine of a task: every listed move, and the refusal of every other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lianfang.errors import IllegalTransition
from services.dispatch.domain import task as domain
from services.dispatch.domain.task import TaskState
from tests.unit.dispatch.builders import NOW, task

Move = Callable[[domain.Task], Any]
MOVES: dict[str, Move] = {
    "accept": lambda t: domain.accept(t, NOW, "w"),
    "start": lambda t: domain.start(t, NOW, "w"),
    "complete": lambda t: domain.complete(t, NOW, "w", None),
    "refuse": lambda t: domain.refuse(t, NOW, "w", "why", NOW),
    "fail": lambda t: domain.fail(t, NOW, "w", "why"),
    "assign": lambda t: domain.assign(t, "team-2", NOW, by="w", reason="why", clock_at=NOW),
}
LISTED = {
    ("accept", TaskState.ASSIGNED): TaskState.ACCEPTED,
    ("start", TaskState.ACCEPTED): TaskState.STARTED,
    ("complete", TaskState.STARTED): TaskState.COMPLETED,
    ("complete", TaskState.RECALLED): TaskState.CANCELLED,
    ("refuse", TaskState.ASSIGNED): TaskState.OPEN,
    ("refuse", TaskState.ACCEPTED): TaskState.OPEN,
    ("fail", TaskState.STARTED): TaskState.OPEN,
    ("assign", TaskState.OPEN): TaskState.ASSIGNED,
    ("assign", TaskState.ASSIGNED): TaskState.ASSIGNED,
    ("assign", TaskState.ACCEPTED): TaskState.ASSIGNED,
}


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("state", TaskState)
def test_only_listed_moves_are_made(name: str, state: TaskState) -> None:
    before = task(state)
    expected = LISTED.get((name, state))
    if expected is None:
        with pytest.raises(IllegalTransition) as refused:
            MOVES[name](before)
        assert refused.value.context["from"] == state
        return
    after, event = MOVES[name](before)
    assert (after.state, after.revision, len(after.history)) == (expected, 2, 1)
    assert event is None or (event.subject, event.revision) == ("t1", 2)


@pytest.mark.parametrize(
    ("state", "expected", "said"),
    [
        (TaskState.OPEN, TaskState.CANCELLED, None),
        (TaskState.ASSIGNED, TaskState.CANCELLED, None),
        (TaskState.ACCEPTED, TaskState.CANCELLED, None),
        (TaskState.STARTED, TaskState.RECALLED, "task.recalled"),
        (TaskState.RECALLED, TaskState.RECALLED, None),
        (TaskState.COMPLETED, TaskState.COMPLETED, None),
        (TaskState.CANCELLED, TaskState.CANCELLED, None),
    ],
)
def test_the_end_of_a_reason_cancels_or_recalls_and_leaves_done_work(
    state: TaskState, expected: TaskState, said: str | None
) -> None:
    after, event = domain.end(task(state), NOW, "case.discarded")
    assert after.state == expected
    assert (event.TYPE if event else None) == said


def test_a_team_that_gave_a_task_back_is_remembered() -> None:
    returned, _ = domain.refuse(task(), NOW, "w", "no vehicle", NOW)
    assert returned.given_back_by == {"team-1"}
    assert returned.team_id is None
