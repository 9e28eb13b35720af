"""The hardened RPC door: nameko's wire protocol on our own consumer.

Any AMQP client in any language can call. A request that cannot be read is answered with its error
when it says where to answer; nothing in a message can end the process. The reply follows the
commit, the acknowledgement follows the reply.
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import amqp
import orjson
from nameko.extensions import Entrypoint, SharedExtension
from pymongo.errors import PyMongoError

from lianfang.errors import (
    Bug,
    DeadlineExceeded,
    InvalidPayload,
    LianfangError,
    NotFound,
    TooLarge,
    Unavailable,
    Undecodable,
)
from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.runtime.commands import answer
from lianfang.runtime.handlers import Call, record_of
from lianfang.runtime.ids import random_id
from lianfang.runtime.intake import Incoming
from lianfang.runtime.logs import bound, log
from lianfang.runtime.metrics import CALL_SECONDS, CALLS
from lianfang.runtime.process import Process
from lianfang.runtime.subscription import incoming
from lianfang.topology import RPC, rpc_queue

#: The largest request; the broker's own limit is the same.
REQUEST_LIMIT = 1024 * 1024
DEADLINE_HEADER = "x-deadline-ms"
_IDLE = 1.0
_DRAIN_SECONDS = 25.0


class RpcServer(SharedExtension):
    """One consumer on `rpc-<service>` for all methods of the container's service."""

    process = Process()

    def setup(self) -> None:
        """Nothing is known before the methods register."""
        if not hasattr(self, "methods"):
            self.methods: dict[str, RpcMethod] = {}

    def start(self) -> None:
        """Start consuming once, whoever asks first."""
        if hasattr(self, "finished"):
            return
        self.stopping, self.in_flight, self.connected = False, 0, False
        self.finished = threading.Event()
        self._writing = threading.Lock()
        self._connection: Any = None
        self._channel: Any = None
        self.container.spawn_managed_thread(self._consume, identifier="rpc")

    def stop(self) -> None:
        """Cancel, answer everything received, then close."""
        self.stopping = True
        if not self.finished.wait(_DRAIN_SECONDS):
            log.warning("rpc_drain_timed_out", left=self.in_flight)

    def _consume(self) -> None:
        delay = 0.2
        while not self.stopping:
            try:
                self._connect()
                delay = 0.2
                self._loop()
            except BROKEN as error:
                log.warning("rpc_interrupted", error=type(error).__name__, detail=str(error)[:200])
            self.connected = False
            close_quietly(self._connection)
            if not self.stopping:
                time.sleep(delay)
                delay = min(delay * 2, 5.0)
        self.finished.set()

    def _connect(self) -> None:
        engine = self.process.engine
        queue = rpc_queue(engine.service)
        self._connection = open_connection(engine.settings.amqp_uri, queue)
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, engine.settings.rpc_workers, False)
        channel.basic_consume(queue, consumer_tag=queue, callback=self._receive)
        self._channel, self.connected = channel, True

    def _loop(self) -> None:
        cancelled = False
        while not (cancelled and self.in_flight == 0):
            if self.stopping and not cancelled:
                self._channel.basic_cancel(rpc_queue(self.process.engine.service))
                cancelled = True
            try:
                self._connection.drain_events(timeout=0.05 if cancelled else _IDLE)
            except TimeoutError:
                self._connection.heartbeat_tick()

    def _receive(self, message: Any) -> None:
        """Hand one request to a worker greenthread; whatever it holds, the loop goes on."""
        raw, channel = incoming(message), self._channel
        method = raw_method(message.delivery_info.get("routing_key"))
        entrypoint = self.methods.get(method)
        self.in_flight += 1
        if entrypoint is None:
            unknown = NotFound.of("method", method[:100])
            self._finish(channel, raw, method, failure_document(unknown), time.monotonic())
            return
        self.container.spawn_worker(
            entrypoint,
            (raw, self.process.engine),
            {},
            handle_result=lambda _c, reply, exc: self._worked(channel, raw, method, reply, exc),
        )

    def _worked(self, channel: Any, raw: Incoming, method: str, reply: Any, exc: Any) -> Any:
        started = time.monotonic() if reply is None else reply.pop("started")
        if exc is not None:
            reply = failure_document(Bug())
        self._finish(channel, raw, method, reply, started)
        return reply, None

    def _finish(
        self, channel: Any, raw: Incoming, method: str, reply: dict[str, Any], started: float
    ) -> None:
        """Answer, then acknowledge; a dead channel means that the broker asks somebody again."""
        seconds = time.monotonic() - started
        error = reply.get("error")
        CALLS.labels(method, error["code"] if error else "ok").inc()
        CALL_SECONDS.labels(method).observe(seconds)
        log.info(
            "call_answered",
            method=method,
            outcome=error["code"] if error else "done",
            duration_ms=round(seconds * 1000, 1),
        )
        try:
            with self._writing:
                self._reply(channel, raw, reply)
                channel.basic_ack(raw.tag)
        except BROKEN as broken:
            log.warning("reply_failed", method=method, error=type(broken).__name__)
        finally:
            self.in_flight -= 1

    def _reply(self, channel: Any, raw: Incoming, reply: dict[str, Any]) -> None:
        reply_to = raw.properties.get("reply_to")
        if not isinstance(reply_to, str) or not reply_to:
            return
        body = orjson.dumps(reply)
        if len(body) > REQUEST_LIMIT:
            body = orjson.dumps(failure_document(TooLarge("the answer is larger than 1 MiB")))
        message = amqp.Message(
            body,
            content_type="application/json",
            content_encoding="utf-8",
            correlation_id=str(raw.properties.get("correlation_id") or ""),
        )
        channel.basic_publish(message, RPC, reply_to)


class RpcMethod(Entrypoint):
    """Nameko's entrypoint for one `Call`."""

    server = RpcServer()
    process = Process()

    def setup(self) -> None:
        """Register under `service.method`."""
        call: Call = record_of(self.container.service_cls, self.method_name)
        self.server.setup()
        self.server.methods[call.name] = self

    def stop(self) -> None:
        """Drain with the server: an entrypoint stops before the workers are waited for."""
        self.server.stop()


def run_call(engine: Any, call: Call, service: Any, raw: Incoming) -> dict[str, Any]:
    """One request to its reply document; never raises for what a caller sent."""
    started = time.monotonic()
    correlation = str(raw.properties.get("correlation_id") or "")
    with bound(call_id=correlation[:64], method=call.name):
        try:
            document = read_request(raw)
            result = answer(engine, call, service, document, raw.properties.get("user_id"))
            reply = {"result": result, "error": None}
        except LianfangError as error:
            reply = failure_document(error)
        except PyMongoError as error:
            log.warning("call_interrupted", error=type(error).__name__, detail=str(error)[:200])
            reply = failure_document(Unavailable(f"database: {type(error).__name__}"))
        except Exception as error:
            incident = random_id()
            log.error("call_bug", incident=incident, exc_info=error)
            reply = failure_document(Bug(None, {"incident": incident}))
    return {**reply, "started": started}


def read_request(raw: Incoming) -> Any:
    """The keyword document of a request.

    Raises:
        InvalidPayload, DeadlineExceeded: too large, compressed, not JSON, or late.
    """
    if "compression" in raw.headers:
        raise InvalidPayload.of("headers.compression", "compressed bodies are refused unopened")
    if len(raw.body) > REQUEST_LIMIT:
        raise TooLarge(f"{len(raw.body)} bytes, at most {REQUEST_LIMIT}")
    deadline = raw.headers.get(DEADLINE_HEADER)
    if isinstance(deadline, int) and deadline < time.time() * 1000:
        raise DeadlineExceeded
    document = _json(raw.body)
    if not isinstance(document, dict) or document.get("args"):
        raise InvalidPayload.of("args", "a request is {args: [], kwargs: {...}}")
    return document.get("kwargs", {})


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # The slow reader lets lone surrogates through, so that the schema can name the field.
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Undecodable(
            f"body: {str(error)[:200]}", {"fields": {"body": ["is no JSON"]}}
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def raw_method(routing_key: Any) -> str:
    """The method a routing key names."""
    return str(routing_key or "").partition(".")[2]


def failure_document(error: LianfangError) -> dict[str, Any]:
    """An error as nameko's wire shape, with our code and context beside it."""
    cls = type(error)
    return {
        "result": None,
        "error": {
            "exc_type": cls.__name__,
            "exc_path": f"{cls.__module__}.{cls.__name__}",
            "exc_args": [error.message, _json_safe(error.context)],
            "value": error.message,
            "code": error.code,
            "context": _json_safe(error.context),
        },
    }


def _json_safe(context: Any) -> Any:
    """Context with nothing that JSON cannot carry (a caller's lone surrogates in a key)."""
    return json.loads(json.dumps(context, default=str).encode("utf-8", "replace"))
