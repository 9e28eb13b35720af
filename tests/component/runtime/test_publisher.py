from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from select import select
from urllib.parse import urlsplit

import pytest
from amqp import Message

from lianfang.client import District
from lianfang.errors import Unavailable
from lianfang.runtime import broker
from lianfang.runtime.publisher import ChannelRefused, Outgoing, Publisher
from lianfang.runtime.replays import Stored, replay
from lianfang.topology import EVENTS, rpc_queue
from tests.component.runtime.rig import MANY, ONE, Rig, discarded, until
from tests.component.runtime.wire import Wire
from tests.faults import wire as faulty
from tests.faults.proxy import Proxies

KEY = "message.discarded.4403.nanshan"


def message(name: str, exchange: str = EVENTS, key: str = KEY, body: bytes = b"{}") -> Outgoing:
    return Outgoing(id=name, exchange=exchange, routing_key=key, body=body)


@pytest.fixture
def publisher(rig: Rig) -> Iterator[Publisher]:
    made = Publisher(rig.settings.amqp_uri, "test")
    yield made
    made.close()


@pytest.fixture
def wire(rig: Rig) -> Iterator[Wire]:
    made = Wire(rig.settings.amqp_uri)
    made.plug_in()
    yield made
    made.close()


def test_what_is_confirmed_has_arrived(publisher: Publisher, rig: Rig) -> None:
    names = {f"m{n}" for n in range(1200)}
    assert publisher.publish([message(name) for name in names]) == names
    assert {raw.properties["message_id"] for raw in rig.take(ONE)} == names


def test_a_window_leaves_in_order_and_in_few_pieces(publisher: Publisher, rig: Rig) -> None:
    sizes = [10, 70_000, 1_400, 200_000, 1]
    sent = [message(f"m{n}", body=bytes([65 + n % 26]) * sizes[n % 5]) for n in range(40)]
    pieces: list[int] = []
    publisher.publish([message("first")])
    transport = publisher._connection.transport
    write = transport._write
    transport._write = lambda piece: (pieces.append(len(piece)), write(piece))
    assert len(publisher.publish(sent)) == len(sent)
    arrived = [raw.body for raw in rig.take(ONE)]
    assert arrived == [b"{}", *(each.body for each in sent)]
    assert len(pieces) < len(sent)


def test_a_slow_wire_takes_its_time_and_nothing_goes_twice(rig: Rig) -> None:
    """Four seconds for the window, one for each next confirm."""
    broker_at = urlsplit(rig.settings.amqp_uri).netloc.rpartition("@")[2]
    sent = [message(f"m{n}", body=b"x" * 4000) for n in range(100)]
    with Proxies() as proxies:
        proxy = proxies.before(broker_at)
        uri = rig.settings.amqp_uri.replace(broker_at, proxy.address)
        slow = Publisher(uri, "slow", confirm_timeout=1.0)
        slow.publish([message("first")])
        proxy.wire = faulty.Wire(up=faulty.Line(piece=4000, rate=100_000))
        assert slow.publish(sent) == {each.id for each in sent}
        slow.close()
    assert len(rig.take(ONE)) == 1 + len(sent)


def test_callers_that_share_a_window_get_each_their_own(publisher: Publisher, rig: Rig) -> None:
    """One window for all who wait; a message that closes the channel spoils only its own."""
    wanted = [[message(f"c{c}-{n}") for n in range(20)] for c in range(6)]
    wanted[3] = [message("wrong", "no-such-exchange")]
    publisher._lock.acquire()
    with ThreadPoolExecutor(len(wanted)) as callers:
        calls = [callers.submit(publisher.publish, each) for each in wanted]
        assert until(lambda: len(publisher._orders) == len(wanted))
        publisher._lock.release()
        for n, call in enumerate(calls):
            if n == 3:
                with pytest.raises(ChannelRefused):
                    call.result()
            else:
                assert call.result() == {each.id for each in wanted[n]}
    assert {raw.properties["message_id"] for raw in rig.take(ONE)} == {
        each.id for n, group in enumerate(wanted) if n != 3 for each in group
    }


def test_a_publish_reads_nothing(publisher: Publisher, rig: Rig) -> None:
    """The trap: py-amqp's reads first, beside whatever loop reads the same connection."""
    connection = broker.open_connection(rig.settings.amqp_uri, "reader and writer")
    channel = connection.channel()
    arrived: list[object] = []
    channel.basic_consume(ONE, callback=arrived.append)
    publisher.publish([message("first")])
    assert until(lambda: select([connection.transport.sock], [], [], 1)[0])
    channel.basic_publish(Message(b"{}"), EVENTS, KEY)
    assert arrived == []
    connection.drain_events(timeout=5)
    assert len(arrived) == 1
    connection.close()


def test_a_message_that_closes_the_channel_is_told_apart(publisher: Publisher, rig: Rig) -> None:
    with pytest.raises(ChannelRefused):
        publisher.publish([message("a"), message("wrong", "no-such-exchange")])
    assert publisher.publish([message("b")]) == {"b"}


def test_a_broker_that_never_confirms_is_given_up_in_time(wire: Wire) -> None:
    publisher = Publisher(wire.uri, "test", confirm_timeout=0.5)
    assert publisher.publish([message("a")]) == {"a"}
    wire.silence()
    started = time.monotonic()
    assert publisher.publish([message("b")]) == set()
    publisher.close()
    assert time.monotonic() - started < 5


def test_a_broker_that_accepts_and_never_answers_is_given_up_in_time(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ANSWER_TIMEOUT", 0.5)
    wire.silence()
    publisher = Publisher(wire.uri, "test")
    started = time.monotonic()
    assert publisher.publish([message("a")]) == set()
    assert time.monotonic() - started < 5


def test_a_goodbye_that_nobody_answers_is_given_up_in_time(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ANSWER_TIMEOUT", 0.5)
    connection = broker.open_connection(wire.uri, "test")
    wire.silence()
    started = time.monotonic()
    broker.close_quietly(connection)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("connected", [True, False])
def test_a_call_through_a_silent_wire_ends_at_its_deadline(wire: Wire, *, connected: bool) -> None:
    caller = District(wire.uri)
    if connected:
        with pytest.raises(Unavailable):
            caller.query("journal.find", key="a", deadline=0.2)
    wire.silence()
    started = time.monotonic()
    with pytest.raises(Unavailable):
        caller.query("journal.find", key="a", deadline=0.5)
    caller.close()
    assert time.monotonic() - started < 5


def test_a_call_that_nobody_answers_ends_at_its_deadline(wire: Wire, rig: Rig) -> None:
    caller = District(rig.settings.amqp_uri)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        caller.query("journal.find", key="a", deadline=0.5)
    assert time.monotonic() - started < 5
    caller.close()
    # The request does not outlive its deadline either: nobody will work for nobody.
    until(lambda: rig.depth(rpc_queue("journal")) == 0)


def test_after_an_interruption_the_next_window_goes_through(wire: Wire, rig: Rig) -> None:
    publisher = Publisher(wire.uri, "test")
    assert publisher.publish([message("a")]) == {"a"}
    wire.cut()
    assert publisher.publish([message("b")]) | publisher.publish([message("c")]) >= {"c"}
    publisher.keep_alive()
    publisher.close()


def test_a_blocked_broker_gets_nothing_and_keeps_its_connection(
    publisher: Publisher, rig: Rig
) -> None:
    assert publisher.publish([message("a")]) == {"a"}
    connection = publisher._connection
    connection.on_blocked("low on memory")
    assert publisher.blocked
    assert publisher.publish([message("b")]) == set()
    connection.on_unblocked()
    assert publisher.publish([message("c")]) == {"c"}
    assert publisher._connection is connection
    assert [raw.properties["message_id"] for raw in rig.take(ONE)] == ["a", "c"]


# -- the outbox -------------------------------------------------------------------------------


def say(rig: Rig, *names: str) -> list[dict]:
    """Commit events as a unit of work does, and crash before publishing."""

    def decide(work: object) -> None:
        for name in names:
            work.publish(discarded(name), place="4403.nanshan")

    return rig.engine.run(decide)[1]


def expire(rig: Rig) -> None:
    """Let the claims of whoever committed the rows run out."""
    rig.database.outbox.update_many({}, [{"$set": {"claimed_until": "$at"}}])


def test_a_sweeper_publishes_what_a_crash_left(rig: Rig) -> None:
    say(rig, "a", "b")
    assert rig.engine.outbox.sweep() == 0, "their process may still be at it"
    expire(rig)
    assert rig.engine.outbox.sweep() == 2
    assert len(rig.take(ONE)) == 2
    assert rig.engine.outbox.measure() == 0


def test_two_sweepers_share_the_rows(rig: Rig) -> None:
    say(rig, *(f"m{n}" for n in range(20)))
    expire(rig)
    assert rig.engine.outbox._claim()
    assert rig.engine.outbox._claim() == []


def test_a_row_that_alone_closes_the_channel_is_stuck_and_the_others_flow(rig: Rig) -> None:
    (bad, *_) = say(rig, "bad", "a", "b")
    rig.database.outbox.update_one({"_id": bad["_id"]}, {"$set": {"exchange": "no-such"}})
    expire(rig)
    assert rig.engine.outbox.sweep() == 2
    (left,) = rig.database.outbox.find()
    assert (left["_id"], left["stuck"]) == (bad["_id"], True)
    assert "no-such" in left["error"]
    expire(rig)
    assert rig.engine.outbox.sweep() == 0
    assert len(rig.take(ONE)) == 2


def test_a_replay_to_a_queue_that_is_gone_is_stuck(rig: Rig) -> None:
    def decide(work: object) -> None:
        for queue, message_id in (("q.journal.gone", "m1"), (MANY, "m2")):
            stored = Stored(
                origin=queue,
                body=b"{}",
                headers={},
                message_id=message_id,
                content_type="application/json",
            )
            replay(work, f"replay of {message_id}", stored)

    _, rows = rig.engine.run(decide)
    rig.engine.say(rows)
    (left,) = rig.database.outbox.find()
    assert left["stuck"]
    (arrived,) = rig.take(MANY)
    assert arrived.headers["x-message-id"] == "m2"


def test_more_waiting_rows_than_the_high_water_stop_the_intake(rig: Rig) -> None:
    rows = [{"_id": f"r{n}", "stuck": False} for n in range(10_001)]
    rig.database.outbox.insert_many(rows, ordered=False)
    rig.engine.outbox.measure()
    assert rig.engine.outbox.under_pressure
    rig.database.outbox.delete_many({})
    rig.engine.outbox.measure()
    assert not rig.engine.outbox.under_pressure
