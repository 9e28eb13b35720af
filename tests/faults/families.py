"""Twelve families of messages that nobody can handle, each with the reason it must be parked for.

Every message is its own: a nonce stands in its body, so that no two are the same record.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import cycle
from pathlib import Path
from struct import pack
from typing import Any

from lianfang.envelope import natural_id

_GOLDEN = Path(__file__).resolve().parents[1] / "contract" / "golden"
_JSON = "application/cloudevents+json"
_LIMIT = 256 * 1024
_BOMB_BYTES = 50_000_000
#: Only the timestamp is set, and it lies beyond every calendar.
_YEAR_146_BILLION = pack(">HQ", 1 << 6, 1 << 62)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Poison:
    """One wrong message; `key` is the id under which it will be parked."""

    body: bytes
    reason: str
    key: str
    properties: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    #: Bytes in the place of the properties, for what no client library would write.
    raw_properties: bytes | None = None
    family: str = ""


Variant = Callable[[Document, str], Poison]


@cache
def _golden(event_type: str) -> str:
    return (_GOLDEN / f"{event_type}.v1.json").read_text()


def _good(event_type: str, nonce: str) -> Document:
    """An event that its readers know, with an id of its own."""
    document: Document = json.loads(_golden(event_type))
    return {**document, "id": nonce, "traceparent": nonce}


def _poison(body: bytes | Document, reason: str, nonce: str, **properties: Any) -> Poison:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"content_type": _JSON, "message_id": nonce, **properties}
    return Poison(body=raw, reason=reason, key=nonce, properties=told)


def _nameless(poison: Poison, **changes: Any) -> Poison:
    """Without a readable message id it is known by its bytes."""
    properties = {k: v for k, v in poison.properties.items() if k != "message_id"}
    key = natural_id("bytes", hashlib.sha256(poison.body).hexdigest())
    return replace(poison, key=key, **{"properties": properties, **changes})


# -- the families ---------------------------------------------------------------------------------


def _cut_short(good: Document, nonce: str) -> Poison:
    return _poison(json.dumps(good).encode()[:-9], "undecodable", nonce)


def _no_json(_good: Document, nonce: str) -> Poison:
    return _nameless(_poison(f"<event>{nonce}</event>".encode(), "undecodable", nonce))


def _list(good: Document, nonce: str) -> Poison:
    return _poison(json.dumps([good]).encode(), "undecodable", nonce)


def _text(_good: Document, nonce: str) -> Poison:
    return _poison(json.dumps(nonce).encode(), "undecodable", nonce)


def _plain_text(good: Document, nonce: str) -> Poison:
    return _poison(good, "invalid_payload", nonce, content_type="text/plain")


def _pickle(good: Document, nonce: str) -> Poison:
    kind = "application/x-python-serialize"
    return _poison(pickle.dumps(good), "invalid_payload", nonce, content_type=kind)


def _broken_compression(good: Document, nonce: str) -> Poison:
    sent = _poison(good, "invalid_payload", nonce)
    return replace(sent, headers={"compression": "application/x-gzip"})


@cache
def _bomb_bytes() -> bytes:
    return zlib.compress(b"\0" * _BOMB_BYTES, 9)


def _bomb(_good: Document, nonce: str) -> Poison:
    sent = _poison(_bomb_bytes() + nonce.encode(), "invalid_payload", nonce)
    return replace(sent, headers={"compression": "application/x-gzip"})


def _no_utf8(good: Document, nonce: str) -> Poison:
    body = json.dumps({**good, "subject": "X"}).encode().replace(b'"X"', b'"\xff\xfe"')
    return _poison(body, "undecodable", nonce)


def _lone_surrogate(good: Document, nonce: str) -> Poison:
    return _poison({**good, "subject": "\ud800"}, "undecodable", nonce)


def _nan(good: Document, nonce: str) -> Poison:
    return _poison({**good, "later": float("nan")}, "undecodable", nonce)


def _infinity(good: Document, nonce: str) -> Poison:
    return _poison(
        {**good, "data": {**good["data"], "revision": -float("inf")}}, "undecodable", nonce
    )


def _integer_id(good: Document, nonce: str) -> Poison:
    return _poison({**good, "id": 2**70}, "invalid_payload", nonce)


def _integer_revision(good: Document, nonce: str) -> Poison:
    wrong = {**good, "data": {**good["data"], "revision": 2**70}}
    return _poison(wrong, "invalid_payload", nonce)


def _deep_list(_good: Document, nonce: str) -> Poison:
    return _nameless(_poison(b"[" * 5000 + nonce.encode(), "undecodable", nonce))


def _deep_object(good: Document, nonce: str) -> Poison:
    deep = b'{"a":' * 1500 + b"1" + b"}" * 1500
    body = json.dumps({**good, "later": "X"}).encode().replace(b'"X"', deep)
    return _poison(body, "undecodable", nonce)


def _operator_keys(good: Document, nonce: str) -> Poison:
    return _poison({f"${k}": v for k, v in good.items()}, "invalid_payload", nonce)


def _dotted_and_nul_keys(good: Document, nonce: str) -> Poison:
    wrong = {**good, "subject": {"a.b": {"$where": "1"}, "c\0d": nonce}}
    return _poison(wrong, "invalid_payload", nonce)


def _too_large(good: Document, nonce: str) -> Poison:
    return _poison({**good, "later": "x" * _LIMIT}, "too_large", nonce)


def _no_id(good: Document, nonce: str) -> Poison:
    wrong = {k: v for k, v in good.items() if k != "id"}
    return _nameless(_poison(wrong, "invalid_payload", nonce))


def _foreign_id(good: Document, nonce: str) -> Poison:
    return _poison({**good, "id": nonce * 3}, "invalid_payload", nonce)


def _impossible_time(good: Document, nonce: str) -> Poison:
    return _poison({**good, "time": "12020-02-03T09:00:00+08:00"}, "invalid_payload", nonce)


def _unknown_type(good: Document, nonce: str) -> Poison:
    kind = {"type": "visitor.admitted", "dataschema": "urn:lianfang:visitor.admitted/v1"}
    return _poison({**good, **kind}, "unknown_type", nonce)


def _unknown_version(good: Document, nonce: str) -> Poison:
    return _poison({**good, "dataschema": f"{good['dataschema']}7"}, "unknown_type", nonce)


def _call_stack(good: Document, nonce: str) -> Poison:
    sent = _poison({**good, "specversion": "0.3"}, "invalid_payload", nonce)
    return replace(sent, headers={"nameko.call_id_stack": 7, "x-attempt": ["many"], "x-death": 1})


def _unreadable_properties(good: Document, nonce: str) -> Poison:
    sent = _poison(good, "invalid_payload", nonce)
    return _nameless(sent, properties={"content_type": _JSON, "message_id": b"\xff\xfe"})


def _beyond_the_calendar(good: Document, nonce: str) -> Poison:
    sent = _poison(good, "invalid_payload", nonce)
    return _nameless(sent, raw_properties=_YEAR_146_BILLION)


FAMILIES: dict[str, tuple[Variant, ...]] = {
    "invalid_json": (_cut_short, _no_json),
    "not_an_object": (_list, _text),
    "content_type": (_plain_text, _pickle),
    "compression": (_broken_compression, _bomb),
    "unicode": (_no_utf8, _lone_surrogate),
    "not_a_number": (_nan, _infinity),
    "integers": (_integer_id, _integer_revision),
    "depth": (_deep_list, _deep_object),
    "keys": (_operator_keys, _dotted_and_nul_keys),
    "size": (_too_large,),
    "envelope": (_no_id, _foreign_id, _impossible_time, _unknown_type, _unknown_version),
    "headers": (_call_stack, _unreadable_properties, _beyond_the_calendar),
}
#: What a subscription that reads envelopes of every type does not look at.
_ABOUT_DATA = {_integer_revision, _unknown_type, _unknown_version}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A subscription's queue; `event_type` is one that it knows, empty where it takes all."""

    queue: str
    event_type: str


def poisons(targets: Sequence[Target], count: int, seed: int) -> Iterator[tuple[str, Poison]]:
    """`count` messages by queue: the families in turn, each with its variants in turn."""
    queues = cycle(targets)
    turns = {name: cycle(variants) for name, variants in FAMILIES.items()}
    names = cycle(FAMILIES)
    for n in range(count):
        name, target = next(names), next(queues)
        variant = next(turns[name])
        while variant in _ABOUT_DATA and not target.event_type:
            target = next(queues)
        nonce = natural_id("poison", seed, n)
        good = _good(target.event_type or "message.discarded", nonce)
        yield target.queue, replace(variant(good, nonce), family=name)
