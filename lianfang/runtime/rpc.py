"""The hardened RPC door: nameko's wire protocol on our own consumer.

Any AMQP client in any language can call. A request that cannot be read is answered with its error
when it says where to answer; nothing in a message can end the process. The reply follows the
commit, the acknowledgement follows the reply.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import amqp
from nameko.extensions import Entrypoint, SharedExtension

from lianfang.errors import Bug, NotFound
from lianfang.runtime.broker import BROKEN, close_quietly, drop, open_connection
from lianfang.runtime.crashpoints import Point, at_work, reached
from lianfang.runtime.door import Incoming
from lianfang.runtime.handlers import Call, record_of
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import CALLS, REDELIVERED
from lianfang.runtime.process import Process
from lianfang.runtime.requests import failure, raw_method, reply_key
from lianfang.runtime.subscription import incoming
from lianfang.topology import RPC, rpc_queue

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
        #: The connection failed a worker; the loop has to close it, for only the loop may read it.
        self._untrusted = False
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
                self._untrusted = True  # over a silent wire a goodbye would wait for its answer
            except Exception as error:
                # Out of a managed thread it would end the process.
                log.error("rpc_bug", exc_info=error)
            self._disconnect()
            if not self.stopping:
                time.sleep(delay)
                delay = min(delay * 2, 5.0)
        self.finished.set()

    def _connect(self) -> None:
        engine = self.process.engine
        queue = rpc_queue(engine.service)
        self._untrusted = False
        self._connection = open_connection(engine.settings.amqp_uri, queue)
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, engine.settings.rpc_workers, False)
        self._channel, self.in_flight = channel, 0
        channel.basic_consume(queue, consumer_tag=queue, callback=self._receive)
        self.connected = True

    def _disconnect(self) -> None:
        self.connected = False
        connection, self._connection, self._channel = self._connection, None, None
        if self._untrusted:
            drop(connection)
        else:
            close_quietly(connection)

    def _loop(self) -> None:
        cancelled = False
        while not self._untrusted and not (cancelled and self.in_flight == 0):
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
        reached(Point.AFTER_RECEIVE, method)
        if raw.redelivered:
            REDELIVERED.labels(rpc_queue(self.process.engine.service)).inc()
        entrypoint = self.methods.get(method)
        self.in_flight += 1
        if entrypoint is None:
            CALLS.labels("unknown", NotFound.code).inc()
            self._finish(channel, raw, failure(NotFound.of("method", method[:100])))
            return

        def worked(_context: Any, reply: Any, exc_info: Any) -> Any:
            if exc_info is not None:
                log.error("call_bug", method=method, exc_info=exc_info[1])
                reply = failure(Bug())
            with at_work(method):
                self._finish(channel, raw, reply)
            return None, None

        self.container.spawn_worker(
            entrypoint, (raw, self.process.engine), {}, handle_result=worked
        )

    def _finish(self, channel: Any, raw: Incoming, reply: bytes) -> None:
        """Answer, then acknowledge; a dead channel means that the broker asks somebody again."""
        try:
            with self._writing:
                if channel is self._channel:
                    reached(Point.BEFORE_REPLY)
                    self._reply(channel, raw, reply)
                    reached(Point.BEFORE_ACK)
                    channel.basic_ack(raw.tag)
        except BROKEN as broken:
            self._untrusted = True
            log.warning("reply_failed", error=type(broken).__name__)
        finally:
            if channel is self._channel:
                self.in_flight -= 1

    def _reply(self, channel: Any, raw: Incoming, reply: bytes) -> None:
        key = reply_key(raw)
        if key is None:
            return
        message = amqp.Message(
            reply,
            content_type="application/json",
            content_encoding="utf-8",
            correlation_id=str(raw.properties.get("correlation_id") or ""),
        )
        channel.basic_publish(message, RPC, key)


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
