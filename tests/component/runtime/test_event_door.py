"""Whatever comes through the event door is handled or parked with its reason, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lianfang.events import event_id
from lianfang.runtime.door import Incoming, read_door
from lianfang.runtime.handlers import Handler
from lianfang.runtime.intake import Intake
from lianfang.topology import PARKING
from tests.component.runtime.rig import Rig, body_of, discarded

HANDLER = Handler(
    name="one", method=lambda *_: None, event_types=("message.discarded",), queue="q.x.one", batch=1
)
JSON_TYPE = {"content_type": "application/json"}
GOOD = json.loads(body_of(discarded("a")))


def reason(body: bytes, properties: dict[str, Any] = JSON_TYPE, **headers: Any) -> str | None:
    """The code with which the door refuses, or None."""
    message = read_door(Incoming(body=body, properties=properties, headers=headers), HANDLER)
    return message.error.code if message.error else None


def changed(path: str, value: Any) -> bytes:
    document = json.loads(json.dumps(GOOD))
    target, *rest = path.split(".")
    place = document
    while rest:
        place, target = place[target], rest.pop(0)
    place[target] = value
    return json.dumps(document).encode()


def test_a_good_event_is_let_in() -> None:
    assert reason(body_of(discarded("a"))) is None


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("specversion", "2.0", "invalid_payload"),
        ("id", "", "invalid_payload"),
        ("id", 7, "invalid_payload"),
        ("id", "x" * 65, "invalid_payload"),
        ("source", None, "invalid_payload"),
        ("type", "message", "invalid_payload"),
        ("type", "message.discarded and more", "invalid_payload"),
        ("type", "message.discarded\n", "invalid_payload"),
        ("type", "message.never_heard_of", "unknown_type"),
        ("dataschema", "urn:lianfang:message.discarded/v2", "unknown_type"),
        ("dataschema", "urn:lianfang:message.discarded/v1x", "invalid_payload"),
        ("dataschema", "urn:lianfang:message.discarded/v", "invalid_payload"),
        ("dataschema", "urn:lianfang:message.discarded/v１", "invalid_payload"),
        ("time", "yesterday", "invalid_payload"),
        ("time", "2020-02-03T01:00:00", "invalid_payload"),
        ("time", "0001-01-01T00:00:00+14:00", "invalid_payload"),
        ("time", 1580691600, "invalid_payload"),
        ("place", ["4403"], "invalid_payload"),
        ("data", [], "invalid_payload"),
        ("data", None, "invalid_payload"),
        ("data", {}, "invalid_payload"),
        ("data.at", "soon", "invalid_payload"),
        ("data.parked_id", {"$ne": ""}, "invalid_payload"),
        ("data.revision", -1, "invalid_payload"),
        ("data.revision", 1.5, "invalid_payload"),
        ("data.revision", True, "invalid_payload"),
        ("data.reason", "x" * 2001, "invalid_payload"),
        ("data.reason", "a\0b", "invalid_payload"),
        ("data.reason", "\ud800", "undecodable"),
    ],
)
def test_a_wrong_envelope_is_refused_by_code(path: str, value: Any, code: str) -> None:
    assert reason(changed(path, value)) == code


@pytest.mark.parametrize(("path", "value"), [("later", 1), ("data.later", {"$a": 1})])
def test_what_a_later_version_adds_is_ignored(path: str, value: Any) -> None:
    assert reason(changed(path, value)) is None


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"content_type": "text/plain"},
        {"content_type": 7},
        {**JSON_TYPE, "content_encoding": "gzip"},
        {**JSON_TYPE, "content_encoding": "utf-16"},
    ],
)
def test_wrong_properties_are_refused(properties: dict[str, Any]) -> None:
    assert reason(body_of(discarded("a")), properties) == "invalid_payload"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
PATHS = [*GOOD, *(f"data.{name}" for name in GOOD["data"])]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(PATHS), JSON)
def test_the_door_never_fails_whatever_stands_in_a_field(path: str, value: Any) -> None:
    assert reason(changed(path, value)) in (None, "invalid_payload", "undecodable", "unknown_type")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_the_door_never_fails_whatever_the_bytes(body: bytes) -> None:
    assert reason(body) in ("invalid_payload", "undecodable")


HEADER = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.text(max_size=30) | st.sampled_from(["x-attempt", "x-message-id", "x-death"]), HEADER
    )
)
def test_a_refused_message_is_parked_whatever_its_headers(
    rig: Rig, headers: dict[str, Any]
) -> None:
    raw = Incoming(body=b"no json", properties=JSON_TYPE, headers=headers, tag=1)
    (message,) = Intake(rig.engine, rig.handlers["one"]).handle(rig.probe, [raw])
    assert message.outcome == "parked"
    (parked,) = rig.take(PARKING)
    assert parked.headers["x-reason"] in ("undecodable", "invalid_payload")
    assert parked.body == b"no json"


def test_events_know_their_ids() -> None:
    assert GOOD["id"] == event_id(discarded("a"))
