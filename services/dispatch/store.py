"""Where dispatch keeps its states, with the indexes beside the queries that need them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from lianfang.days import day_of
from lianfang.runtime.documents import Collection, Documents, Index, Page, Reader
from services.dispatch.domain.alarms import AlarmFacts, FocusFacts
from services.dispatch.domain.causes import CaseFacts, SealFacts
from services.dispatch.domain.duty import Organisation, Responsibility, Team
from services.dispatch.domain.households import Household
from services.dispatch.domain.rounds import Round, RoundState, Scope
from services.dispatch.domain.stops import Stop
from services.dispatch.domain.task import IN_HAND, UNDONE, Task

ORGANISATIONS = Collection("organisations", Organisation, "org_id", [Index("place")])
TEAMS = Collection("teams", Team, "team_id", [Index("org_id"), Index("place")])
RESPONSIBILITIES = Collection("responsibilities", Responsibility, "place")

CASES = Collection("cases", CaseFacts, "case_id")
SEALS = Collection("seals", SealFacts, "seal_id")
FOCI = Collection("foci", FocusFacts, "focus_id")
ALARMS = Collection("alarms", AlarmFacts, "person_id")
HOUSEHOLDS = Collection("households", Household, "household_id", [Index("scopes")])

#: Lists are paged in the order of due time, then key: the indexes that serve them end so.
TASKS = Collection(
    "tasks",
    Task,
    "task_id",
    [
        Index("cause_id"),
        Index("audit.correlation_id"),
        Index("seal_id", "kind"),
        Index("place"),
        Index("due_at", "_id"),
        Index("state", "due_at", "_id"),
        Index("kind", "due_at", "_id"),
        Index("team_id", "state"),
        Index("clock_at"),
    ],
)
SCOPES = Collection("scopes", Scope, "scope_id", [Index("active", "opened_on")])
ROUNDS = Collection(
    "rounds",
    Round,
    "round_id",
    [
        Index("scope_id", "on"),
        Index("seal_id", "on", "_id"),
        Index("place"),
        Index("on", "_id"),
        Index("state", "on", "_id"),
        Index("kind", "on", "_id"),
        Index("audit.check", where={"audit.check": True}),
    ],
)
STOPS = Collection("stops", Stop, "stop_id", [Index("round_id")])

_UNDONE = sorted(UNDONE)
_IN_HAND = sorted(IN_HAND)


def tasks_of_seal(reader: Reader, seal_id: str, kind: str) -> list[Task]:
    """The tasks of one kind inside a seal."""
    return reader.find(TASKS, {"seal_id": seal_id, "kind": kind})


def teams_of(reader: Reader, org_ids: Iterable[str]) -> list[Team]:
    """The teams of these organisations."""
    return reader.find(TEAMS, {"org_id": {"$in": sorted(set(org_ids))}})


def teams_inside(reader: Reader, place: str) -> list[Team]:
    """The teams whose organisations lie at or below a place."""
    return reader.find(TEAMS, {"place": _inside(place)}, sort=[("_id", 1)])


def load_of(reader: Any, team_ids: Iterable[str]) -> dict[str, int]:
    """How many tasks each of these teams has in hand, in one query."""
    where = {"team_id": {"$in": sorted(team_ids)}, "state": {"$in": _IN_HAND}}
    return _counted(reader, TASKS, where, "$team_id")


def households_in(reader: Reader, scope_id: str) -> list[Household]:
    """The households with somebody at home in a scope, in one query."""
    return reader.find(HOUSEHOLDS, {"scopes": scope_id})


def rounds_left_open(reader: Reader, scope_id: str, today: date) -> list[Round]:
    """A scope's rounds of days before `today` that ended undone."""
    where = {"scope_id": scope_id, "on": {"$lt": today.isoformat()}, "state": RoundState.OPEN}
    return reader.find(ROUNDS, {**where, "ends_at": {"$ne": None}})


def stops_of(reader: Reader, round_id: str) -> list[Stop]:
    """What was recorded in one round."""
    return reader.find(STOPS, {"round_id": round_id})


def recorded_in(reader: Any, round_ids: Iterable[str]) -> dict[str, int]:
    """How many stops of each round were recorded."""
    return _counted(reader, STOPS, {"round_id": {"$in": sorted(round_ids)}}, "$round_id")


# -- what timers look for -------------------------------------------------------------------------


def overdue(reader: Reader, now: datetime, limit: int) -> list[str]:
    """Undone tasks whose clock ran out."""
    where = {"clock_at": {"$lte": now}, "state": {"$in": _UNDONE}}
    return [task.task_id for task in reader.find(TASKS, where, sort=[("clock_at", 1)], limit=limit)]


def unopened(reader: Reader, now: datetime, limit: int) -> list[str]:
    """Scopes whose rounds of today nobody opened yet."""
    where = {"active": True, "opened_on": {"$lt": day_of(now).isoformat()}}
    return [scope.scope_id for scope in reader.find(SCOPES, where, limit=limit)]


def unchecked(reader: Reader, _now: datetime, limit: int) -> list[str]:
    """Rounds that a household left: the rest may be done."""
    where = {"audit.check": True}
    return [round_.round_id for round_ in reader.find(ROUNDS, where, limit=limit)]


# -- lists ----------------------------------------------------------------------------------------


def task_filter(request: Mapping[str, Any]) -> dict[str, Any]:
    """The filter of `find_tasks` and `count_tasks`; mere tombstones are left out."""
    where: dict[str, Any] = {"audit.shown": True}
    for name in ("cause_id", "seal_id", "kind", "state", "team_id"):
        if request.get(name):
            where[name] = request[name]
    if request.get("correlation_id"):
        where["audit.correlation_id"] = request["correlation_id"]
    if request.get("place"):
        where["place"] = _inside(request["place"])
    return where


def page_of_tasks(reader: Reader, request: Mapping[str, Any]) -> Page[Task]:
    """A page of tasks, the earliest due first."""
    where = task_filter(request)
    return reader.page(TASKS, where, "due_at", request["after"], request["limit"])


def count_tasks(reader: Documents, where: Mapping[str, Any], field: str) -> dict[str, int]:
    """How many tasks match, by kind or state."""
    return _counted(reader, TASKS, where, f"${field}")


def page_of_rounds(reader: Reader, request: Mapping[str, Any]) -> Page[Round]:
    """A page of rounds by day; those that never had anybody planned are left out."""
    where: dict[str, Any] = {"audit.shown": True}
    for name in ("seal_id", "kind", "state"):
        if request.get(name):
            where[name] = request[name]
    if request.get("on"):
        where["on"] = request["on"].isoformat()
    if request.get("place"):
        where["place"] = _inside(request["place"])
    return reader.page(ROUNDS, where, "on", request["after"], request["limit"])


def _inside(place: str) -> dict[str, str]:
    return {"$regex": f"^{re.escape(place)}(\\.|$)"}


def _counted(
    reader: Any, collection: Collection[Any], where: Mapping[str, Any], by: str
) -> dict[str, int]:
    stages = [{"$match": dict(where)}, {"$group": {"_id": by, "n": {"$sum": 1}}}]
    session = getattr(reader, "session", None)
    rows = reader.raw(collection.name).aggregate(stages, session=session)
    return {str(row["_id"]): int(row["n"]) for row in rows}
