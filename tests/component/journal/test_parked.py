from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import amqp
import orjson
import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload, NotFound
from lianfang.events.journal import MessageDiscarded
from lianfang.runtime.door import Incoming
from lianfang.runtime.intake import Intake
from lianfang.runtime.timers import run_timer
from lianfang.testing.pump import Pump
from lianfang.topology import PARKING
from services.journal.domain.masking import MASK

START = datetime(2020, 2, 3, 1, tzinfo=UTC)
BUILDING = "4403.nanshan.440305001.440305001012.e03.b07"
POISON = orjson.dumps({"name": "张三", "phone": "13800138000", "type": "case.confirmed"})


@pytest.fixture
def journal(pump: Pump) -> Pump:
    pump.use("journal")
    pump.now = START
    return pump


def poison(pump: Pump, body: bytes = POISON, message_id: str = "m1", **options: Any) -> str:
    """A message nobody can read; returns the id of its record."""
    pump.send(body, f"case.confirmed.{BUILDING}", message_id=message_id, **options)
    pump.settle()
    return next(
        row["parked_id"]
        for row in pump.call("journal.find_parked")["parked"]
        if row["message_id"] == message_id
    )


def test_what_a_subscription_cannot_read_is_parked_with_all_that_is_known(journal: Pump) -> None:
    parked_id = poison(journal)
    (row,) = journal.call("journal.find_parked")["parked"]
    assert row["parked_id"] == parked_id
    assert row["origin"] == "q.journal.log"
    assert row["reason"] == "invalid_payload"
    assert row["error"].startswith("envelope: ")
    assert row["message_id"] == "m1"
    assert (row["state"], row["attempt"], row["tries"]) == ("parked", 1, 0)
    assert row["size"] == len(POISON)
    assert row["parked_at"] == START.isoformat()


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"\xff\xfe no json", {}),
        (b"{}", {"content_type": "text/plain"}),
        (b"x" * 300_000, {}),
        (b"x", {"headers": {"compression": "application/x-gzip"}}),
        (b"", {}),
    ],
)
def test_every_kind_of_poison_is_taken_over_once_and_circles_no_more(
    journal: Pump, body: bytes, options: dict[str, Any]
) -> None:
    poison(journal, body, **options)
    assert journal.settle() == 0
    assert len(journal.parked()) == 1
    (row,) = journal.call("journal.find_parked")["parked"]
    assert row["size"] == len(body)


def test_the_content_is_encrypted_at_rest_and_masked_on_the_screen(journal: Pump) -> None:
    parked_id = poison(journal, headers={"sender": "李四", "kind": "form"})
    (stored,) = journal.documents("journal").raw("parked").find()
    assert "张三".encode() not in bytes(stored["sealed"])
    assert b"13800138000" not in bytes(stored["sealed"])
    assert "李四".encode() not in bytes(stored["sealed"])
    shown = journal.call("journal.get_parked", parked_id=parked_id)
    assert shown["body"] == {"name": MASK, "phone": MASK, "type": "case.confirmed"}
    assert shown["headers"] == {"sender": MASK, "kind": "form"}
    assert shown["content_type"] == "application/cloudevents+json"


def test_the_same_poison_from_two_subscriptions_is_two_records(journal: Pump) -> None:
    intake = _parking(journal)
    service = journal.used["journal"]
    batch = [_parked(origin) for origin in ("q.isolation.cases", "q.dispatch.causes")]
    intake.handle(service.instance, batch)
    rows = journal.call("journal.find_parked")["parked"]
    assert {row["origin"] for row in rows} == {"q.isolation.cases", "q.dispatch.causes"}


def test_parked_messages_are_counted_by_what_was_wrong_and_where(journal: Pump) -> None:
    intake, service = _parking(journal), journal.used["journal"]
    bug = {"reason": "bug", "stack": "3f2a9c01"}
    intake.handle(service.instance, [_parked("q.x.y", message_id=f"m{n}", **bug) for n in range(3)])
    journal.now = START + timedelta(minutes=5)
    intake.handle(service.instance, [_parked("q.x.y", message_id="m3", **bug)])
    intake.handle(service.instance, [_parked("q.x.z"), _parked("q.x.y", message_id="m4")])
    counted = journal.call("journal.count_parked")
    most, *others = counted["causes"]
    assert counted["count"] == 6
    assert (most["reason"], most["origin"], most["stack"]) == ("bug", "q.x.y", "3f2a9c01")
    assert (most["count"], most["first_at"]) == (4, START.isoformat())
    assert most["last_at"] == (START + timedelta(minutes=5)).isoformat()
    assert journal.call("journal.get_parked", parked_id=most["parked_id"])["message_id"] == "m3"
    assert [each["count"] for each in others] == [1, 1]
    where = {name: most[name] for name in ("reason", "origin", "stack")}
    found = journal.call("journal.find_parked", **where)["parked"]
    assert {row["message_id"] for row in found} == {"m0", "m1", "m2", "m3"}
    assert journal.call("journal.count_parked", state="discarded")["causes"] == []


def test_a_copy_of_what_is_parked_changes_nothing(journal: Pump) -> None:
    intake, service = _parking(journal), journal.used["journal"]
    intake.handle(service.instance, [_parked("q.x.y"), _parked("q.x.y")])
    intake.handle(service.instance, [_parked("q.x.y")])
    (row,) = journal.call("journal.find_parked")["parked"]
    assert (row["attempt"], row["revision"]) == (1, 1)


def test_a_replay_goes_to_its_origin_with_the_same_bytes(journal: Pump) -> None:
    parked_id = poison(journal, headers={"sender": "x"})
    answered = journal.call("journal.replay_parked", parked_id=parked_id, actor="王工")
    assert (answered["state"], answered["replayed_by"]) == ("replaying", "王工")
    (raw,) = journal._fetch("q.journal.log")[:1]
    assert raw.body == POISON
    assert raw.headers["x-message-id"] == "m1"
    assert raw.headers["sender"] == "x"
    assert "x-attempt" not in raw.headers
    (said,) = journal.events("message.replayed")
    assert (said.parked_id, said.origin, said.by) == (parked_id, "q.journal.log", "王工")


def test_what_comes_back_from_a_replay_is_parked_once_more(journal: Pump) -> None:
    parked_id = poison(journal)
    journal.call("journal.replay_parked", parked_id=parked_id)
    journal.now = START + timedelta(minutes=1)
    journal.settle()
    row = journal.call("journal.get_parked", parked_id=parked_id)
    assert (row["state"], row["attempt"]) == ("parked", 2)
    assert row["parked_at"] == (START + timedelta(minutes=1)).isoformat()


def misparked(journal: Pump, n: int = 1, reason: str = "bug") -> tuple[str, str]:
    """A good event that was parked although its subscription can handle it; parked and event id."""
    event = MessageDiscarded(parked_id=f"p{n}", origin="q", by="x", reason="y", at=START)
    envelope = journal.publish(event, BUILDING)
    (raw,) = journal._fetch("q.journal.log")
    parked = _parked("q.journal.log", body=raw.body, message_id=envelope.id, reason=reason)
    _parking(journal).handle(journal.used["journal"].instance, [parked])
    (row,) = (
        row
        for row in journal.call("journal.find_parked")["parked"]
        if row["message_id"] == envelope.id
    )
    return row["parked_id"], envelope.id


def state_of(journal: Pump, parked_id: str) -> tuple[str, int]:
    row = journal.call("journal.get_parked", parked_id=parked_id)
    return row["state"], row["attempt"]


def test_a_replay_is_done_when_its_subscription_says_so_and_not_before(journal: Pump) -> None:
    parked_id, event_id = misparked(journal)
    journal.call("journal.replay_parked", parked_id=parked_id)
    journal.now = START + timedelta(days=1)
    journal.used["journal"].engine.outbox.sweep()
    assert state_of(journal, parked_id) == ("replaying", 1), "nobody has read it yet"
    journal.settle()
    assert state_of(journal, parked_id) == ("replayed", 1)
    assert journal.call("journal.get_event", event_id=event_id)["event"]["subject"] == "p1"
    assert journal.parked() == [], "a word is no parked message"


def test_a_replay_sent_twice_ends_as_one(journal: Pump) -> None:
    parked_id, event_id = misparked(journal)
    journal.call("journal.replay_parked", parked_id=parked_id)
    journal.call("journal.replay_parked", parked_id=parked_id)
    journal.settle()
    assert state_of(journal, parked_id) == ("replayed", 1)
    assert len(journal.events("message.replayed")) == 2
    with pytest.raises(IllegalTransition):
        journal.call("journal.replay_parked", parked_id=parked_id)


def test_a_replay_to_a_queue_that_is_gone_is_parked_again_and_says_so(journal: Pump) -> None:
    _parking(journal).handle(journal.used["journal"].instance, [_parked("q.journal.retired")])
    (row,) = journal.call("journal.find_parked")["parked"]
    journal.call("journal.replay_parked", parked_id=row["parked_id"])
    journal.settle()
    assert state_of(journal, row["parked_id"]) == ("replaying", 1)
    assert journal.tick() == 1
    (back,) = journal.call("journal.find_parked", state="parked")["parked"]
    assert back["reason"] == "origin_gone"
    assert back["error"] == "there is no queue q.journal.retired"
    assert journal.call("journal.find_stuck")["count"] == 0, "nothing waits for an operator twice"
    assert journal.tick() == 0


def test_victims_are_replayed_by_themselves_one_at_a_time(journal: Pump) -> None:
    ids = [misparked(journal, n, "delivery_limit")[0] for n in range(3)]
    other, _ = misparked(journal, 9)
    timer = next(t for t in journal.used["journal"].timers if t.name == "replay_victim")
    engine, instance = journal.used["journal"].engine, journal.used["journal"].instance
    assert run_timer(engine, timer, instance) == 1
    assert run_timer(engine, timer, instance) == 0, "the first is still under way"
    states = [state_of(journal, parked_id)[0] for parked_id in ids]
    assert sorted(states) == ["parked", "parked", "replaying"]
    journal.settle()  # each word starts the next
    assert {state_of(journal, parked_id) for parked_id in ids} == {("replayed", 1)}
    assert state_of(journal, other) == ("parked", 1)
    said = [(event.parked_id, event.by) for event in journal.events("message.replayed")]
    assert sorted(said) == sorted((parked_id, "journal") for parked_id in ids)


def test_a_victim_that_dies_again_is_a_persons(journal: Pump) -> None:
    parked_id, _ = misparked(journal, 1, "delivery_limit")
    driven = journal.used["journal"]
    timer = next(t for t in driven.timers if t.name == "replay_victim")
    assert run_timer(driven.engine, timer, driven.instance) == 1
    (raw,) = [raw for raw in journal._fetch("q.journal.log") if "x-replay" in raw.headers]
    death = [{"queue": "q.journal.log", "reason": "delivery_limit", "count": 1}]
    died = Incoming(
        body=raw.body, properties=raw.properties, headers={**raw.headers, "x-death": death}
    )
    _parking(journal).handle(driven.instance, [died])
    assert state_of(journal, parked_id) == ("parked", 2)
    assert journal.tick() == 0
    assert state_of(journal, parked_id) == ("parked", 2)


def test_two_journals_start_one_victim(journal: Pump) -> None:
    for n in range(2):
        misparked(journal, n, "delivery_limit")
    timer = next(t for t in journal.used["journal"].timers if t.name == "replay_victim")
    barrier = threading.Barrier(2, timeout=10)
    looked = threading.local()

    def together(reader: Any, now: datetime, limit: int) -> list[str]:
        found = timer.due(reader, now, limit)
        if not hasattr(looked, "once"):
            looked.once = True
            barrier.wait()
        return found

    same = replace(timer, due=together)
    driven = journal.used["journal"]
    threads = [
        threading.Thread(target=run_timer, args=(driven.engine, same, driven.instance))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.call("journal.find_parked", state="replaying")["parked"]) == 1


def test_a_word_from_elsewhere_ends_nothing(journal: Pump) -> None:
    parked_id, _ = misparked(journal)
    word = {"x-replay": parked_id, "x-origin": "q.isolation.cases", "x-outcome": "done"}
    _parking(journal).handle(
        journal.used["journal"].instance, [Incoming(body=b"", properties={}, headers=word)]
    )
    assert state_of(journal, parked_id) == ("parked", 1)
    assert len(journal.call("journal.find_parked")["parked"]) == 1


def test_a_dead_message_with_a_words_headers_is_kept(journal: Pump) -> None:
    """The broker dead-letters with the sender's own headers, whatever they pretend."""
    death = [{"queue": "q.journal.log", "reason": "delivery_limit", "count": 1}]
    headers = {"x-replay": "p", "x-origin": "q.journal.log", "x-outcome": "done", "x-death": death}
    _parking(journal).handle(
        journal.used["journal"].instance, [Incoming(body=b"", properties={}, headers=headers)]
    )
    assert len(journal.call("journal.find_parked")["parked"]) == 1


def test_a_discarded_message_stays_readable_and_goes_nowhere(journal: Pump) -> None:
    parked_id = poison(journal)
    discarded = journal.call(
        "journal.discard_parked", parked_id=parked_id, reason="a test message", actor="王工"
    )
    assert (discarded["state"], discarded["discarded_by"]) == ("discarded", "王工")
    journal.settle()
    (said,) = journal.events("message.discarded")
    assert (said.by, said.reason) == ("王工", "a test message")
    with pytest.raises(IllegalTransition):
        journal.call("journal.replay_parked", parked_id=parked_id)
    with pytest.raises(IllegalTransition):
        journal.call("journal.discard_parked", parked_id=parked_id, reason="again")
    assert journal.call("journal.get_parked", parked_id=parked_id)["body"] is not None
    poison(journal)
    assert journal.call("journal.get_parked", parked_id=parked_id)["state"] == "discarded"


def test_a_discard_needs_a_reason(journal: Pump) -> None:
    with pytest.raises(InvalidPayload):
        journal.call("journal.discard_parked", parked_id="p", reason="")
    with pytest.raises(NotFound):
        journal.call("journal.discard_parked", parked_id="p", reason="why")


def test_a_message_that_died_of_the_delivery_limit_is_kept_and_replayed(
    journal: Pump,
) -> None:
    """The broker dead-letters it without any header of ours."""
    event = MessageDiscarded(parked_id="p", origin="q", by="x", reason="y", at=START)
    envelope = journal.publish(event, BUILDING)
    channel = journal._connection.channel()
    for _ in range(60):
        message = channel.basic_get("q.journal.log")
        if message is None:
            break
        channel.basic_reject(message.delivery_tag, requeue=True)
    channel.close()
    row = _until_parked(journal)
    assert (row["origin"], row["reason"]) == ("q.journal.log", "delivery_limit")
    assert row["message_id"] == envelope.id
    assert journal.tick() >= 1
    assert state_of(journal, row["parked_id"]) == ("replayed", 1)
    assert journal.call("journal.get_event", event_id=envelope.id)


def _until_parked(journal: Pump) -> dict[str, Any]:
    for _ in range(200):
        journal.settle()
        rows = journal.call("journal.find_parked")["parked"]
        if rows:
            return rows[0]
        journal._channel.queue_declare(PARKING, passive=True)
    raise AssertionError("nothing was parked")


def test_a_message_of_unknown_origin_is_kept_and_cannot_be_replayed(journal: Pump) -> None:
    message = amqp.Message(b"from nowhere", application_headers={"x-death": "nonsense"})
    journal._channel.basic_publish(message, PARKING, "")
    journal.settle()
    (row,) = journal.call("journal.find_parked")["parked"]
    assert (row["origin"], row["reason"]) == ("unknown", "unknown")
    with pytest.raises(Conflict):
        journal.call("journal.replay_parked", parked_id=row["parked_id"])


def _parking(journal: Pump) -> Intake:
    driven = journal.used["journal"]
    (handler,) = [handler for handler in driven.handlers if handler.queue == PARKING]
    return Intake(driven.engine, handler)


def _parked(
    origin: str,
    body: bytes = POISON,
    message_id: str = "m1",
    reason: str = "bug",
    stack: str = "",
) -> Incoming:
    headers = {"x-origin": origin, "x-reason": reason, "x-message-id": message_id}
    headers["x-stack"] = stack
    properties = {"content_type": "application/cloudevents+json"}
    return Incoming(body=body, properties=properties, headers=headers)
