"""A head count that does not find what the roll says: absent, unregistered, living elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lianfang.demo.district import EVE
from lianfang.demo.fieldwork import MORNING
from lianfang.demo.findings import open_orders
from lianfang.demo.invention import document_number
from lianfang.demo.ledger import DISCARDED_ON, HeadCount
from lianfang.demo.stage import Stage

_SINCE = "2020-01-10T00:00:00+08:00"
#: Statuses of people who are bound by the seal, and of those who are not, with a reason.
_BOUND = {"found", "unregistered"}


def count_heads(stage: Stage, seal_id: str) -> None:
    """The team finds fewer, others and more people than it was told; each gets a decision."""
    desk, teams = stage.desk, stage.teams
    expected = stage.ledger.head_count
    entries = _roll(stage, seal_id)
    homes = sorted({e["household_id"] for e in entries} - {_home_of_the_case(stage)})
    away = [next(e for e in entries if e["household_id"] == home) for home in homes[:4]]
    findings = ["absent"] * expected.absent + ["lives_elsewhere"] * expected.lives_elsewhere
    for entry, finding in zip(away, findings, strict=True):
        teams.findings[entry["person_id"]] = finding
    teams.learn()
    teams.hold_rounds(DISCARDED_ON, ("head_count", "notice", *MORNING), seal_id=seal_id)
    _found_beside_the_roll(stage, homes[-1])
    desk.settle()
    _compare(stage, seal_id, expected)
    teams.learn()


def _roll(stage: Stage, seal_id: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = stage.desk.ask("isolation.get_seal_roll", seal_id=seal_id)[
        "entries"
    ]
    return entries


def _home_of_the_case(stage: Stage) -> str:
    return str(stage.person(stage.cast.discarded_case)["household_id"])


def _found_beside_the_roll(stage: Stage, household_id: str) -> None:
    """An infant without any document, and a lodger in a room that no table has."""
    assert stage.desk.now is not None  # noqa: S101 - the story set the clock first
    now = stage.desk.now.isoformat()
    neighbours = stage.desk.ask("declaration.get_roll", building=stage.district.discarded)
    home = next(r for r in neighbours["residents"] if r["household_id"] == household_id)
    lodger = document_number(EVE.replace(year=1991), 999, stage.district.edition)
    stage.desk.do(
        "declaration.register_residents",
        building=stage.district.discarded,
        source="head_count",
        residents=[
            {
                "room": home["room"],
                "household_id": household_id,
                "name": "小宝",
                "birth_on": "2019-12-20",
                "needs": ["infant"],
                "guardian_id": home["person_id"],
                "stays_since": _SINCE,
                "seen_at": now,
            },
            {
                "room": "r0299",
                "name": "租客",
                "document_number": lodger,
                "stays_since": _SINCE,
                "seen_at": now,
            },
        ],
    )


def _compare(stage: Stage, seal_id: str, expected: HeadCount) -> None:
    entries = _roll(stage, seal_id)
    orders = Counter(o["person_id"] for o in open_orders(stage.desk, seal_id=seal_id))
    statuses = Counter(entry["status"] for entry in entries)
    undecided = [
        entry["person_id"]
        for entry in entries
        if orders[entry["person_id"]] != (1 if entry["status"] in _BOUND else 0)
        or not entry["reason"]
    ]
    ledger = {"found": expected.found, "unregistered": expected.unregistered}
    ledger |= {"absent": expected.absent, "lives_elsewhere": expected.lives_elsewhere}
    stage.checks.equal("head count", ledger, dict(statuses))
    stage.checks.equal("head count: orders", expected.orders, orders.total())
    stage.checks.equal("head count: nobody without order or reason", [], undecided)
    stage.report["discarded_case"] = {"head_count": dict(statuses)}
    stage.screen.counts(
        ("清点结果：每人一道令，或一条记录在案的理由", "Head count: an order or a reason for each"),
        ("状态", "status"),
        statuses,
        ledger,
    )
