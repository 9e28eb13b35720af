"""Invariants of closed places: why they are closed, who is inside, and what was decided of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from lianfang.audit.copies import CLOSED_STATES, INFECTED
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.days import day_of
from lianfang.places import Level, level_of

_INSIDE = ("expected", "found", "unregistered")
#: Statuses of a roll that ask for an order; every other one is a reason for none.
_ORDERED = (*_INSIDE, "traced")
_CLOSING = {"state": {"$in": list(CLOSED_STATES)}}
_HOMES = ("residence", "dormitory")
#: A case that stayed at home so shortly before its decision closes the place under every policy.
_SURELY = timedelta(days=2)


@invariant(
    "closed-once",
    "同一处所不会被两道封控同时封闭",
    "no place is closed by two seals at once",
    "isolation",
)
def closed_once(evidence: Evidence) -> Iterator[Verdict]:
    """Two cases in one building make one seal."""
    stages = (
        {"$match": _CLOSING},
        {"$unwind": "$scope"},
        {"$group": {"_id": "$scope", "n": {"$sum": 1}}},
    )
    for row in evidence.groups("isolation.seals", *stages):
        yield judged(row["n"] == 1, f"{row['_id']}: {row['n']}")


@invariant(
    "seals-caused",
    "每道按规则施加的生效封控，都有病例为因，且其病例均未被排除",
    "every open seal of the rule stands on cases, and none of these was discarded",
    "isolation",
    "screening",
)
def seals_caused(evidence: Evidence) -> Iterator[Verdict]:
    """What exists only because of a case goes with it; an authority's own seal needs none."""
    where = {"state": {"$in": ["proposed", *CLOSED_STATES]}}
    seals = evidence.rows("isolation.seals", where, "causes", "is_manual")
    for seal, cases in evidence.beside(
        seals, "screening.cases", lambda s: s["causes"], "state", "classification"
    ):
        gone = [
            cause
            for cause in seal["causes"]
            if cause not in cases or cases[cause]["state"] not in (*INFECTED, "closed")
        ]
        fine = not gone and (bool(seal["causes"]) or seal["is_manual"])
        yield judged(fine, f"{seal['_id']}: {', '.join(gone) or 'no cause'}")


@invariant(
    "cases-closed-in",
    "决定前两日内仍住在楼内的每名感染者，其住处都已封控",
    "every infected person who stayed at home within two days before the decision has a seal there",
    "isolation",
    "screening",
)
def cases_closed_in(evidence: Evidence) -> Iterator[Verdict]:
    """A lost seal is the worst loss. Older stays are the policy's to judge."""
    cases = evidence.rows(
        "screening.cases", {"state": {"$in": list(INFECTED)}}, "stays", "decided_at", "onset_on"
    )
    homes = ((case["_id"], place) for case in cases for place in _certain_homes(case))
    for (case_id, place), seals in evidence.gathered(
        homes, "isolation.seals", "buildings", lambda pair: pair[1], "causes", "buildings"
    ):
        fine = any(case_id in seal["causes"] for seal in seals)
        yield judged(fine, f"{case_id}: {place}")


def _certain_homes(case: Row) -> set[str]:
    decided_at: datetime = case["decided_at"]
    onset = case["onset_on"] or day_of(decided_at).isoformat()
    return {
        stay["place"]
        for stay in case["stays"]
        if stay["use"] in _HOMES
        and level_of(stay["place"]) == Level.BUILDING
        and stay["last_present_at"] >= decided_at - _SURELY
        and day_of(stay["last_present_at"]).isoformat() >= onset
    }


# -- the roll -------------------------------------------------------------------------------------


@invariant(
    "roll-decided",
    "封控范围内每名应在或查到的人，恰有一张生效管控令，或一条无令的理由（外出、亡故、住在别处等）",
    "everybody expected or found in a closed place has exactly one open order, or one recorded "
    "reason for none (away, deceased, lives elsewhere)",
    "isolation",
    "declaration",
)
def roll_decided(evidence: Evidence) -> Iterator[Verdict]:
    """Whoever the register says lives there is on the roll, with an order or a reason."""
    for seal in evidence.rows("isolation.seals", _CLOSING, "scope"):
        entries = _entries(evidence, seal["_id"])
        persons = sorted({*entries, *_residents(evidence, seal["scope"])})
        for person_id, orders in evidence.gathered(
            persons, "isolation.orders", "person_id", str, "person_id", "is_open", "reasons"
        ):
            open_ones = [order for order in orders if order["is_open"]]
            wrong = _undecided(seal["_id"], entries.get(person_id, []), open_ones)
            yield judged(not wrong, f"{seal['_id']}: {person_id}: {wrong}")


def _entries(evidence: Evidence, seal_id: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for sheet in evidence.rows("isolation.sheets", {"seal_id": seal_id}):
        for entry in sheet["entries"]:
            found.setdefault(entry["person_id"], []).append(entry)
    return found


def _residents(evidence: Evidence, scope: Iterable[str]) -> Iterator[str]:
    """Who stays there now, as the register has it."""
    for root in scope:
        where = {
            "room_path": {"$gte": root + ".", "$lt": root + "/"},
            "ended_at": None,
            "kind": {"$ne": "registered_only"},
        }
        for residence in evidence.rows("declaration.residences", where, "person_id"):
            yield residence["person_id"]


def _undecided(seal_id: str, entries: list[Row], orders: list[Row]) -> str:
    """What is wrong about a person of a roll; empty when nothing is."""
    if len(entries) != 1:
        return f"{len(entries)} entries on the roll"
    (entry,) = entries
    held = [order["_id"] for order in orders if _stands_on(order, seal_id)]
    if entry["status"] in _ORDERED:
        return "" if held == [entry["order_id"]] else f"{entry['status']}, orders {held}"
    if held or entry["order_id"] is not None:
        return f"{entry['status']}, and yet an order"
    return "" if entry["reason"] else f"{entry['status']} for no reason"


def _stands_on(order: Row, seal_id: str) -> bool:
    return any(
        reason["kind"] == "seal" and reason["id"] == seal_id and reason["stands"]
        for reason in order["reasons"]
    )


@invariant(
    "roll-counted",
    "封控记录的户数、人数与名册清点一致",
    "the households and persons that a seal counts are those on its roll",
    "isolation",
)
def roll_counted(evidence: Evidence) -> Iterator[Verdict]:
    """Counts are kept beside the roll and never recomputed, so they may drift."""
    seals = evidence.rows("isolation.seals", None, "persons", "households")
    for seal, sheets in evidence.gathered(
        seals, "isolation.sheets", "seal_id", lambda s: s["_id"], "seal_id", "entries.status"
    ):
        inside = [sum(e["status"] in _INSIDE for e in sheet["entries"]) for sheet in sheets]
        counted = (seal["households"], seal["persons"])
        found = (sum(n > 0 for n in inside), sum(inside))
        yield judged(counted == found, f"{seal['_id']}: counts {counted}, roll {found}")


@invariant(
    "sheets-sealed",
    "每页名册都属于一道存在的封控",
    "every page of a roll belongs to a seal that exists",
    "isolation",
)
def sheets_sealed(evidence: Evidence) -> Iterator[Verdict]:
    """A page without its seal would be read by nobody."""
    pages: Any = evidence.rows("isolation.sheets", None, "seal_id")
    for sheet, found in evidence.beside(pages, "isolation.seals", lambda s: [s["seal_id"]], "_id"):
        yield HOLDS if found else str(sheet["_id"])
