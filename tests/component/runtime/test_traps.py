"""Traps of the libraries under us beside the ten findings; some are shown in test_plain."""

from __future__ import annotations

from collections.abc import Iterator
from struct import pack

import pytest

from tests.component.runtime.rig import ONE, Process, Rig, body_of, discarded, until


@pytest.fixture
def running(session_rig: Rig, shared: Process) -> Iterator[Rig]:
    """The rig with a process on it that has to survive the test."""
    session_rig.reset()
    yield session_rig
    assert shared.alive
    session_rig.say("afterwards")
    until(lambda: session_rig.seen("afterwards"))
    assert session_rig.depth(ONE) == 0


def test_a_handlers_error_is_tried_again_and_then_parked(running: Rig) -> None:
    said = running.say("a", "bug")
    parked = running.parked()
    assert parked.body == body_of(discarded("a", "bug"))
    assert parked.headers["x-reason"] == "bug"
    assert parked.headers["x-attempt"] == 1
    assert parked.headers["x-origin"] == ONE
    assert parked.headers["x-message-id"] == said
    assert "KeyError at probe.py" in parked.headers["x-error"]
    assert running.seen("a") is None


def test_a_bug_tells_neither_log_nor_headers_what_somebody_typed(
    running: Rig, shared: Process
) -> None:
    running.say("a", "bug")
    parked = running.parked()
    told = shared.line("handler_bug", error="KeyError")
    assert told["correlation_id"] == "case-7"
    assert told["frames"][-1].endswith("_do")
    assert "张三" not in str(parked.headers)
    assert "13800138000" not in "".join(shared.lines)


@pytest.mark.parametrize(
    "properties",
    [
        {"message_id": b"\xff\xfe"},
        {"correlation_id": b"\x80"},
        {"content_type": b"application/\xff"},
        {"raw_properties": pack(">HQ", 1 << 6, 1 << 62)},  # sent in the year 146 billion
        {"application_headers": {"x-attempt": "soon"}},
        {"application_headers": {"x-attempt": True, "x-death": "never"}},
    ],
)
def test_properties_that_py_amqp_cannot_read_do_not_end_the_process(
    running: Rig, properties: dict
) -> None:
    running.put(b"no json", **properties)
    assert running.parked().headers["x-reason"] in ("undecodable", "invalid_payload")


def test_a_routing_key_that_is_no_text_does_not_end_the_process(running: Rig) -> None:
    running.put(b"no json", key=b"message.discarded.\xff\xfe")
    assert running.parked().headers["x-reason"] == "undecodable"


def test_headers_too_large_to_copy_are_left_behind_and_the_body_is_not(running: Rig) -> None:
    headers = {f"h{n}": "x" * 1000 for n in range(100)}
    running.put(b"no json", application_headers=headers)
    parked = running.parked()
    assert parked.headers["x-headers-dropped"] == 100
    assert parked.body == b"no json"


def test_a_message_without_content_type_is_parked(running: Rig) -> None:
    running.put(body_of(discarded("a")), content_type="")
    assert running.parked().headers["x-reason"] == "invalid_payload"
