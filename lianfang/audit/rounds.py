"""Invariants of daily plans: rounds stand while their scope does, and forget nobody at home."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from lianfang.audit.copies import CLOSED_STATES
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.envelope import natural_id

#: The rounds that every closed place has once, with the task that each completes.
_ONCE = {"head_count": "head_count", "notice": "serve_notice"}
_UNDONE = ("open", "assigned", "accepted", "started")


@invariant(
    "scopes-follow-seals",
    "每道曾生效的封控恰有一个服务范围，随封控启用和停用",
    "every seal that ever closed has its scope of rounds, active exactly while it closes",
    "dispatch",
)
def scopes_follow_seals(evidence: Evidence) -> Iterator[Verdict]:
    """Without a scope nobody is fed; with one too long somebody is twice."""
    seals = evidence.rows("dispatch.seals", {"imposed": True})
    for seal, found in evidence.beside(seals, "dispatch.scopes", lambda s: [s["_id"]]):
        scope = found.get(seal["_id"], {})
        fine = (
            scope.get("kind") == "seal"
            and scope["active"] == (seal["state"] in CLOSED_STATES)
            and scope["day_one_on"] == seal["day_one_on"]
        )
        yield judged(fine, str(seal["_id"]))
    scopes = evidence.rows("dispatch.scopes", {"kind": "seal"}, "_id")
    for scope, found in evidence.beside(scopes, "dispatch.seals", lambda s: [s["_id"]], "imposed"):
        if not found.get(scope["_id"], {}).get("imposed"):
            yield f"{scope['_id']}: no seal"


@invariant(
    "rounds-stand",
    "每个进行中的轮次都有启用的服务范围，只去有人在家的住户，且不早于范围的当日",
    "every open round has an active scope, goes only to households with somebody at home in it, "
    "and is not of a day that is over",
    "dispatch",
)
def rounds_stand(evidence: Evidence) -> Iterator[Verdict]:
    """No round outlives its scope or its day, and no door is knocked at in vain."""
    rounds = evidence.rows("dispatch.rounds", {"state": "open"})
    scoped = (
        (round_, found.get(round_["scope_id"]))
        for round_, found in evidence.beside(rounds, "dispatch.scopes", lambda r: [r["scope_id"]])
    )
    for (round_, scope), homes in evidence.beside(
        scoped, "dispatch.households", lambda pair: pair[0]["planned"], "scopes"
    ):
        wrong = _fallen(round_, scope, homes)
        yield judged(not wrong, f"{round_['kind']} {round_['slot']} {round_['_id']}: {wrong}")


def _fallen(round_: Row, scope: Row | None, homes: dict[str, Row]) -> str:
    if scope is None or not scope["active"]:
        return "its scope is over"
    if not round_["planned"]:
        return "nobody is planned"
    ends = round_["ends_at"] is not None
    if ends and scope["opened_on"] is not None and round_["on"] < scope["opened_on"]:
        return "its day is over"
    vain = [
        key
        for key in round_["planned"]
        if round_["scope_id"] not in homes.get(key, _NOWHERE)["scopes"]
    ]
    return f"nobody at home in {', '.join(vain[:3])}" if vain else ""


_NOWHERE: Row = {"scopes": ()}


@invariant(
    "rounds-complete",
    "封控中的每户有人在家的住户都在清点、告知和当日面向所有人的每个轮次上",
    "every household with somebody at home behind a seal is on the head count, the notices and "
    "every round of the day that is for all",
    "dispatch",
)
def rounds_complete(evidence: Evidence) -> Iterator[Verdict]:
    """Nobody closed in is forgotten. A round that goes to a household without needs is for all."""
    now = _present(evidence)
    for scope in evidence.rows("dispatch.scopes", {"kind": "seal", "active": True}):
        homes = list(
            evidence.rows("dispatch.households", {"scopes": scope["_id"]}, "orders", "_id")
        )
        wanted = {home["_id"] for home in homes}
        plain = {home["_id"] for home in homes if not _has_needs(home, scope["_id"])}
        rounds = list(evidence.rows("dispatch.rounds", {"scope_id": scope["_id"]}))
        once = {natural_id("round", scope["_id"], kind) for kind in _ONCE} if homes else set()
        for missing in sorted(once - {round_["_id"] for round_ in rounds}):
            yield f"{scope['_id']}: round {missing} missing"
        for round_ in rounds:
            lasts = round_["ends_at"] is None or round_["ends_at"] > now
            planned = set(round_["planned"])
            for_all = round_["_id"] in once or not planned.isdisjoint(plain)
            if not lasts or not for_all:
                continue
            left_out = sorted(wanted - planned)
            yield judged(
                not left_out,
                f"{round_['kind']} {round_['_id']} leaves out {', '.join(left_out[:3])}",
            )


def _has_needs(home: Row, scope_id: str) -> bool:
    members = (o for o in home["orders"] if o["open"] and o["at_home"] and o["seal_id"] == scope_id)
    return any(order["needs"] for order in members)


def _present(evidence: Evidence) -> datetime:
    """What time it is for dispatch: demo and test may have set its clock."""
    row = evidence.collection("dispatch.runtime").find_one({"_id": "clock"})
    return evidence.now + timedelta(milliseconds=row["offset_ms"] if row else 0)


@invariant(
    "stops-planned",
    "每次上门记录都属于存在的轮次与住户，且每轮每户至多一次",
    "every stop belongs to a round and a household that exist, and there is one of each",
    "dispatch",
)
def stops_planned(evidence: Evidence) -> Iterator[Verdict]:
    """No meal is served twice: a stop is natural in its round and household."""
    stops = evidence.rows("dispatch.stops", None, "round_id", "household_id")
    rounds = evidence.beside(stops, "dispatch.rounds", lambda s: [s["round_id"]], "_id")
    known = ((stop, bool(found)) for stop, found in rounds)
    for (stop, has_round), found in evidence.beside(
        known, "dispatch.households", lambda pair: [pair[0]["household_id"]], "_id"
    ):
        own = natural_id("stop", stop["round_id"], stop["household_id"])
        yield judged(has_round and bool(found) and stop["_id"] == own, str(stop["_id"]))


@invariant(
    "rounds-completed",
    "每个完成的轮次都有其所有住户的上门记录，清点与告知的任务也随之完成",
    "every completed round has a stop of each household it planned, and its task is done",
    "dispatch",
)
def rounds_completed(evidence: Evidence) -> Iterator[Verdict]:
    """Completed is what was recorded, never what was hoped for."""
    rounds = evidence.rows("dispatch.rounds", {"state": "completed"})
    for round_, stops in evidence.gathered(
        rounds, "dispatch.stops", "round_id", lambda r: r["_id"], "round_id", "household_id"
    ):
        recorded = {stop["household_id"] for stop in stops}
        left = sorted({*round_["planned"], *round_["covered"]} - recorded)
        yield judged(not left, f"{round_['_id']}: {', '.join(left[:3])} not recorded")
    where = {"state": "completed", "kind": {"$in": list(_ONCE)}, "seal_id": {"$ne": None}}
    counted = evidence.rows("dispatch.rounds", where, "kind", "seal_id")
    for round_, found in evidence.beside(
        counted, "dispatch.tasks", lambda r: [_task_of(r)], "state"
    ):
        task = found.get(_task_of(round_), {"state": "open"})
        yield judged(task["state"] not in _UNDONE, f"{round_['_id']}: task {_task_of(round_)}")


def _task_of(round_: Row) -> str:
    return natural_id("task", round_["seal_id"], _ONCE[round_["kind"]], "")


@invariant(
    "rounds-once",
    "同一范围、同一种类、同一日、同一时段只有一个轮次",
    "there is one round of a kind, a day and a slot in each scope",
    "dispatch",
)
def rounds_once(evidence: Evidence) -> Iterator[Verdict]:
    """Two of them would go to every door twice."""
    for round_ in evidence.rows("dispatch.rounds", None, "scope_id", "kind", "on", "slot"):
        scope, kind = round_["scope_id"], round_["kind"]
        once = natural_id("round", scope, kind)
        daily = natural_id("round", scope, kind, round_["on"], round_["slot"])
        yield HOLDS if round_["_id"] in (once, daily) else f"{kind} {round_['_id']}"
