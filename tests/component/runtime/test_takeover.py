"""Rows of a killed process are published by the next one that starts, whoever claimed them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lianfang.events import event_id
from lianfang.runtime.outbox import Outbox
from lianfang.runtime.publisher import Publisher
from lianfang.runtime.work import OWN_CLAIM
from lianfang.topology import EVENTS
from tests.component.runtime.probe import PLACE
from tests.component.runtime.rig import Rig, body_of, discarded, until

#: Longer than the tests wait: nobody gets these rows by waiting for the claim to end.
CLAIM = OWN_CLAIM


def row(key: str, **changes: Any) -> dict[str, Any]:
    """A committed row that another process has to itself."""
    event = discarded(key)
    now = datetime.now(UTC)
    return {
        "_id": event_id(event),
        "exchange": EVENTS,
        "key": f"message.discarded.{PLACE}",
        "body": body_of(event),
        "at": now,
        "claimed_until": now + CLAIM,
        "tries": 0,
        "stuck": False,
    } | changes


def test_a_process_that_starts_publishes_what_the_killed_one_had_committed(rig: Rig) -> None:
    outbox = rig.database["outbox"]
    outbox.insert_many([row(f"left-{n}") for n in range(450)])  # more than one sweep takes
    rig.start()
    until(lambda: outbox.count_documents({}) == 0, seconds=8)
    until(lambda: rig.database["seen"].count_documents({"times": 1}) == 450)


def test_what_is_stuck_or_younger_is_left_where_it_is(rig: Rig) -> None:
    outbox = rig.database["outbox"]
    before = datetime.now(UTC)
    rows = [row("stuck", stuck=True), row("younger", at=before + timedelta(seconds=5)), row("old")]
    rows[2]["at"] = before - timedelta(seconds=5)
    outbox.insert_many(rows)
    assert rig.engine.outbox.take_over(before) == 1
    assert {left["_id"] for left in outbox.find()} == {each["_id"] for each in rows[:2]}


def test_without_a_broker_nothing_is_lost_and_nothing_is_raised(rig: Rig) -> None:
    rig.database["outbox"].insert_one(row("kept", at=datetime.now(UTC) - timedelta(seconds=5)))
    nowhere = Publisher("amqp://nobody:nothing@127.0.0.1:1/", "nobody")
    assert Outbox(rig.database, nowhere).take_over(datetime.now(UTC)) == 0
    assert rig.database["outbox"].count_documents({}) == 1


def test_a_claim_of_a_clock_that_was_ahead_is_none(rig: Rig) -> None:
    now = datetime.now(UTC)
    rows = [row(f"ahead-{n}", at=now, claimed_until=now + timedelta(hours=1)) for n in range(3)]
    rig.database["outbox"].insert_many([*rows, row("mine")])
    assert rig.engine.outbox.sweep() == len(rows)
    (left,) = rig.database["outbox"].find()
    assert left["_id"] == row("mine")["_id"]
