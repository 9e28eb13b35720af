from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import amqp
import orjson
import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload, NotFound
from lianfang.events.journal import MessageDiscarded
from lianfang.runtime.door import Incoming
from lianfang.runtime.intake import Intake
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


def test_what_does_not_come_back_counts_as_replayed(journal: Pump) -> None:
    event = MessageDiscarded(parked_id="p", origin="q", by="x", reason="y", at=START)
    envelope = journal.publish(event, BUILDING)
    (raw,) = journal._fetch("q.journal.log")
    parked = _parked("q.journal.log", body=raw.body, message_id=envelope.id)
    _parking(journal).handle(journal.used["journal"].instance, [parked])
    (row,) = journal.call("journal.find_parked", state="parked")["parked"]
    journal.call("journal.replay_parked", parked_id=row["parked_id"])
    journal.settle()
    journal.tick()
    assert journal.call("journal.find_parked", state="replaying")["parked"]
    journal.now = START + timedelta(seconds=10)
    assert journal.tick() == 1
    assert journal.call("journal.find_parked", state="replayed")["parked"]
    assert journal.call("journal.get_event", event_id=envelope.id)["event"]["subject"] == "p"


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


def test_a_message_that_died_of_the_delivery_limit_is_kept_and_can_be_replayed(
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
    assert row["message_id"] == envelope.id or row["size"] > 0
    journal.call("journal.replay_parked", parked_id=row["parked_id"])
    journal.settle()
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


def _parked(origin: str, body: bytes = POISON, message_id: str = "m1") -> Incoming:
    headers = {"x-origin": origin, "x-reason": "bug", "x-message-id": message_id}
    properties = {"content_type": "application/cloudevents+json"}
    return Incoming(body=body, properties=properties, headers=headers)
