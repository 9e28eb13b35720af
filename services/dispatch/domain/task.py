"""A task and its life: open, assigned, accepted, started, completed, and the ways out.

open → assigned → accepted → started → completed; assigned | accepted → refused → open;
started → not executable → open one level up; open … accepted → cancelled;
started → recalled → cancelled once the worker confirms. What is not listed is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from lianfang.errors import IllegalTransition
from lianfang.events.dispatch import (
    TaskAccepted,
    TaskAssigned,
    TaskCompleted,
    TaskEvent,
    TaskFailed,
    TaskRecalled,
    TaskRefused,
    TaskSnapshot,
    TaskStarted,
)
from lianfang.places import Level
from lianfang.vocabulary import CauseKind, Role


class TaskState(StrEnum):
    """Where a task is; overdue is derived from `due_at`."""

    OPEN = "open"
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    STARTED = "started"
    COMPLETED = "completed"
    RECALLED = "recalled"
    CANCELLED = "cancelled"


#: Not yet begun: such a task is cancelled when its reason ends.
UNSTARTED = frozenset({TaskState.OPEN, TaskState.ASSIGNED, TaskState.ACCEPTED})
#: Undone: such a task climbs when its clock runs out.
UNDONE = UNSTARTED | {TaskState.STARTED}
#: What a team has on its hands.
IN_HAND = (TaskState.ASSIGNED, TaskState.ACCEPTED, TaskState.STARTED, TaskState.RECALLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of a task's history: what happened, when, by whom, why."""

    at: datetime
    what: str
    by: str | None = None
    reason: str | None = None
    team_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One step up the five levels, and the organisation that was told."""

    at: datetime
    from_level: Level
    to_level: Level
    reason: str
    told_org_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAudit:
    """What depends on which message came first: never part of a decision about the task.

    `shown` tells a task that was once open from a mere tombstone, which lists leave out.
    """

    correlation_id: str
    shown: bool = False
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do. `clock_at` is when it climbs next, None at the top or when over."""

    task_id: str
    kind: str
    place: str
    cause_kind: CauseKind
    cause_id: str
    state: TaskState
    level: Level
    roles: tuple[Role, ...]
    due_at: datetime
    clock_at: datetime | None
    opened_by: str
    policy_version: str
    audit: TaskAudit
    household_ids: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()
    seal_id: str | None = None
    responsible_org_id: str | None = None
    team_id: str | None = None
    assigned_at: datetime | None = None
    revision: int = 1
    history: tuple[Step, ...] = ()
    level_history: tuple[Climb, ...] = field(default=())

    def step(self, state: TaskState, step: Step, **changes: object) -> Task:
        """The next revision in `state` with `step` remembered."""
        return replace(
            self,
            state=state,
            revision=self.revision + 1,
            history=(*self.history, step),
            **changes,  # type: ignore[arg-type]
        )

    @property
    def given_back_by(self) -> frozenset[str]:
        """The teams that refused it or could not carry it out."""
        returned = [s.team_id for s in self.history if s.what in ("refused", "not_executable")]
        return frozenset(team for team in returned if team)

    @property
    def snapshot(self) -> TaskSnapshot:
        """What `tasks.opened` says about it."""
        return TaskSnapshot(
            task_id=self.task_id,
            kind=self.kind,
            place=self.place,
            roles=self.roles,
            due_at=self.due_at,
            household_ids=self.household_ids,
            person_ids=self.person_ids,
            responsible_org_id=self.responsible_org_id,
            team_id=self.team_id,
            cause_kind=self.cause_kind,
            cause_id=self.cause_id,
        )


def accept(task: Task, at: datetime, by: str) -> tuple[Task, TaskEvent]:
    """The team takes it."""
    _require(task, TaskState.ASSIGNED, to=TaskState.ACCEPTED)
    changed = task.step(TaskState.ACCEPTED, Step(at=at, what="accepted", by=by))
    return changed, say(TaskAccepted, changed, at, by)


def start(task: Task, at: datetime, by: str) -> tuple[Task, TaskEvent]:
    """Somebody is on it."""
    _require(task, TaskState.ACCEPTED, to=TaskState.STARTED)
    changed = task.step(TaskState.STARTED, Step(at=at, what="started", by=by))
    return changed, say(TaskStarted, changed, at, by)


def complete(task: Task, at: datetime, by: str, note: str | None) -> tuple[Task, TaskEvent | None]:
    """It is done; of a recalled task it is the worker's word that it was stopped."""
    _require(task, TaskState.STARTED, TaskState.RECALLED, to=TaskState.COMPLETED)
    if task.state == TaskState.RECALLED:
        step = Step(at=at, what="recall_confirmed", by=by, reason=note)
        return task.step(TaskState.CANCELLED, step, clock_at=None), None
    return finish(task, at, by, note)


def finish(task: Task, at: datetime, by: str, note: str | None) -> tuple[Task, TaskEvent]:
    """It is done because its last stop was recorded, whoever had it in hand."""
    _require(task, *UNDONE, to=TaskState.COMPLETED)
    step = Step(at=at, what="completed", by=by, reason=note)
    changed = task.step(TaskState.COMPLETED, step, clock_at=None)
    return changed, say(TaskCompleted, changed, at, by)


def refuse(
    task: Task, at: datetime, by: str, reason: str, clock_at: datetime
) -> tuple[Task, TaskEvent]:
    """The team gives it back: open again, without a team, on a short clock."""
    _require(task, TaskState.ASSIGNED, TaskState.ACCEPTED, to=TaskState.OPEN)
    step = Step(at=at, what="refused", by=by, reason=reason, team_id=task.team_id)
    changed = task.step(TaskState.OPEN, step, team_id=None, assigned_at=None, clock_at=clock_at)
    return changed, say(TaskRefused, changed, at, by, reason)


def fail(task: Task, at: datetime, by: str, reason: str) -> tuple[Task, TaskEvent]:
    """It cannot be carried out: open again; the caller lets it climb one level."""
    _require(task, TaskState.STARTED, to=TaskState.OPEN)
    step = Step(at=at, what="not_executable", by=by, reason=reason, team_id=task.team_id)
    changed = task.step(TaskState.OPEN, step, team_id=None, assigned_at=None)
    return changed, say(TaskFailed, changed, at, by, reason)


def assign(
    task: Task,
    team_id: str,
    at: datetime,
    *,
    by: str | None,
    reason: str | None,
    clock_at: datetime | None,
) -> tuple[Task, TaskEvent]:
    """A team gets it (again); from open, assigned or accepted only."""
    _require(task, *UNSTARTED, to=TaskState.ASSIGNED)
    step = Step(at=at, what="assigned", by=by, reason=reason, team_id=team_id)
    changed = task.step(
        TaskState.ASSIGNED, step, team_id=team_id, assigned_at=at, clock_at=clock_at
    )
    return changed, say(TaskAssigned, changed, at, by, reason)


def end(task: Task, at: datetime, reason: str) -> tuple[Task, TaskEvent | None]:
    """Its reason ended: cancelled, or recalled when somebody is on it; done work stays done."""
    if task.state in UNSTARTED:
        step = Step(at=at, what="cancelled", reason=reason)
        return task.step(TaskState.CANCELLED, step, clock_at=None), None
    if task.state == TaskState.STARTED:
        changed = task.step(TaskState.RECALLED, Step(at=at, what="recalled", reason=reason))
        return changed, say(TaskRecalled, changed, at, None, reason)
    return task, None


def say(
    event: type[TaskEvent], task: Task, at: datetime, by: str | None, reason: str | None = None
) -> TaskEvent:
    """One word about a task as it now is."""
    facts = {"team_id": task.team_id} if event is TaskAssigned else {}
    return event(
        task_id=task.task_id,
        kind=task.kind,
        place=task.place,
        cause_kind=task.cause_kind,
        cause_id=task.cause_id,
        at=at,
        by=by,
        reason=reason,
        household_ids=task.household_ids,
        person_ids=task.person_ids,
        revision=task.revision,
        **facts,
    )


def _require(task: Task, *states: TaskState, to: TaskState) -> None:
    if task.state not in states:
        raise IllegalTransition.of(f"task {task.task_id}", task.state, to)
