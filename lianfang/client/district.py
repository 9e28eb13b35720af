"""One district's services, called over RPC with a deadline on every call.

Commands carry a `request_id`, so a call that ended in doubt may be repeated with the same id and
gets the same answer. Errors come back as the classes of `lianfang.errors`, by their stable code.
"""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType
from typing import Any, Self
from uuid import uuid4  # noqa: TID251 - a caller draws its own request ids

import amqp
import orjson
from kombu import Connection

from lianfang.errors import BY_CODE, LianfangError, Unavailable

_RPC = "nameko-rpc"
_DEADLINE_HEADER = "x-deadline-ms"
_BROKEN = (amqp.exceptions.AMQPError, OSError)
_REPLY_EXPIRES_MS = 300_000
#: Seconds that the broker has for each answer of the protocol.
_ANSWER_TIMEOUT = 10.0
#: Seconds a call may take unless it says otherwise.
DEADLINE = 30.0


class District:
    """A connection to one district; safe to share between threads, one call at a time."""

    def __init__(self, amqp_uri: str, *, actor: str | None = None) -> None:
        """`actor` is the named person on whose behalf commands are sent."""
        self._uri, self._actor = amqp_uri, actor
        self._user = str(Connection(amqp_uri).userid)
        self._lock = threading.Lock()
        self._connection: Any = None
        self._channel: Any = None
        self._reply_queue, self._reply_key = "", ""
        self._answers: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Connects at the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def query(self, method: str, *, deadline: float = DEADLINE, **document: Any) -> dict[str, Any]:
        """The answer of a query (`service.get_…`, `service.find_…`).

        Raises:
            LianfangError: what the service said; `Unavailable` when nobody answered in time.
        """
        return self._ask(method, document, deadline)

    def command(
        self,
        method: str,
        *,
        deadline: float = DEADLINE,
        request_id: str | None = None,
        **document: Any,
    ) -> dict[str, Any]:
        """The answer of a command; repeated once by itself when the connection broke.

        Raises:
            LianfangError: what the service said; `Unavailable` when nobody answered in time: the
                effect is then unknown and the same `request_id` may be sent again.
        """
        document["request_id"] = request_id or str(uuid4())
        if self._actor is not None:
            document.setdefault("actor", self._actor)
        return self._ask(method, document, deadline)

    def _ask(self, method: str, document: dict[str, Any], deadline: float) -> dict[str, Any]:
        until = time.monotonic() + deadline
        with self._lock:
            for last in (False, True):
                try:
                    return self._exchange(method, document, until)
                except _BROKEN as error:
                    self._discard()
                    if last or time.monotonic() >= until:
                        raise Unavailable(f"{method}: {type(error).__name__}") from error
        raise Unavailable(method)

    def _exchange(self, method: str, document: dict[str, Any], until: float) -> dict[str, Any]:
        self._ensure(until)
        call_id = str(uuid4())
        left_ms = max(1, int((until - time.monotonic()) * 1000))
        message = amqp.Message(
            _dump({"args": [], "kwargs": document}),
            content_type="application/json",
            content_encoding="utf-8",
            correlation_id=call_id,
            reply_to=self._reply_key,
            user_id=self._user,
            expiration=str(left_ms),
            application_headers={_DEADLINE_HEADER: _wall_ms() + left_ms},
        )
        self._answers.clear()
        self._channel.basic_publish(message, _RPC, method)
        while call_id not in self._answers:
            left = until - time.monotonic()
            if left <= 0:
                raise Unavailable(f"{method}: no answer within its deadline")
            try:
                self._connection.drain_events(timeout=min(left, 10))
            except TimeoutError:
                self._connection.heartbeat_tick()
        return _result(self._answers.pop(call_id))

    def _ensure(self, until: float) -> None:
        if self._channel is not None and self._channel.is_open:
            return
        self._discard()
        patience = max(0.1, min(_ANSWER_TIMEOUT, until - time.monotonic()))
        connection = Connection(self._uri, heartbeat=30, connect_timeout=patience)
        self._connection = connection.transport.establish_connection()
        # py-amqp waits for the answers of declare, bind and close without any limit.
        self._connection.transport.sock.settimeout(patience)
        self._channel = self._connection.channel()
        self._reply_key = str(uuid4())
        self._reply_queue = f"rpc.reply-{self._user}-{self._reply_key}"
        self._channel.queue_declare(
            self._reply_queue,
            durable=True,
            auto_delete=False,
            arguments={"x-expires": _REPLY_EXPIRES_MS},
        )
        self._channel.queue_bind(self._reply_queue, _RPC, self._reply_key)
        self._channel.basic_consume(self._reply_queue, no_ack=True, callback=self._on_reply)

    def _on_reply(self, message: Any) -> None:
        self._answers[str(message.properties.get("correlation_id"))] = message.body

    def _discard(self) -> None:
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                connection.close()
            except _BROKEN:
                connection.collect()

    def close(self) -> None:
        """Close the connection; the reply queue expires by itself."""
        with self._lock:
            self._discard()


def _wall_ms() -> int:
    return int(time.time() * 1000)  # noqa: TID251 - a deadline is real time, not the demo's


def _dump(document: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError:
        # Lone surrogates: let the service say which field holds them.
        return json.dumps(document, default=str).encode()


def _result(body: Any) -> dict[str, Any]:
    reply = orjson.loads(body if isinstance(body, bytes) else str(body).encode())
    error = reply.get("error")
    if error:
        kind = BY_CODE.get(error.get("code", ""), LianfangError)
        raise kind(error.get("value"), error.get("context") or {})
    result: dict[str, Any] = reply["result"]
    return result
