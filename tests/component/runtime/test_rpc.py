from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import amqp
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.client import District
from lianfang.errors import (
    Bug,
    Conflict,
    InvalidPayload,
    LianfangError,
    NotFound,
    NotPermitted,
    Overloaded,
)
from lianfang.runtime.commands import answer
from lianfang.runtime.door import Incoming
from lianfang.runtime.requests import run_call
from lianfang.topology import RPC, rpc_queue
from tests.component.runtime.rig import Process, Rig, until

KEY = "9d3ec2c7-6a8e-4f2e-8a53-0a4f0e1c7d11"


# -- in this process: what a request may hold -------------------------------------------------


def ask(rig: Rig, body: bytes, method: str = "add", **properties: Any) -> dict[str, Any]:
    """The reply document to raw bytes."""
    headers = properties.pop("headers", {})
    raw = Incoming(body=body, properties={"user_id": "medic", **properties}, headers=headers)
    return orjson.loads(run_call(rig.engine, rig.calls[method], rig.probe, raw))


def error_of(rig: Rig, body: bytes, **properties: Any) -> dict[str, Any]:
    reply = ask(rig, body, **properties)
    assert reply["result"] is None
    return reply["error"]


def request(**kwargs: Any) -> bytes:
    return orjson.dumps({"args": [], "kwargs": {"request_id": "r1", "key": "a", **kwargs}})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "undecodable"),
        (b"no json", "undecodable"),
        (b"\xff\xfe{}", "undecodable"),
        (b'{"args": [], "kwargs": {"key": NaN}}', "undecodable"),
        (b'{"args": [], "kwargs": {"key": Infinity}}', "undecodable"),
        (
            b'{"args": [], "kwargs": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_000 + b"}",
            "undecodable",
        ),
        (b"[" * 500_000, "undecodable"),
        (b"[]", "invalid_payload"),
        (b'"text"', "invalid_payload"),
        (b'{"args": ["a"], "kwargs": {}}', "invalid_payload"),
        (b'{"kwargs": [1]}', "invalid_payload"),
        (b'{"kwargs": null}', "invalid_payload"),
        (b'{"kwargs": {}}', "invalid_payload"),
        (request(key=None), "invalid_payload"),
        (request(key=["a"]), "invalid_payload"),
        (request(key={"$ne": 1}), "invalid_payload"),
        (request(unknown=1), "invalid_payload"),
        (request(note=7), "invalid_payload"),
        (request(note="x" * 1_000_000), "invalid_payload"),
        (request(note="x" * 1_048_576), "too_large"),
        (request(note="a\0b"), "invalid_payload"),
        (request(request_id="no id!"), "invalid_payload"),
        (request(**{"$where": "1"}), "invalid_payload"),
        (b'{"kwargs": {"request_id": "r", "key": "a", "note": "\\ud800"}}', "invalid_payload"),
        (b'{"kwargs": {"request_id": "r", "key": "a", "\\ud800": 1}}', "invalid_payload"),
        (
            b'{"kwargs": {"request_id": "r", "key": "a", "facts": {"x": "\\udfff"}}}',
            "invalid_payload",
        ),
    ],
)
def test_bad_input_is_refused_with_its_code_and_changes_nothing(
    rig: Rig, body: bytes, code: str
) -> None:
    error = error_of(rig, body)
    assert error["code"] == code
    assert len(error["value"]) < 1000
    assert rig.seen("a") is None
    assert rig.database.commands.count_documents({}) == 0


def test_a_refusal_names_the_field_and_the_reason(rig: Rig) -> None:
    body = b'{"kwargs": {"request_id": "r", "key": "a", "note": "\\ud800", "more": 1}}'
    fields = error_of(rig, body)["context"]["fields"]
    assert fields == {"note": ["holds a lone surrogate"], "more": ["Unknown field"]}


@pytest.mark.parametrize("facts", ['{"\\ud800": 1}', '{"x": 99999999999999999999999}'])
def test_what_no_document_can_hold_is_refused_inside_free_parts_too(rig: Rig, facts: str) -> None:
    body = f'{{"kwargs": {{"request_id": "r", "key": "a", "facts": {facts}}}}}'.encode()
    reply = ask(rig, body)
    assert reply["error"] is None or reply["error"]["code"] == "invalid_payload"


def test_compressed_requests_are_refused_unopened(rig: Rig) -> None:
    headers = {"compression": "application/x-gzip"}
    assert error_of(rig, b"x", headers=headers)["code"] == "invalid_payload"


def test_a_request_that_comes_too_late_is_not_begun(rig: Rig) -> None:
    late, soon = int(time.time() * 1000) - 1, int(time.time() * 1000) + 60_000
    assert error_of(rig, request(), headers={"x-deadline-ms": late})["code"] == "deadline_exceeded"
    assert rig.seen("a") is None
    assert ask(rig, request(), headers={"x-deadline-ms": soon})["result"]["times"] == 1
    assert ask(rig, request(), headers={"x-deadline-ms": "soon"})["result"]["times"] == 1


def test_of_a_request_that_expires_the_broker_keeps_the_time(rig: Rig) -> None:
    """A service whose clock is an hour ahead of its callers' answers them all the same."""
    late = int(time.time() * 1000) - 3_600_000
    reply = ask(rig, request(), headers={"x-deadline-ms": late}, expiration="30000")
    assert reply["result"]["times"] == 1


def test_a_command_without_the_brokers_user_is_refused(rig: Rig) -> None:
    assert error_of(rig, request(), user_id=None)["code"] == "not_permitted"
    assert ask(rig, b'{"kwargs": {"key": "a"}}', method="find", user_id=None)["error"] is None


def test_the_same_request_gets_the_same_answer_and_has_one_effect(rig: Rig) -> None:
    answers = [ask(rig, request(note="x")) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert rig.seen("a").times == 1
    assert rig.database.outbox.count_documents({}) == 0
    assert rig.depth("q.journal.one") == 1


def test_the_order_of_fields_makes_no_other_content(rig: Rig) -> None:
    ask(rig, b'{"kwargs": {"request_id": "r1", "key": "a", "note": "x"}}')
    reply = ask(rig, b'{"kwargs": {"note": "x", "key": "a", "request_id": "r1"}, "args": []}')
    assert reply["error"] is None


def test_other_content_under_the_same_request_id_is_a_conflict(rig: Rig) -> None:
    ask(rig, request(note="x"))
    assert error_of(rig, request(note="y"))["code"] == "conflict"
    assert rig.seen("a").note == "x"


def test_two_callers_may_use_the_same_request_id(rig: Rig) -> None:
    ask(rig, request(note="x"))
    assert ask(rig, request(note="y"), user_id="other")["result"]["times"] == 2


def test_the_same_request_twice_at_once_has_one_effect(rig: Rig) -> None:
    replies: list[Any] = []
    body = request(what="slow")

    def call() -> None:
        replies.append(ask(rig, body))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies[0] == replies[1]
    assert rig.seen("a").times == 1


def test_a_bug_answers_with_an_incident_and_none_of_its_words(rig: Rig) -> None:
    error = error_of(rig, request(what="bug", note="张三"))
    assert error["code"] == "bug"
    assert error["context"]["incident"]
    assert "张三" not in str(error)
    assert error["exc_path"] == "lianfang.errors.Bug"


def test_commands_are_refused_while_too_much_waits_to_be_published(rig: Rig) -> None:
    rig.engine.outbox.under_pressure = True
    try:
        with pytest.raises(Overloaded):
            answer(rig.engine, rig.calls["add"], rig.probe, {"request_id": "r", "key": "a"}, "me")
    finally:
        rig.engine.outbox.under_pressure = False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(st.sampled_from(["key", "note", "facts", "what", "actor", "x"]), JSON))
def test_whatever_a_caller_sends_is_answered(rig: Rig, document: dict[str, Any]) -> None:
    import json

    body = json.dumps({"kwargs": {"request_id": "r", **document}}).encode()
    reply = ask(rig, body)
    assert (reply["result"] is None) != (reply["error"] is None)
    if reply["error"] is not None:
        assert reply["error"]["code"] in ("invalid_payload", "undecodable", "conflict")


# -- over the broker --------------------------------------------------------------------------


@pytest.fixture
def caller(session_rig: Rig, shared: Process) -> Iterator[District]:
    session_rig.reset()
    with District(session_rig.settings.amqp_uri, actor="李队长") as district:
        yield district
        assert district.query("journal.find", key="afterwards")["times"] == 0
    assert shared.alive
    assert session_rig.depth(rpc_queue("journal")) == 0


def test_a_call_goes_through(caller: District, session_rig: Rig) -> None:
    answered = caller.command("journal.add", key="a", note="x")
    assert answered == {"key": "a", "times": 1, "note": "x"}
    assert caller.query("journal.find", key="a")["times"] == 1
    until(lambda: session_rig.seen("said-a"))


def test_errors_come_back_as_their_classes(caller: District) -> None:
    with pytest.raises(NotFound):
        caller.query("journal.no_such_method")
    with pytest.raises(InvalidPayload) as caught:
        caller.query("journal.find", key="a", other=1)
    assert caught.value.context["fields"] == {"other": ["Unknown field"]}
    with pytest.raises(Bug):
        caller.command("journal.add", key="a", what="bug")
    caller.command("journal.add", key="a", request_id="r1")
    with pytest.raises(Conflict):
        caller.command("journal.add", key="b", request_id="r1")


def test_idle_and_clock_are_answered_by_every_service(caller: District) -> None:
    until(lambda: not any(caller.query("journal.get_idle").values()))
    now = "2020-02-03T01:00:00+00:00"
    assert caller.query("journal.set_clock", now=now)["now"].startswith("2020-02-03T01:00:00")
    with pytest.raises(InvalidPayload):
        caller.query("journal.set_clock", now="2020-02-03T01:00:00")


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"reply_to": "nobody waits here"},
        {"reply_to": "journal.add"},
        {"reply_to": KEY},
        {"reply_to": b"\xff"},
        {"application_headers": {"nameko.call_id_stack": 7}},
        {"expiration": "600000", "correlation_id": "x" * 255},
    ],
)
def test_a_request_that_nobody_can_answer_does_no_harm(
    caller: District, session_rig: Rig, properties: dict[str, Any]
) -> None:
    for body in (b"no json", request()):
        message = amqp.Message(body, **properties)
        session_rig.channel.basic_publish(message, RPC, "journal.add")
    assert caller.query("journal.find", key="a")["times"] == 0


def test_a_user_id_that_is_not_the_senders_is_refused_by_the_broker(session_rig: Rig) -> None:
    from lianfang.runtime.broker import BROKEN, drop, open_connection

    connection = open_connection(session_rig.settings.amqp_uri, "impostor")
    channel = connection.channel()
    channel.basic_publish(amqp.Message(b"{}", user_id="somebody-else"), RPC, "journal.add")
    with pytest.raises(BROKEN):
        connection.drain_events(timeout=5)
    drop(connection)


def test_every_error_crosses_the_wire_as_itself() -> None:
    from lianfang.errors import BY_CODE

    assert BY_CODE["not_permitted"] is NotPermitted
    assert all(issubclass(kind, LianfangError) for kind in BY_CODE.values())
