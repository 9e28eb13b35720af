"""From what is wanted and what is to what changes: by natural task ids, in any order of messages.

Every task a cause ever asked for has a document. One whose reason is gone before it was opened is
written as a cancelled tombstone, so the order in which messages arrive leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lianfang.events.dispatch import TaskEvent
from lianfang.places import Level
from lianfang.vocabulary import CauseKind
from services.dispatch.domain.rules import DispatchRules
from services.dispatch.domain.task import Step, Task, TaskAudit, TaskState, end


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task that its cause asks for (`active`) or once asked for. `since` starts the due time."""

    task_id: str
    kind: str
    place: str
    cause_kind: CauseKind
    cause_id: str
    since: datetime
    active: bool
    household_ids: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()
    seal_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When and because of what a difference is made."""

    now: datetime
    opened_by: str
    correlation_id: str
    reason: str = "cause_ended"


@dataclass(frozen=True, slots=True)
class Difference:
    """What to save (all), announce as opened, announce as cancelled, and say one by one.

    `tombstones` are those of the saved that were never open.
    """

    saved: tuple[Task, ...]
    tombstones: tuple[Task, ...]
    opened: tuple[Task, ...]
    cancelled: tuple[Task, ...]
    events: tuple[TaskEvent, ...]


def difference(
    wanted: Iterable[Wanted], existing: Mapping[str, Task], rules: DispatchRules, moment: Moment
) -> Difference:
    """Compare; opened tasks are still without organisation and team."""
    saved: dict[str, Task] = {}
    opened, cancelled, events = [], [], []
    for want in wanted:
        before = existing.get(want.task_id)
        task = _fresh(want, rules, moment) if before is None else _follow(before, want, rules)
        if want.active and task.state in (TaskState.CANCELLED, TaskState.RECALLED):
            task = _open(task, want, rules, moment)
            opened += [task] if task.state == TaskState.OPEN else []
        elif not want.active:
            task, event = end(task, moment.now, moment.reason)
            events += [event] if event else []
            if before and before.state != task.state and task.state == TaskState.CANCELLED:
                cancelled.append(task)
        if task != before:
            saved[task.task_id] = task
    tombs = tuple(task for task in saved.values() if not task.audit.shown)
    return Difference(tuple(saved.values()), tombs, tuple(opened), tuple(cancelled), tuple(events))


def _fresh(want: Wanted, rules: DispatchRules, moment: Moment) -> Task:
    return Task(
        task_id=want.task_id,
        kind=want.kind,
        place=want.place,
        cause_kind=want.cause_kind,
        cause_id=want.cause_id,
        state=TaskState.CANCELLED,
        level=Level.ENCLOSURE,
        roles=rules.tasks[want.kind].roles,
        due_at=_due(want, rules),
        clock_at=None,
        opened_by=moment.opened_by,
        policy_version=rules.version,
        audit=TaskAudit(correlation_id=moment.correlation_id),
        household_ids=want.household_ids,
        person_ids=want.person_ids,
        seal_id=want.seal_id,
    )


def _follow(task: Task, want: Wanted, rules: DispatchRules) -> Task:
    """Facts of the cause follow it; the earliest due time stands."""
    if task.state == TaskState.COMPLETED:
        return task
    due_at = min(task.due_at, _due(want, rules))
    followed = replace(
        task,
        place=want.place,
        household_ids=want.household_ids,
        person_ids=want.person_ids,
        seal_id=want.seal_id,
        due_at=due_at,
        clock_at=due_at if task.clock_at == task.due_at else task.clock_at,
    )
    return followed if followed != task else task


def _due(want: Wanted, rules: DispatchRules) -> datetime:
    return want.since + timedelta(minutes=rules.tasks[want.kind].due_minutes)


def _open(task: Task, want: Wanted, rules: DispatchRules, moment: Moment) -> Task:
    """Open it (again); a recall that is not yet confirmed is taken back."""
    if task.state == TaskState.RECALLED:
        return task.step(TaskState.STARTED, Step(at=moment.now, what="recall_taken_back"))
    again = task.audit.shown
    opened_by = task.opened_by if again else moment.opened_by
    correlation_id = task.audit.correlation_id if again else moment.correlation_id
    audit = TaskAudit(correlation_id=correlation_id, shown=True, opened_at=moment.now)
    step = Step(at=moment.now, what="opened")
    return replace(
        task.step(TaskState.OPEN, step),
        opened_by=opened_by,
        audit=audit,
        due_at=_due(want, rules),
        clock_at=moment.now + rules.escalation.waits_for_team,
        team_id=None,
        assigned_at=None,
    )
