from __future__ import annotations

from typing import Any

import orjson
import pytest

from lianfang.events import BY_TYPE, Event
from lianfang.schemas.envelope import decode, encode
from lianfang.schemas.events import load_event
from tests.contract.write_golden import GOLDEN, golden_of

EVENTS = list(BY_TYPE.values())
PATHS = sorted(GOLDEN.glob("*.json"))


def read(body: bytes) -> Event:
    """What a subscription makes of a message."""
    envelope = decode(body)
    return load_event(envelope.type, envelope.version, envelope.data)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_every_event_has_a_golden_message(event: type[Event]) -> None:
    assert golden_of(event).exists(), "python -m tests.contract.write_golden"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_was_published_once_is_still_read(path: Any) -> None:
    event = read(path.read_bytes())
    assert path.stem == f"{event.TYPE}.v{event.VERSION}"


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.TYPE)
def test_what_is_read_is_published_alike(event: type[Event]) -> None:
    body = golden_of(event).read_bytes()
    published = orjson.loads(encode(decode(body), read(body)))
    golden = orjson.loads(body)
    assert {key: published["data"][key] for key in golden["data"]} == golden["data"]
    assert {key: published[key] for key in golden if key != "data"} == {
        key: value for key, value in golden.items() if key != "data"
    }


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_later_versions_optional_field_disturbs_no_reader(path: Any) -> None:
    document = orjson.loads(path.read_bytes())
    document["data"]["said_later"] = {"any": ["thing"]}
    document["extension"] = "another's"
    assert read(orjson.dumps(document)) == read(path.read_bytes())


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_an_event_carries_no_name_number_phone_or_address(path: Any) -> None:
    data = orjson.loads(path.read_bytes())["data"]
    assert not {"document_number", "phone", "address", "gender", "birth_on"} & keys(data)
    rooms = {"room", "unit"} & keys(data)
    assert not rooms or path.stem.startswith("resident.")


def keys(node: Any) -> set[str]:
    """Every key of a document, however deep."""
    if isinstance(node, dict):
        return set(node) | {key for value in node.values() for key in keys(value)}
    return {key for item in node for key in keys(item)} if isinstance(node, list) else set()
