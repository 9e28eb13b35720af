"""`lianfang parked` at a terminal, against five real processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import orjson
import pytest

from lianfang.cli.speech import os_user
from lianfang.testing.pace import wait_until_idle
from tests.component.operations.conftest import Operator

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def nothing_parked(operator: Operator) -> Iterator[None]:
    """What an earlier test left parked is no cause here."""
    yield
    operator.district.database("journal").parked.delete_many({})


def halves(operator: Operator, count: int = 3) -> str:
    """Half messages that the journal and two services cannot read; the journal's cause."""
    for _ in range(count):
        operator.publish(b'{"half":', str(uuid4()))
    return cause_at(operator, "q.journal.log")["cause"]


def cause_at(operator: Operator, origin: str) -> dict[str, Any]:
    (cause,) = operator.reads(f"parked list --origin {origin}")
    return dict(cause)


def misparked(operator: Operator) -> tuple[str, str]:
    """A good event that the journal has, parked by mistake; cause and event id."""
    path = f"4403.{operator.district.name}.440305001"
    place = {"path": path, "name": f"街道{uuid4().hex[:4]}"}
    operator.caller.command("declaration.register_place", places=[place])
    wait_until_idle(operator.caller)
    newest = {"type": "place.registered", "limit": 1}
    (event,) = operator.caller.query("journal.find_events", **newest)["events"]
    body = {
        "specversion": "1.0",
        "id": event["event_id"],
        "source": event["source"],
        "type": event["type"],
        "dataschema": event["dataschema"],
        "subject": event["subject"],
        "time": event["at"],
        "correlationid": event["correlation_id"],
        "causationid": event["causation_id"],
        "place": event["place"],
        "datacontenttype": "application/json",
        "data": event["data"],
    }
    why = {"reason": "bug", "stack": "3f2a9c01", "error": "KeyError in places"}
    operator.park(orjson.dumps(body), "q.journal.log", event["event_id"], **why)
    return cause_at(operator, "q.journal.log")["cause"], event["event_id"]


def test_the_list_tells_causes_with_count_and_example_in_both_languages(operator: Operator) -> None:
    cause = halves(operator, 3)
    told = cause_at(operator, "q.journal.log")
    assert (told["count"], told["reason"], told["cause"]) == (3, "undecodable", cause)
    zh, en = operator.says("parked list"), operator.says("parked list --lang en")
    assert zh.returncode == en.returncode == 0
    for said in (zh, en):
        assert re.search(rf"{cause} +3 +undecodable +q\.journal\.log ", said.stdout)
        assert told["parked_id"] in said.stdout
    assert "不是可读的 JSON" in zh.stdout
    assert "lianfang parked replay --cause " in en.stdout
    each = operator.says("parked list --each --origin q.journal.log --lang en")
    assert each.stdout.count(cause) == 3
    assert "3 messages" in each.stdout


def test_nothing_parked_is_said_in_words(operator: Operator) -> None:
    assert operator.says("parked list").stdout == "没有滞留消息。\n"
    assert operator.reads("parked list") == []


def test_one_message_is_shown_with_all_that_is_known_and_no_name(operator: Operator) -> None:
    operator.publish(orjson.dumps({"name": "张三", "phone": "13800138000"}), "shape-1")
    parked_id = cause_at(operator, "q.journal.log")["parked_id"]
    said = operator.says(f"parked show {parked_id} --lang en").stdout
    assert "张三" not in said
    assert "13800138000" not in said
    assert "•••" in said
    for word in ("invalid_payload", "q.journal.log", "shape-1", "envelope: ", "attempt 1"):
        assert word in said
    assert operator.reads(f"parked show {parked_id}")["history"] == []


def test_a_cause_that_stands_parks_its_messages_again_and_ends_with_1(operator: Operator) -> None:
    cause = halves(operator, 2)
    done = operator.says(f"parked replay --cause {cause} --yes --lang en --actor duty:li")
    assert done.returncode == 1
    assert "parked again: 2" in done.stdout
    parked_id = cause_at(operator, "q.journal.log")["parked_id"]
    shown = operator.reads(f"parked show {parked_id}")
    assert (shown["state"], shown["attempt"]) == ("parked", 2)
    assert [event["data"]["by"] for event in shown["history"]] == ["duty:li"]
    assert "parked (attempt 2)" in operator.says(f"parked show {parked_id} --lang en").stdout


def test_what_can_be_handled_now_is_replayed_and_whose_word_it_was_is_kept(
    operator: Operator,
) -> None:
    cause, event_id = misparked(operator)
    trace = operator.says(f"trace {event_id} --lang en").stdout
    assert "parked at q.journal.log" in trace
    done = operator.reads(f"parked replay --cause {cause} --yes")
    assert done == {"done": 1, "parked_again": [], "waiting": 0, "refused": {}}
    (row,) = operator.reads("parked list --each --state replayed")
    assert row["replayed_by"] == os_user()
    assert "parked at" not in operator.says(f"trace {event_id} --lang en").stdout


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_without_a_yes_nothing_is_done(operator: Operator, answer: str) -> None:
    cause = halves(operator, 1)
    for line in (f"replay --cause {cause}", f"discard --cause {cause} --reason x"):
        done = operator.says(f"parked {line} --lang en", answer)
        assert done.returncode == 1
        assert "1?" in done.stderr
    assert operator.reads("parked list --origin q.journal.log")[0]["count"] == 1


def test_what_is_discarded_says_who_and_why_and_is_not_replayed(operator: Operator) -> None:
    cause = halves(operator, 2)
    rows = operator.reads("parked list --each --origin q.journal.log")
    one, other = (row["parked_id"] for row in rows)
    done = operator.says(f"parked discard {one} --reason twice --lang en", "y\n")
    assert (done.returncode, "Discarded: 1." in done.stdout) == (0, True)
    shown = operator.reads(f"parked show {one}")
    assert (shown["discarded_by"], shown["discard_reason"]) == (os_user(), "twice")
    refused = operator.reads(f"parked replay {one} --yes")
    assert (refused["done"], list(refused["refused"])) == (0, [one])
    mixed = operator.says(f"parked discard {one} {other} --yes --reason both")
    assert mixed.returncode == 1
    assert "已放弃 1 条" in mixed.stdout
    assert operator.says(f"parked replay --cause {cause} --yes").returncode == 2
