"""The door: whatever the bytes, properties and headers, it lets in or refuses, and never fails."""

from __future__ import annotations

import json
from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from lianfang.errors import InvalidPayload, LianfangError, Rejected, UnknownType
from lianfang.events import BY_TYPE
from lianfang.runtime.door import STEPS, Incoming, Message, read_door
from lianfang.runtime.handlers import Handler
from lianfang.schemas.envelope import decode
from lianfang.schemas.events import load_event
from tests.component.runtime.rig import body_of, discarded

HANDLER = Handler(
    name="one", method=lambda *_: None, event_types=("message.discarded",), queue="q.x.one", batch=1
)
GOOD = body_of(discarded("a"))
JSON_TYPE = {"content_type": "application/json"}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good message with some bytes overwritten, cut out or put in."""
    body = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 6))
        body[start : start + length] = draw(st.binary(max_size=6))
    return bytes(body)


@st.composite
def dressed(draw: st.DrawFn) -> bytes:
    """Any JSON where an envelope has its fields, of a type that exists or not."""
    document = json.loads(GOOD)
    kind = draw(st.sampled_from(sorted(BY_TYPE)) | st.text(max_size=20))
    document |= {"type": kind, "dataschema": f"urn:lianfang:{kind}/v{draw(st.integers(0, 3))}"}
    for name in draw(st.sets(st.sampled_from(sorted(document)), max_size=3)):
        document[name] = draw(json_values)
    document["data"] = draw(st.dictionaries(st.text(max_size=12), json_values, max_size=4))
    return json.dumps(document).encode("utf-8", "surrogatepass")


bodies = st.one_of(st.binary(max_size=400), damaged(), dressed(), json_values.map(json.dumps).map(
    lambda text: text.encode("utf-8", "surrogatepass")
))  # fmt: skip
headers = st.dictionaries(
    st.text(max_size=12) | st.sampled_from(["x-attempt", "x-death", "x-replay", "compression"]),
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text()),
    max_size=4,
)
properties = st.just(JSON_TYPE) | st.dictionaries(
    st.sampled_from(["content_type", "content_encoding", "message_id", "correlation_id"]),
    st.none() | st.text() | st.integers() | st.binary(),
)


@given(bodies)
@example(b"[" * 100_000)
@example(b'{"a":' * 100_000)
@example(b"9" * 5_000)
@example(b"x" * (257 * 1024))
def test_the_parser_raises_nothing_but_its_own_refusals(body: bytes) -> None:
    try:
        envelope = decode(body)
    except InvalidPayload as refusal:
        assert_safe(refusal)
        return
    try:
        load_event(envelope.type, envelope.version, envelope.data)
    except (InvalidPayload, UnknownType) as refusal:
        assert_safe(refusal)


def assert_safe(refusal: LianfangError) -> None:
    """A refusal goes into headers, logs and answers."""
    json.dumps(refusal.context, default=str).encode("utf-8", "replace")
    assert refusal.code


@given(bodies, properties, headers)
def test_the_door_lets_in_or_refuses_and_takes_no_refusal_for_a_bug(
    body: bytes, properties: dict[str, Any], headers: dict[str, Any]
) -> None:
    raw = Incoming(body=body, properties=properties, headers=headers)
    message = read_door(raw, HANDLER)
    assert message.error is None or isinstance(message.error, Rejected)
    assert message.trace == "", "nobody foresaw this"
    assert 0 <= raw.attempt <= STEPS
    assert names_itself(message)


def names_itself(message: Message) -> bool:
    """Also what cannot be read has an id, a type and a beginning, for parking and logs."""
    return all([message.id, message.type, message.correlation_id])


@given(json_values)
def test_what_a_good_envelope_carries_beside_its_fields_is_ignored(extra: object) -> None:
    document = {**json.loads(GOOD), "later": extra}
    try:
        body = orjson.dumps(document)
    except TypeError:
        return  # no JSON document has it
    assert decode(body).id == json.loads(GOOD)["id"]
