"""Requests answered: commands once per `request_id`, queries as often as asked.

A command's inbox document is keyed by caller, method and `request_id` and holds content hash and
answer: the same request gets the same answer, another content under the same id is a conflict.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from lianfang.envelope import natural_id
from lianfang.errors import Conflict, InvalidPayload, NotPermitted, Overloaded
from lianfang.runtime.crashpoints import Point, at_work, reached
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Call
from lianfang.runtime.logs import bind
from lianfang.runtime.metrics import REPEATED
from lianfang.runtime.origin import Origin
from lianfang.runtime.work import Work
from lianfang.schemas.compiled import load
from lianfang.schemas.fields import Id, Request, Text

COMMANDS = "commands"


class _CommandHead(Request):
    """What every command carries beside its own document."""

    request_id = Id(required=True)
    actor = Text(max=100, load_default=None)


_HEAD = _CommandHead()


def answer(
    engine: Engine, call: Call, service: Any, document: Any, caller: str | None
) -> dict[str, Any]:
    """The JSON-safe answer of one call.

    Raises:
        LianfangError: what the caller did wrong, or why it must come again.
    """
    if not isinstance(document, dict):
        raise InvalidPayload.of("kwargs", "is no JSON object")
    if not call.is_command:
        request = load(call.request, document)
        return _dump(call, call.method(service, engine.documents, request))
    return _command(engine, call, service, document, caller)


def _command(
    engine: Engine, call: Call, service: Any, document: dict[str, Any], caller: str | None
) -> dict[str, Any]:
    if not caller:
        raise NotPermitted("a command must carry the broker's user_id")
    if engine.outbox.under_pressure:
        raise Overloaded
    head, rest = _head_and_rest(document)
    request = load(call.request, rest)
    key = {"caller": caller, "method": call.name, "request_id": head["request_id"]}
    digest = _digest(rest)
    causation = natural_id("command", caller, call.name, head["request_id"])
    # Until the end of the greenthread that answers this one request.
    bind(correlation_id=causation, request_id=head["request_id"], caller=caller)

    def decide(work: Work) -> dict[str, Any]:
        known = work.raw(COMMANDS).find_one({"_id": key}, session=work.session)
        if known is not None:
            return _repeat(known, digest, call.name)
        work.begin(
            Origin(
                correlation_id=causation,
                causation_id=causation,
                caller=caller,
                actor=head["actor"],
                request_id=head["request_id"],
            )
        )
        reached(Point.IN_DECISION)
        reply = _dump(call, call.method(service, work, request))
        work.raw(COMMANDS).insert_one(
            {"_id": key, "hash": digest, "answer": orjson.dumps(reply), "at": datetime.now(UTC)},
            session=work.session,
        )
        return reply

    with at_work(call.name):
        reply, rows = engine.run(decide)
        engine.say(rows)
    return reply


def _head_and_rest(document: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    own = {k: v for k, v in document.items() if k in _HEAD.fields}
    return load(_HEAD, own), {k: v for k, v in document.items() if k not in _HEAD.fields}


def _repeat(known: dict[str, Any], digest: str, method: str) -> dict[str, Any]:
    if known["hash"] != digest:
        raise Conflict("this request_id was used with other content")
    REPEATED.labels(method).inc()
    repeated: dict[str, Any] = orjson.loads(known["answer"])
    return repeated


def _digest(document: dict[str, Any]) -> str:
    try:
        text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    except TypeError as error:
        # Inside free-form parts: lone surrogates, or whole numbers beyond 64 bits.
        raise InvalidPayload.of("kwargs", "holds what cannot be stored") from error
    return hashlib.sha256(text).hexdigest()


def _dump(call: Call, result: Any) -> dict[str, Any]:
    if is_dataclass(result) and not isinstance(result, type):
        result = asdict(result)
    dumped: dict[str, Any] = call.answer.dump(result)
    return dumped
