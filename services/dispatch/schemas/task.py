"""RPC documents about tasks."""

from __future__ import annotations

from marshmallow import fields

from lianfang.places import Level
from lianfang.schemas.fields import (
    Answer,
    Count,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import CauseKind, Role
from services.dispatch.domain.task import TaskState


class FindTasksRequest(Request):
    """Tasks that match everything given, the earliest due first."""

    cause_id = Id(load_default=None)
    correlation_id = Id(load_default=None)
    seal_id = Id(load_default=None)
    kind = Text(max=40, load_default=None)
    state = EnumField(TaskState, load_default=None)
    place = PlacePath(load_default=None)
    team_id = Id(load_default=None)
    after = Text(max=400, load_default=None)
    limit = Count(min=1, max=500, load_default=50)


class TaskAnswer(Answer):
    """A task: what, where, for whom, by whom, until when, and what it is part of."""

    task_id = Id()
    kind = Text()
    place = Text()
    state = EnumField(TaskState)
    level = EnumField(Level)
    roles = ListOf(EnumField(Role))
    due_at = Instant()
    clock_at = Instant(allow_none=True)
    overdue = Flag()
    cause_kind = EnumField(CauseKind)
    cause_id = Id()
    correlation_id = Id()
    opened_by = Id()
    seal_id = Id(allow_none=True)
    household_ids = ListOf(Id())
    person_ids = ListOf(Id())
    responsible_org_id = Id(allow_none=True)
    team_id = Id(allow_none=True)
    assigned_at = Instant(allow_none=True)
    policy_version = Text()
    revision = Count()


class TasksAnswer(Answer):
    """A page of tasks; `next` goes into the next request's `after`."""

    tasks = ListOf(TaskAnswer)
    next = Text(allow_none=True)


class StepAnswer(Answer):
    """One entry of a task's history."""

    at = Instant()
    what = Text()
    by = Text(allow_none=True)
    reason = Text(allow_none=True)
    team_id = Id(allow_none=True)


class ClimbAnswer(Answer):
    """One step up the five levels."""

    at = Instant()
    from_level = EnumField(Level)
    to_level = EnumField(Level)
    reason = Text()
    told_org_id = Id(allow_none=True)


class WholeTaskAnswer(TaskAnswer):
    """A task and why it exists: its cause, the event that opened it, and what happened to it."""

    history = ListOf(StepAnswer)
    level_history = ListOf(ClimbAnswer)


class GetTaskRequest(Request):
    """One task."""

    task_id = Id(required=True)


class CountTasksRequest(Request):
    """What to count: everything that matches all that is given."""

    correlation_id = Id(load_default=None)
    cause_id = Id(load_default=None)
    seal_id = Id(load_default=None)
    place = PlacePath(load_default=None)


class TaskCountsAnswer(Answer):
    """How many tasks by kind and by state."""

    by_kind = fields.Dict(keys=Text(), values=Count())
    by_state = fields.Dict(keys=Text(), values=Count())


class MoveTaskRequest(Request):
    """A worker's word about a task."""

    task_id = Id(required=True)
    by = Text(required=True, min=1, max=100)


class CompleteTaskRequest(MoveTaskRequest):
    """It is done, or the recall was obeyed."""

    note = Text(max=500, load_default=None)


class ReturnTaskRequest(MoveTaskRequest):
    """It is given back or cannot be done, with the reason."""

    reason = Text(required=True, min=1, max=500)


class ReassignTaskRequest(ReturnTaskRequest):
    """Another team gets it, by hand."""

    team_id = Id(required=True)
