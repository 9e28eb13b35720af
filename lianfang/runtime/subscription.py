"""The reliable subscription: consumes one queue, hands batches to workers, drains when it stops.

Its own connection and loop, raw messages (nothing is decoded before our door looks), one batch
 in flight, acknowledgement only after the effect, and no error that could end the process.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any

from nameko.extensions import Entrypoint

from lianfang.errors import Unavailable
from lianfang.runtime.broker import BROKEN, close_quietly, drop, open_connection
from lianfang.runtime.crashpoints import Point, reached
from lianfang.runtime.door import Incoming
from lianfang.runtime.handlers import Handler, record_of
from lianfang.runtime.intake import Intake
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import REDELIVERED, UNSETTLED
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
        #: The connection failed somebody, or holds what is given up: the loop has to close it, for
        #: two greenthreads must not read from one socket.
        self._untrusted = False
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
                self._untrusted = True  # over a silent wire a goodbye would wait for its answer
            except Exception as error:
                # Out of a managed thread it would end the process.
                log.error("subscription_bug", subscription=self.handler.queue, exc_info=error)
            self._disconnect()
            if not self.stopping:
                time.sleep(delay)
                delay = min(delay * 2, 5.0)
        self.finished.set()
        self.filled.set()

    def _connect(self) -> None:
        settings = self.process.engine.settings
        self._untrusted = False
        self._connection = open_connection(settings.amqp_uri, self.handler.queue)
        channel = self._connection.channel()
        channel.auto_decode = False
        channel.basic_qos(0, 2 * self.handler.batch, False)
        self._channel = channel
        channel.basic_consume(
            self.handler.queue, consumer_tag=self.handler.queue, callback=self._receive
        )
        self.connected = True

    def _loop(self) -> None:
        """Read until everything received is settled after a stop, or the connection is given up."""
        cancelled = False
        while not self._untrusted:
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
        raw = incoming(message)
        if raw.redelivered:
            REDELIVERED.labels(self.handler.queue).inc()
        self.buffer.append(raw)
        reached(Point.AFTER_RECEIVE, self.handler.queue)
        self.filled.set()

    def _disconnect(self) -> None:
        """Close; what was received and not acknowledged the broker delivers again."""
        self.connected = False
        self.buffer.clear()
        connection, self._connection, self._channel = self._connection, None, None
        if self._untrusted:
            drop(connection)
        else:
            close_quietly(connection)

    # -- the worker: one batch at a time -------------------------------------------------------

    def _work(self) -> None:
        while not self.finished.is_set():
            self.filled.wait(_IDLE)
            self._pause_under_pressure()
            batch, channel = self._take()
            if not batch:
                continue
            try:
                if self._run(batch, channel):
                    self._acknowledge(channel, batch[-1].tag)
            except Exception as error:
                # Out of a managed thread it would end the process; unsettled, the batch comes back.
                log.error("subscription_bug", subscription=self.handler.queue, exc_info=error)
                self._untrusted = True
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

    def _run(self, batch: list[Incoming], channel: Any) -> bool:
        """Bring the batch to its end, however long the database or the broker stays away.

        False when it was given up: its connection is gone, or the process has to end. It is then
        unacknowledged, so the broker delivers it again.
        """
        while True:
            error = self._attempt(batch)
            if error is None:
                return True
            expected = isinstance(error, Unavailable | ConnectionError)
            log.warning(
                "batch_held",
                subscription=self.handler.queue,
                messages=len(batch),
                reason=str(error)[:200] if expected else None,
                exc_info=None if expected else error,
            )
            if channel is not self._channel:
                return False
            if self.stopping:
                self._untrusted = True
                return False
            time.sleep(_PAUSE)

    def _attempt(self, batch: list[Incoming]) -> BaseException | None:
        """Run the batch in a worker of the container; what went wrong, or None."""
        done = threading.Event()
        failure: list[BaseException] = []

        def collect(_context: Any, result: Any, exc_info: Any) -> Any:
            error = exc_info[1] if exc_info is not None else result
            if error is not None:
                failure.append(error)
            done.set()
            return None, None

        self.container.spawn_worker(self, (batch, self.intake), {}, handle_result=collect)
        done.wait()
        return failure[0] if failure else None

    def _pause_under_pressure(self) -> None:
        while self.process.engine.outbox.under_pressure and not self.stopping:
            time.sleep(_PAUSE)

    def _acknowledge(self, channel: Any, tag: int) -> None:
        """Acknowledge all up to `tag`, unless the channel they came on is gone."""
        if channel is None or channel is not self._channel:
            return
        reached(Point.BEFORE_ACK, self.handler.queue)
        try:
            channel.basic_ack(tag, multiple=True)
        except BROKEN as error:
            UNSETTLED.inc()
            self._untrusted = True
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
