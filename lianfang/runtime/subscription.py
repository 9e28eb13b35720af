"""The reliable subscription: consumes one queue, hands batches to workers, drains when it stops.

Its own connection and loop, raw messages (nothing is decoded before our door looks), one batch
 in flight, acknowledgement only after the effect, and no error that could end the process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from nameko.extensions import Entrypoint

from lianfang.errors import Unavailable
from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.runtime.handlers import Handler, record_of
from lianfang.runtime.intake import Incoming, Intake
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import UNSETTLED
from lianfang.runtime.process import Process

#: Seconds a batch waits for more once it has its first message.
BATCH_WAIT = 0.02
BATCH_BYTES = 2 * 1024 * 1024
_IDLE = 1.0
_PAUSE = 1.0
_DRAIN_SECONDS = 25.0


class Subscription(Entrypoint):
    """Nameko's entrypoint for one `Handler`: the loop, the worker and the drain."""

    process = Process()

    def setup(self) -> None:
        """Read the handler's record."""
        self.handler: Handler = record_of(self.container.service_cls, self.method_name)

    def start(self) -> None:
        """Start consuming; a broker that is not there yet is waited for."""
        self.buffer: deque[Incoming] = deque()
        self.filled = threading.Event()
        self.stopping = False
        self.busy = False
        self.connected = False
        self.finished = threading.Event()
        self._connection: Any = None
        self._channel: Any = None
        self.intake = Intake(self.process.engine, self.handler)
        self.container.spawn_managed_thread(self._consume, identifier=self.handler.queue)
        self.container.spawn_managed_thread(self._work, identifier=f"{self.handler.queue} worker")

    def stop(self) -> None:
        """Cancel, finish and acknowledge all that was received, then close: nothing comes twice."""
        self.stopping = True
        self.filled.set()
        if not self.finished.wait(_DRAIN_SECONDS):
            log.warning("drain_timed_out", subscription=self.handler.queue, left=len(self.buffer))

    # -- the loop: receives, keeps the heart beating, never decides ----------------------------

    def _consume(self) -> None:
        delay = 0.2
        while not self.stopping:
            try:
                self._connect()
                delay = 0.2
                self._loop()
            except BROKEN as error:
                log.warning(
                    "subscription_interrupted",
                    subscription=self.handler.queue,
                    error=type(error).__name__,
                    detail=str(error)[:200],
                )
            self._disconnect()
            if not self.stopping:
                time.sleep(delay)
                delay = min(delay * 2, 5.0)
        self.finished.set()
        self.filled.set()

    def _connect(self) -> None:
        settings = self.process.engine.settings
        self._connection = open_connection(settings.amqp_uri, self.handler.queue)
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, 2 * self.handler.batch, False)
        channel.basic_consume(
            self.handler.queue, consumer_tag=self.handler.queue, callback=self._receive
        )
        self._channel, self.connected = channel, True

    def _loop(self) -> None:
        cancelled = False
        while True:
            if self.stopping and not cancelled:
                self._channel.basic_cancel(self.handler.queue)
                cancelled = True
            if cancelled and not self.buffer and not self.busy:
                return
            try:
                self._connection.drain_events(timeout=BATCH_WAIT if cancelled else _IDLE)
            except TimeoutError:
                self._connection.heartbeat_tick()

    def _receive(self, message: Any) -> None:
        self.buffer.append(incoming(message))
        self.filled.set()

    def _disconnect(self) -> None:
        self.connected = False
        self.buffer.clear()
        close_quietly(self._connection)
        self._connection = self._channel = None

    # -- the worker: one batch at a time -------------------------------------------------------

    def _work(self) -> None:
        while not self.finished.is_set():
            self.filled.wait(_IDLE)
            self._pause_under_pressure()
            batch, channel = self._take()
            if not batch:
                continue
            try:
                self._run(batch)
                self._acknowledge(channel, batch[-1].tag)
            finally:
                self.busy = False

    def _take(self) -> tuple[list[Incoming], Any]:
        """The next batch: what is there after a short wait for more, within the limits."""
        if self.buffer and len(self.buffer) < self.handler.batch and not self.stopping:
            deadline = time.monotonic() + BATCH_WAIT
            while len(self.buffer) < self.handler.batch and time.monotonic() < deadline:
                time.sleep(BATCH_WAIT / 4)
        batch: list[Incoming] = []
        size = 0
        channel = self._channel
        while self.buffer and len(batch) < self.handler.batch and size < BATCH_BYTES:
            batch.append(self.buffer.popleft())
            size += len(batch[-1].body)
            self.busy = True
        if not self.buffer:
            self.filled.clear()
        return batch, channel

    def _run(self, batch: list[Incoming]) -> None:
        """Bring the batch to its end, however long the database or the broker stays away."""
        while True:
            done = threading.Event()
            failure: list[BaseException] = []
            self.container.spawn_worker(
                self, (batch, self.intake), {}, handle_result=_collect(done, failure)
            )
            done.wait()
            if not failure:
                return
            if not isinstance(failure[0], (Unavailable, ConnectionError)):
                log.error("batch_failed", subscription=self.handler.queue, exc_info=failure[0])
            log.warning("batch_held", subscription=self.handler.queue, messages=len(batch))
            if self.stopping or not self.connected:
                return self._drop_connection()
            time.sleep(_PAUSE)

    def _drop_connection(self) -> None:
        """Give the held batch back by closing: unacknowledged, so the broker delivers it again."""
        close_quietly(self._connection)
        self._channel = None

    def _pause_under_pressure(self) -> None:
        while self.process.engine.outbox.under_pressure and not self.stopping:
            time.sleep(_PAUSE)

    def _acknowledge(self, channel: Any, tag: int) -> None:
        """Acknowledge all up to `tag`, unless the channel they came on is gone."""
        if channel is None or channel is not self._channel:
            return
        try:
            channel.basic_ack(tag, multiple=True)
        except BROKEN as error:
            UNSETTLED.inc()
            log.warning("ack_failed", subscription=self.handler.queue, error=type(error).__name__)


def incoming(message: Any) -> Incoming:
    """A raw py-amqp message as plain data; nothing is decoded."""
    properties = dict(message.properties)
    headers = properties.pop("application_headers", None)
    body = message.body
    return Incoming(
        body=body if isinstance(body, bytes) else str(body).encode("utf-8", "surrogatepass"),
        properties=properties,
        headers=headers if isinstance(headers, dict) else {},
        tag=message.delivery_info.get("delivery_tag", 0),
        redelivered=bool(message.delivery_info.get("redelivered")),
    )


def _collect(done: threading.Event, failure: list[BaseException]) -> Callable[..., Any]:
    def handle_result(_context: Any, result: Any, exc_info: Any) -> Any:
        if exc_info is not None:
            failure.append(exc_info[1])
        done.set()
        return result, exc_info

    return handle_result
