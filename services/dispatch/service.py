"""The dispatch service: thin entrypoints over the domain, the desk and the plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lianfang.errors import InvalidPayload, NotFound
from lianfang.events.isolation import (
    FocusCleared,
    FocusDeclared,
    IsolationEnded,
    IsolationOrdered,
    QuarantineExtended,
    QuarantineOrdered,
    QuarantineReleased,
    QuarantineServed,
    QuarantineWithdrawn,
    ReleaseDue,
    RollAmended,
    SealApproved,
    SealExtended,
    SealImposed,
    SealLapsed,
    SealOrdered,
    SealProposed,
    SealRefused,
    SealReleased,
    SealWithdrawn,
)
from lianfang.events.screening import (
    CaseAmended,
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    DeclarationAssessed,
    SymptomReported,
)
from lianfang.runtime.entrypoints import command, query, subscribe, timer
from lianfang.runtime.resources import Policy, Present
from services.dispatch import answers, listening, store
from services.dispatch.desk import Desk, desk_of
from services.dispatch.domain import duty, task
from services.dispatch.domain.rules import DispatchRules
from services.dispatch.plans import Plans
from services.dispatch.recording import ready, record_stops, recount
from services.dispatch.schemas import organisation as o
from services.dispatch.schemas import rounds as r
from services.dispatch.schemas import task as t


class Dispatch:
    """Who does what, where, until when."""

    name = "dispatch"
    policy = Policy("dispatch", DispatchRules)
    present = Present()

    def _desk(self, work: Any) -> Desk:
        return desk_of(work, self.policy.on(work.today))

    def _plans(self, work: Any) -> Plans:
        return Plans(work, self.policy.on(work.today))

    # -- what happened elsewhere --------------------------------------------------------------

    @subscribe("cases", CaseConfirmed, CaseAmended, CaseDiscarded, CaseClosed)
    def on_case(self, work: Any, event: Any) -> None:
        """A case asks for report, investigation, transfer and disinfection while it stands."""
        listening.hear_case(self._desk(work), event)

    @subscribe(
        "seals",
        SealProposed,
        SealImposed,
        SealOrdered,
        SealApproved,
        SealRefused,
        SealExtended,
        SealLapsed,
        SealReleased,
        SealWithdrawn,
        ReleaseDue,
    )
    def on_seal(self, work: Any, event: Any) -> None:
        """A closed building needs posts, a head count, notices and its daily rounds."""
        listening.hear_seal(self._desk(work), self._plans(work), event)

    @subscribe("foci", FocusDeclared, FocusCleared)
    def on_focus(self, work: Any, event: Any) -> None:
        """An infected point is disinfected, its keeper asked."""
        listening.hear_focus(self._desk(work), event)

    @subscribe(
        "orders",
        QuarantineOrdered,
        QuarantineServed,
        QuarantineExtended,
        QuarantineReleased,
        QuarantineWithdrawn,
        IsolationOrdered,
        IsolationEnded,
        RollAmended,
        batch=50,
        load=listening.load_households,
    )
    def on_orders(self, work: Any, event: Any) -> None:
        """Orders and rolls say who is at home behind which door: visits, transfers, rounds."""
        listening.hear_household(self._desk(work), self._plans(work), event)

    @subscribe("alarms", SymptomReported, batch=50, load=listening.load_alarms)
    def on_symptom(self, work: Any, event: SymptomReported) -> None:
        """A fever or symptom: somebody escorts the person to a fever clinic."""
        listening.hear_alarm(self._desk(work), event)

    @subscribe("verdicts", DeclarationAssessed, batch=200, load=listening.load_alarms)
    def on_verdict(self, work: Any, event: DeclarationAssessed) -> None:
        """The verdict `hospital` asks for an escort; a later one takes that back."""
        listening.hear_verdict(self._desk(work), event)

    # -- clocks -------------------------------------------------------------------------------

    @timer(every=1.0, due=store.overdue)
    def escalate(self, work: Any, key: str) -> None:
        """An undone task climbs one level; one that nobody took is offered there."""
        self._desk(work).run_out(key)

    @timer(every=2.0, due=store.unopened)
    def open_day(self, work: Any, key: str) -> None:
        """Midnight: the rounds of the day; a late clock opens today's only and notes the gap."""
        self._plans(work).open_day(key)

    @timer(every=2.0, due=store.unchecked)
    def check_rounds(self, work: Any, key: str) -> None:
        """A household left a round: the rest may be done."""
        recount(self._desk(work), key)

    # -- organisations ------------------------------------------------------------------------

    @command(o.RegisterOrganisationRequest, o.OrganisationAnswer)
    def register_organisation(self, work: Any, request: dict[str, Any]) -> Any:
        """Register or amend an organisation."""
        org = duty.check_organisation(duty.Organisation(**request))
        before = work.get(store.ORGANISATIONS, org.org_id)
        org = replace(org, revision=before.revision + 1) if before else org
        work.save(store.ORGANISATIONS, org)
        return org

    @command(o.RegisterTeamRequest, o.TeamAnswer)
    def register_team(self, work: Any, request: dict[str, Any]) -> Any:
        """Register or amend a team; its roster stays."""
        org = _found(work.get(store.ORGANISATIONS, request["org_id"]), "org", request["org_id"])
        if not request["roles"]:
            raise InvalidPayload.of("roles", "is empty")
        roles = tuple(sorted(set(request["roles"])))
        team = duty.Team(**{**request, "roles": roles, "place": org.place})
        before = work.get(store.TEAMS, team.team_id)
        if before:
            team = replace(team, shifts=before.shifts, revision=before.revision + 1)
        work.save(store.TEAMS, team)
        return team

    @command(o.SetRosterRequest, o.TeamAnswer)
    def set_roster(self, work: Any, request: dict[str, Any]) -> Any:
        """Set a team's shifts; overlapping ones are refused."""
        team = _found(work.get(store.TEAMS, request["team_id"]), "team", request["team_id"])
        team = duty.with_roster(team, [duty.Shift(**shift) for shift in request["shifts"]])
        work.save(store.TEAMS, team)
        return team

    @command(o.SetResponsibilityRequest, o.ResponsibilityAnswer)
    def set_responsibility(self, work: Any, request: dict[str, Any]) -> Any:
        """Let an organisation answer for a place inside its own."""
        org = _found(work.get(store.ORGANISATIONS, request["org_id"]), "org", request["org_id"])
        duty.check_jurisdiction(request["place"], org)
        before = work.get(store.RESPONSIBILITIES, request["place"])
        revision = before.revision + 1 if before else 1
        answer = duty.Responsibility(**request, level=org.level, revision=revision)
        work.save(store.RESPONSIBILITIES, answer)
        return answer

    @query(o.GetWorkloadRequest, o.WorkloadAnswer)
    def get_workload(self, reader: Any, request: dict[str, Any]) -> Any:
        """How many tasks each team at or below a place has in hand."""
        teams = store.teams_inside(reader, request["place"])
        load = store.load_of(reader, [team.team_id for team in teams])
        return {"teams": [{"team_id": x.team_id, "open": load.get(x.team_id, 0)} for x in teams]}

    # -- tasks --------------------------------------------------------------------------------

    @query(t.FindTasksRequest, t.TasksAnswer)
    def find_tasks(self, reader: Any, request: dict[str, Any]) -> Any:
        """Tasks by cause, beginning, seal, kind, state, place or team."""
        return answers.tasks(store.page_of_tasks(reader, request), self.present.now())

    @query(t.CountTasksRequest, t.TaskCountsAnswer)
    def count_tasks(self, reader: Any, request: dict[str, Any]) -> Any:
        """How many tasks by kind and state."""
        where = store.task_filter(request)
        return {f"by_{name}": store.count_tasks(reader, where, name) for name in ("kind", "state")}

    @query(t.GetTaskRequest, t.WholeTaskAnswer)
    def get_task(self, reader: Any, request: dict[str, Any]) -> Any:
        """One task and why it exists."""
        found = reader.get(store.TASKS, request["task_id"])
        return answers.task(_found(found, "task", request["task_id"]), self.present.now())

    @command(t.MoveTaskRequest, t.TaskAnswer)
    def accept_task(self, work: Any, request: dict[str, Any]) -> Any:
        """The team takes it."""
        return _move(work, task.accept(_task(work, request), work.now, request["by"]))

    @command(t.MoveTaskRequest, t.TaskAnswer)
    def start_task(self, work: Any, request: dict[str, Any]) -> Any:
        """Somebody is on it."""
        return _move(work, task.start(_task(work, request), work.now, request["by"]))

    @command(t.CompleteTaskRequest, t.TaskAnswer)
    def complete_task(self, work: Any, request: dict[str, Any]) -> Any:
        """It is done; of a recalled task: it was stopped."""
        current = ready(work, _task(work, request))
        return _move(work, task.complete(current, work.now, request["by"], request["note"]))

    @command(t.ReturnTaskRequest, t.TaskAnswer)
    def refuse_task(self, work: Any, request: dict[str, Any]) -> Any:
        """The team gives it back; another of the same organisation gets it, or its clock runs."""
        return answers.task(self._desk(work).take_back(_task(work, request), request), work.now)

    @command(t.ReturnTaskRequest, t.TaskAnswer)
    def fail_task(self, work: Any, request: dict[str, Any]) -> Any:
        """It cannot be carried out: open one level up."""
        return answers.task(self._desk(work).give_up(_task(work, request), request), work.now)

    @command(t.ReassignTaskRequest, t.TaskAnswer)
    def reassign_task(self, work: Any, request: dict[str, Any]) -> Any:
        """Another team gets it: one with the roles, inside the jurisdiction."""
        team = _found(work.get(store.TEAMS, request["team_id"]), "team", request["team_id"])
        changed = self._desk(work).reassign(_task(work, request), team, request)
        return answers.task(changed, work.now)

    # -- rounds -------------------------------------------------------------------------------

    @query(r.FindRoundsRequest, r.RoundsAnswer)
    def find_rounds(self, reader: Any, request: dict[str, Any]) -> Any:
        """Rounds by seal, place, day, kind or state."""
        return answers.rounds(reader, store.page_of_rounds(reader, request))

    @query(r.GetRoundRequest, r.WholeRoundAnswer)
    def get_round(self, reader: Any, request: dict[str, Any]) -> Any:
        """One round with its stops, those due included."""
        found = reader.get(store.ROUNDS, request["round_id"])
        return answers.whole_round(reader, _found(found, "round", request["round_id"]))

    @command(r.RecordStopsRequest, r.RecordStopsAnswer)
    def record_stops(self, work: Any, request: dict[str, Any]) -> Any:
        """Record what happened at doors; the last one completes the round and its task."""
        found = work.get(store.ROUNDS, request["round_id"])
        return record_stops(self._desk(work), _found(found, "round", request["round_id"]), request)


def _task(work: Any, request: dict[str, Any]) -> task.Task:
    """The task of a command; what is said about it belongs to what started it all."""
    task_id = request["task_id"]
    found: task.Task = _found(work.get(store.TASKS, task_id), "task", task_id)
    work.correlate(found.audit.correlation_id)
    return found


def _found(state: Any, kind: str, key: str) -> Any:
    if state is None:
        raise NotFound.of(kind, key)
    return state


def _move(work: Any, moved: tuple[task.Task, Any]) -> dict[str, Any]:
    changed, event = moved
    work.save(store.TASKS, changed)
    if event is not None:
        work.publish(event, place=changed.place)
    return answers.task(changed, work.now)
