"""The families of poison at the door for calls: each is answered with its code, none ends it."""

from __future__ import annotations

import json
import pickle
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import amqp
import orjson

from lianfang.runtime.broker import close_quietly, open_connection
from lianfang.topology import RPC

_ANSWER_SECONDS = 30.0
_DEEP = 100_000
NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCall:
    """One request and the code of its answer; `ok` where only what surrounds it is wrong.

    `NEVER` where not even the address of the caller can be read: nobody can be told, and the next
    request is answered.
    """

    family: str
    body: bytes
    code: str
    method: str = "find_stuck"
    headers: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)


def wrong_calls() -> Iterator[WrongCall]:
    """One or two of each family, to a query that every service has."""

    def asking(**kwargs: Any) -> bytes:
        return json.dumps({"args": [], "kwargs": kwargs}).encode()

    good = asking(limit=1)
    gzip = {"compression": "application/x-gzip"}
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    deep = b'{"args": [], "kwargs": ' + b'{"a":' * 1500 + b"1" + b"}" * 1501  # well-formed
    undecodable = {
        "invalid_json": (good[:-3], b""),
        "content_type": (pickle.dumps({"args": [], "kwargs": {}}),),
        "unicode": (b'{"args": [], "kwargs": {"limit": "\xff\xfe"}}',),
        "not_a_number": (good.replace(b"1", b"NaN"), good.replace(b"1", b"-Infinity")),
        "depth": (b"[" * _DEEP, deep),
    }
    for family, bodies in undecodable.items():
        for body in bodies:
            yield WrongCall(family=family, body=body, code="undecodable")
    refused = {
        "not_an_object": (b"[1]", b'"text"', b"7"),
        "unicode": (asking(limit="\ud800"),),
        "integers": (asking(limit=2**70),),
        "keys": (asking(**{"$where": 1}), asking(**{"a.b": 1, "c\0d": 2})),
        "size": (asking(limit="x" * 900_000),),
        "envelope": (asking(limit=1)[:-1] + b', "args": [1]}', b'{"args": [], "kwargs": 7}'),
    }
    for family, bodies in refused.items():
        for body in bodies:
            yield WrongCall(family=family, body=body, code="invalid_payload")
    for body in (good, bomb):
        yield WrongCall(family="compression", body=body, code="invalid_payload", headers=gzip)
    yield WrongCall(family="envelope", body=good, code="not_found", method="no_such_method")
    stack = {"nameko.call_id_stack": 7, "x-deadline-ms": "soon"}
    yield WrongCall(family="headers", body=good, code="ok", headers=stack)
    pickled = {"content_type": "application/x-python-serialize"}
    yield WrongCall(family="headers", body=good, code="ok", properties=pickled)
    unreadable = {"message_id": b"\xff\xfe"}
    yield WrongCall(family="headers", body=good, code=NEVER, properties=unreadable)


class Caller:
    """Asks without any library between, and collects the answers."""

    def __init__(self, amqp_uri: str) -> None:
        self._connection = open_connection(amqp_uri, "wrong caller")
        self._user = amqp_uri.partition("//")[2].partition(":")[0]
        self._channel = self._connection.channel()
        self._reply_to = str(uuid4())
        queue = f"rpc.reply-{self._user}-{self._reply_to}"
        self._channel.queue_declare(queue, durable=True, auto_delete=False)
        self._channel.queue_bind(queue, RPC, self._reply_to)
        self._channel.basic_consume(queue, no_ack=True, callback=self._hear)
        self._queue = queue
        self._answers: dict[str, str] = {}

    def _hear(self, message: Any) -> None:
        error = orjson.loads(message.body).get("error")
        self._answers[message.properties["correlation_id"]] = error["code"] if error else "ok"

    def ask(self, service: str, call: WrongCall) -> str:
        """Send it; returns the id of its answer."""
        call_id = str(uuid4())
        message = amqp.Message(
            call.body,
            application_headers=call.headers,
            **{
                "content_type": "application/json",
                "correlation_id": call_id,
                "reply_to": self._reply_to,
                "user_id": self._user,
                **call.properties,
            },
        )
        self._channel.basic_publish(message, RPC, f"{service}.{call.method}")
        return call_id

    def answers(self, expected: int) -> dict[str, str]:
        """The code of each answer, as soon as all are there, or when they took too long."""
        until = time.monotonic() + _ANSWER_SECONDS
        while len(self._answers) < expected and time.monotonic() < until:
            try:
                self._connection.drain_events(timeout=1)
            except TimeoutError:
                self._connection.heartbeat_tick()
        return self._answers

    def close(self) -> None:
        """Leave nothing behind."""
        self._channel.queue_delete(self._queue)
        close_quietly(self._connection)


def ask_wrongly(amqp_uri: str, services: Sequence[str]) -> tuple[int, list[str]]:
    """Send every wrong call to every service; how many, and each that was not answered as it must.

    They go out all at once, as a broken client would send them.
    """
    caller = Caller(amqp_uri)
    try:
        asked = {
            caller.ask(service, call): (service, call)
            for service in services
            for call in wrong_calls()
        }
        answers = caller.answers(sum(call.code != NEVER for _, call in asked.values()))
    finally:
        caller.close()
    broken = [
        f"{service}: a wrong call of the family {call.family} was answered "
        f"{answers.get(call_id, NEVER)}, not {call.code}"
        for call_id, (service, call) in asked.items()
        if answers.get(call_id, NEVER) != call.code
    ]
    return len(asked), broken
