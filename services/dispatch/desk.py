"""Carries out what a plan changed: assigns, saves and announces, inside one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary, proxy

from lianfang.errors import InvalidPayload
from lianfang.events import CHUNK
from lianfang.events.dispatch import TaskEscalated, TasksCancelled, TasksOpened
from lianfang.places import Level, contains
from lianfang.vocabulary import CauseKind
from services.dispatch import store
from services.dispatch.domain import duty
from services.dispatch.domain.difference import Difference, Moment, Wanted, difference
from services.dispatch.domain.rules import DispatchRules, level_above
from services.dispatch.domain.task import UNDONE, Climb, Step, Task, assign, fail, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHead:
    """Under which name a difference is announced; `revision` is the first number to use."""

    plan_id: str
    cause_kind: CauseKind
    cause_id: str
    place: str
    revision: int = 1
    reason: str = "cause_ended"


_DESKS: WeakKeyDictionary[Any, Desk] = WeakKeyDictionary()


def desk_of(work: Any, rules: DispatchRules) -> Desk:
    """The one desk of this unit of work: what it has read and counted serves the whole batch."""
    desk = _DESKS.get(work)
    if desk is None:
        desk = _DESKS[work] = Desk(proxy(work), rules)
    return desk


class Desk:
    """The duty desk of one unit of work: knows the teams on shift and what they have in hand."""

    def __init__(self, work: Any, rules: DispatchRules) -> None:
        self.work, self.rules = work, rules
        self._load: dict[str, int] = {}
        self._staff: dict[str, list[duty.Team]] = {}

    # -- plans --------------------------------------------------------------------------------

    def carry_out(self, wanted: Sequence[Wanted], head: PlanHead) -> int:
        """Save and announce what changed; returns how many announcements were made."""
        if not wanted:
            return 0
        moment = Moment(
            now=self.work.now,
            opened_by=self.work.causation_id,
            correlation_id=self.work.correlation_id,
            reason=head.reason,
        )
        existing = self.work.load(store.TASKS, [want.task_id for want in wanted])
        changes = difference(wanted, existing, self.rules, moment)
        opened = {task.task_id: task for task in self.assigned(changes.opened)}
        owned = opened | {task.task_id: task for task in self.owned(changes.tombstones)}
        for task in changes.saved:
            self.work.save(store.TASKS, owned.get(task.task_id, task))
        for event in changes.events:
            self.work.publish(event, place=event.place)
        return self._announce(changes, list(opened.values()), head)

    def _announce(self, changes: Difference, opened: list[Task], head: PlanHead) -> int:
        said = 0
        facts: dict[str, Any] = {
            "plan_id": head.plan_id,
            "cause_kind": head.cause_kind,
            "cause_id": head.cause_id,
            "place": head.place,
        }
        for chunk, chunks, tasks in _chunked(opened):
            event = TasksOpened(
                **facts,
                tasks=tuple(task.snapshot for task in tasks),
                policy_version=self.rules.version,
                revision=head.revision + said,
                chunk=chunk,
                chunks=chunks,
            )
            self.work.publish(event, place=head.place)
        said += bool(opened)
        for chunk, chunks, tasks in _chunked(changes.cancelled):
            ended = TasksCancelled(
                **facts,
                task_ids=tuple(task.task_id for task in tasks),
                reason=head.reason,
                revision=head.revision + said,
                chunk=chunk,
                chunks=chunks,
            )
            self.work.publish(ended, place=head.place)
        return said + bool(changes.cancelled)

    # -- assignment ---------------------------------------------------------------------------

    def assigned(self, tasks: Iterable[Task]) -> list[Task]:
        """Newly opened tasks with their organisation and, where one is on shift, their team."""
        owned = self.owned(tasks)
        org_ids = {task.responsible_org_id for task in owned if task.responsible_org_id}
        teams = self._teams(org_ids) if org_ids else []
        return [self._assigned(task, teams) for task in owned]

    def owned(self, tasks: Iterable[Task]) -> list[Task]:
        """Tasks with the organisation that answers for their place, and its level."""
        tasks = list(tasks)
        known = self.responsibilities(task.place for task in tasks) if tasks else {}
        return [_owned(task, duty.responsible(task.place, known)) for task in tasks]

    def _assigned(self, task: Task, teams: Sequence[duty.Team]) -> Task:
        if task.responsible_org_id is None:
            return task
        team = self._choose(task, task.responsible_org_id, teams)
        if team is None:
            return task
        changed, _ = assign(
            task, team.team_id, self.work.now, by=None, reason=None, clock_at=task.due_at
        )
        return changed

    def responsibilities(self, places: Iterable[str]) -> dict[str, duty.Responsibility]:
        """Who answers for these places and for everything above them."""
        above = {up for place in set(places) for up in duty.places_above(place)}
        found: dict[str, duty.Responsibility] = self.work.load(store.RESPONSIBILITIES, above)
        return found

    def _teams(self, org_ids: Iterable[str]) -> list[duty.Team]:
        org_ids = set(org_ids)
        if fresh := org_ids - self._staff.keys():
            found = store.teams_of(self.work, fresh)
            self._load |= store.load_of(self.work, [team.team_id for team in found])
            self._staff |= {key: [t for t in found if t.org_id == key] for key in fresh}
        return [team for key in sorted(org_ids) for team in self._staff[key]]

    def _choose(self, task: Task, org_id: str, teams: Iterable[duty.Team]) -> duty.Team | None:
        mine = [team for team in teams if team.org_id == org_id]
        team = duty.choose(mine, task.roles, self.work.now, self._load, without=task.given_back_by)
        if team is not None:
            self._load[team.team_id] = self._load.get(team.team_id, 0) + 1
        return team

    def offer(self, task: Task, org_id: str | None, reason: str) -> Task:
        """The task with another team of the organisation, when one is on shift; it says so."""
        if org_id is None:
            return task
        team = self._choose(task, org_id, self._teams([org_id]))
        if team is None:
            return task
        changed, event = assign(
            task,
            team.team_id,
            self.work.now,
            by=None,
            reason=reason,
            clock_at=self._next_clock(task),
        )
        self.work.publish(event, place=task.place)
        return changed

    # -- escalation ---------------------------------------------------------------------------

    def climb(self, task: Task, reason: str) -> Task:
        """The task one level up, its next organisation told; without a team it is offered there.

        At the top nothing is above: the clock stops there.
        """
        to_level = level_above(task.level)
        if to_level is None:
            return replace(task, clock_at=None, revision=task.revision + 1)
        clock_at = task.clock_at or self.work.now
        known = self.responsibilities([task.place])
        answer = duty.responsible_at(task.place, to_level, known)
        told = answer.org_id if answer else None
        step = Climb(
            at=self.work.now,
            from_level=task.level,
            to_level=to_level,
            reason=reason,
            told_org_id=told,
        )
        climbed = replace(
            task.step(task.state, Step(at=self.work.now, what="escalated", reason=reason)),
            level=to_level,
            level_history=(*task.level_history, step),
            clock_at=self._clock_after(to_level, clock_at),
        )
        self._say_escalated(climbed, step, clock_at)
        return self.offer(climbed, told, reason) if climbed.team_id is None else climbed

    def run_out(self, task_id: str) -> None:
        """The clock of a task ran out: it climbs, as overdue or because nobody took it."""
        task = self.work.get(store.TASKS, task_id)
        if task is None or task.clock_at is None or task.clock_at > self.work.now:
            return
        if task.state not in UNDONE:
            return
        self.work.correlate(task.audit.correlation_id)
        self.work.save(store.TASKS, self._run_out(task))

    def _run_out(self, task: Task) -> Task:
        if task.team_id is not None:
            return self.climb(task, "overdue")
        taken = self.offer(task, task.responsible_org_id, "shift_began")
        if taken is not task:
            return taken
        return self.climb(task, "refused" if task.given_back_by else "no_team")

    # -- a worker's word ----------------------------------------------------------------------

    def take_back(self, task: Task, request: Mapping[str, Any]) -> Task:
        """A refused task: another team of the organisation gets it, or its short clock runs."""
        clock_at = self.work.now + self.rules.escalation.waits_for_team
        changed, event = refuse(task, self.work.now, request["by"], request["reason"], clock_at)
        self.work.publish(event, place=task.place)
        changed = self.offer(changed, changed.responsible_org_id, "refused")
        self.work.save(store.TASKS, changed)
        return changed

    def give_up(self, task: Task, request: Mapping[str, Any]) -> Task:
        """A task that cannot be carried out is open one level up."""
        changed, event = fail(task, self.work.now, request["by"], request["reason"])
        self.work.publish(event, place=task.place)
        changed = self.climb(replace(changed, clock_at=self.work.now), "not_executable")
        self.work.save(store.TASKS, changed)
        return changed

    def reassign(self, task: Task, team: duty.Team, request: Mapping[str, Any]) -> Task:
        """A named team gets the task by hand.

        Raises:
            InvalidPayload: the team lacks a role, or the place lies outside its jurisdiction.
        """
        if not team.can(task.roles):
            raise InvalidPayload.of("team_id", "lacks a role that the task requires")
        if not contains(team.place, task.place):
            raise InvalidPayload.of("team_id", "has no jurisdiction over the place of the task")
        changed, event = assign(
            task,
            team.team_id,
            self.work.now,
            by=request["by"],
            reason=request["reason"],
            clock_at=self._next_clock(task),
        )
        self.work.publish(event, place=task.place)
        self.work.save(store.TASKS, changed)
        return changed

    def _say_escalated(self, task: Task, step: Climb, clock_at: datetime) -> None:
        event = TaskEscalated(
            task_id=task.task_id,
            kind=task.kind,
            place=task.place,
            from_level=step.from_level,
            to_level=step.to_level,
            reason=step.reason,
            clock_at=clock_at,
            told_org_id=step.told_org_id,
            revision=task.revision,
        )
        self.work.publish(event, place=task.place)

    def _clock_after(self, level: Level, clock_at: datetime) -> datetime | None:
        if level_above(level) is None:
            return None
        return clock_at + self.rules.escalation.waits(level)

    def _next_clock(self, task: Task) -> datetime | None:
        """When a task with a team climbs: when due, or a step after now when that is past."""
        if level_above(task.level) is None:
            return None
        a_step: datetime = self.work.now + self.rules.escalation.waits(task.level)
        return max(task.due_at, a_step)


def _owned(task: Task, answer: duty.Responsibility | None) -> Task:
    if answer is None:
        return task
    return replace(task, responsible_org_id=answer.org_id, level=answer.level)


def _chunked(tasks: Sequence[Task]) -> Iterable[tuple[int, int, tuple[Task, ...]]]:
    pieces = [tuple(tasks[n : n + CHUNK]) for n in range(0, len(tasks), CHUNK)]
    for number, piece in enumerate(pieces, 1):
        yield number, len(pieces), piece
