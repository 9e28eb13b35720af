"""What the dispatch service says: tasks, their fate, and what the rounds recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from lianfang.events.event import Chunked, Event
from lianfang.places import Level
from lianfang.vocabulary import CauseKind, Finding, Role, StopOutcome, Symptom


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSnapshot:
    """A task as it was opened: what, where, for whom, by whom, until when.

    `cause_kind` and `cause_id` are the task's own where one event announces the tasks of many
    causes (the orders of one decision).
    """

    task_id: str
    kind: str
    place: str
    roles: tuple[Role, ...]
    due_at: datetime
    household_ids: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()
    responsible_org_id: str | None = None
    team_id: str | None = None
    cause_kind: CauseKind | None = None
    cause_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksOpened(Chunked):
    """The tasks that one cause (a case, a seal, an order, an infected point) made necessary.

    `plan_id` is natural in the cause; `revision` counts the decisions about this plan.
    """

    TYPE: ClassVar[str] = "tasks.opened"
    SUBJECT: ClassVar[str] = "plan_id"
    plan_id: str
    cause_kind: CauseKind
    cause_id: str
    place: str
    tasks: tuple[TaskSnapshot, ...]
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksCancelled(Chunked):
    """Tasks whose reason ended: open ones are gone, started ones get `task.recalled`."""

    TYPE: ClassVar[str] = "tasks.cancelled"
    SUBJECT: ClassVar[str] = "plan_id"
    plan_id: str
    cause_kind: CauseKind
    cause_id: str
    place: str
    task_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEvent(Event):
    """One word about one task: which, of what kind, where, because of what, by whom."""

    SUBJECT: ClassVar[str] = "task_id"
    task_id: str
    kind: str
    place: str
    cause_kind: CauseKind
    cause_id: str
    at: datetime
    by: str | None = None
    reason: str | None = None
    household_ids: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAssigned(TaskEvent):
    """A team got it: after it was opened, by hand or on its way up."""

    TYPE: ClassVar[str] = "task.assigned"
    team_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAccepted(TaskEvent):
    """The team took it."""

    TYPE: ClassVar[str] = "task.accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(TaskEvent):
    """Somebody is on it."""

    TYPE: ClassVar[str] = "task.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCompleted(TaskEvent):
    """It is done."""

    TYPE: ClassVar[str] = "task.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRefused(TaskEvent):
    """The team gave it back; it is open again."""

    TYPE: ClassVar[str] = "task.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailed(TaskEvent):
    """It could not be carried out; it is open one level up."""

    TYPE: ClassVar[str] = "task.failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecalled(TaskEvent):
    """Its reason ended while somebody was on it; the worker confirms the recall."""

    TYPE: ClassVar[str] = "task.recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskEscalated(Event):
    """An undone task climbed one of the five levels."""

    TYPE: ClassVar[str] = "task.escalated"
    SUBJECT: ClassVar[str] = "task_id"
    task_id: str
    kind: str
    place: str
    from_level: Level
    to_level: Level
    reason: str
    clock_at: datetime
    told_org_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPerson:
    """What a stop found of one person."""

    person_id: str
    finding: Finding = Finding.PRESENT
    temperature: float | None = None
    symptoms: tuple[Symptom, ...] = ()
    sample_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecord:
    """What happened at one household's door in one round. `revision` is the stop's."""

    stop_id: str
    household_id: str
    outcome: StopOutcome
    recorded_at: datetime
    revision: int
    persons: tuple[StopPerson, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopsRecorded(Chunked):
    """A team's record of stops of one round: one action, all its stops.

    `record_id` is natural in the round and the command that recorded, so it never collides.
    """

    TYPE: ClassVar[str] = "stops.recorded"
    SUBJECT: ClassVar[str] = "record_id"
    record_id: str
    round_id: str
    kind: str
    building: str
    recorded_by: str
    received_at: datetime
    stops: tuple[StopRecord, ...]
