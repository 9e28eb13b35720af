"""Outbox rows that the broker refuses: every service shows them, and lets them go when asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from lianfang.events.journal import MessageDiscarded
from lianfang.testing.pump import Pump

START = datetime(2020, 2, 3, 1, tzinfo=UTC)
MISSING = "built-later"


@pytest.fixture
def journal(pump: Pump) -> Iterator[Pump]:
    pump.use("journal")
    pump.now = START
    yield pump
    pump._channel.exchange_delete(MISSING)


def refuse(pump: Pump, key: str) -> str:
    """Commit an event whose exchange nobody built yet, and let the sweeper try; its row's id."""
    engine = pump.used["journal"].engine
    event = MessageDiscarded(parked_id=key, origin="q", by="x", reason="y", at=START)
    _, (row,) = engine.run(lambda work: work.publish(event, place="4403.nanshan"))
    outbox = pump.documents("journal").raw("outbox")
    outbox.update_one({"_id": row["_id"]}, {"$set": {"exchange": MISSING, "claimed_until": START}})
    assert engine.outbox.sweep() == 0
    return row["_id"]


def build(pump: Pump) -> str:
    """What was missing; returns the queue that hears of it."""
    pump._channel.exchange_declare(MISSING, "fanout")
    return pump._tap(MISSING, "")


def heard(pump: Pump, queue: str) -> list[Any]:
    return [raw.properties["message_id"] for raw in pump._fetch(queue)]


def test_a_stuck_row_is_shown_with_what_the_broker_said(journal: Pump) -> None:
    row_id = refuse(journal, "a")
    answer = journal.call("journal.find_stuck")
    (row,) = answer["rows"]
    assert (answer["count"], row["row_id"], row["exchange"]) == (1, row_id, MISSING)
    assert row["key"].startswith("message.discarded.")
    assert MISSING in row["error"]
    assert row["size"] > 0


def test_a_released_row_goes_out_and_the_answer_names_who_let_it_go(journal: Pump) -> None:
    first, second = refuse(journal, "a"), refuse(journal, "b")
    queue = build(journal)
    answer = journal.call("journal.release_outbox", row_ids=[first], actor="王工")
    assert (answer["row_ids"], answer["by"]) == ([first], "王工")
    engine = journal.used["journal"].engine
    assert engine.outbox.sweep() == 1
    assert heard(journal, queue) == [first]
    assert journal.call("journal.release_outbox")["row_ids"] == [second]
    assert engine.outbox.sweep() == 1
    assert heard(journal, queue) == [second]
    kept = [row["answer"] for row in journal.documents("journal").raw("commands").find()]
    assert sum("王工".encode() in bytes(each) for each in kept) == 1


def test_what_the_broker_still_refuses_sticks_again(journal: Pump) -> None:
    row_id = refuse(journal, "a")
    journal.call("journal.release_outbox")
    assert journal.call("journal.find_stuck")["rows"] == []
    assert journal.used["journal"].engine.outbox.sweep() == 0
    (row,) = journal.call("journal.find_stuck")["rows"]
    assert row["row_id"] == row_id
    assert MISSING in row["error"]


def test_a_row_that_waits_its_turn_is_left_alone(journal: Pump) -> None:
    engine = journal.used["journal"].engine
    event = MessageDiscarded(parked_id="a", origin="q", by="x", reason="y", at=START)
    _, (row,) = engine.run(lambda work: work.publish(event, place="4403.nanshan"))
    assert journal.call("journal.release_outbox", row_ids=[row["_id"]])["row_ids"] == []
    assert engine.outbox.sweep() == 0, "its process may still be at it"
