"""What every service answers beside its own methods: is it idle, what is stuck, what time is it."""

from __future__ import annotations

import threading
from typing import Any

import amqp
from nameko.extensions import DependencyProvider

from lianfang.runtime import stuck
from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.runtime.entrypoints import command, query
from lianfang.runtime.process import Process
from lianfang.runtime.subscription import Subscription
from lianfang.schemas.fields import Answer, Count, Instant, Request
from lianfang.topology import PARKING, RETRY_DELAYS_MS, retry_exchange


class SetClockRequest(Request):
    """The instant to make the present."""

    now = Instant(required=True)


class ClockAnswer(Answer):
    """The present instant of the service."""

    now = Instant()


class GetIdleRequest(Request):
    """Nothing is asked."""


class IdleAnswer(Answer):
    """How much is still on its way through this service; all zero means idle.

    `outbox`: rows not yet confirmed. `queued`: messages ready in its queues. `unsettled`: messages
    received and not yet acknowledged. `retrying` and `parking`: messages of the whole district.
    """

    outbox = Count()
    queued = Count()
    unsettled = Count()
    retrying = Count()
    parking = Count()


class Operations(DependencyProvider):
    """Sees the process from inside: engine, subscriptions, queues."""

    process = Process()

    def setup(self) -> None:
        """Connect when first asked."""
        self._connection: Any = None
        #: Two that read one connection would take each other's answers.
        self._asking = threading.Lock()

    def get_dependency(self, worker_ctx: Any) -> Operations:
        """Itself."""
        return self

    @property
    def clock(self) -> Any:
        """The clock of the service."""
        return self.process.engine.clock

    def idle(self) -> dict[str, int]:
        """The figures of `IdleAnswer`."""
        subscriptions = [e for e in self.container.entrypoints if isinstance(e, Subscription)]
        steps = range(1, len(RETRY_DELAYS_MS) + 1)
        return {
            "outbox": self.process.engine.outbox.measure(),
            "queued": sum(self._depth(s.handler.queue) for s in subscriptions),
            "unsettled": sum(len(s.buffer) + s.busy for s in subscriptions),
            "retrying": sum(self._depth(retry_exchange(n)) for n in steps),
            "parking": self._depth(PARKING),
        }

    def _depth(self, queue: str) -> int:
        with self._asking:
            return self._ask_depth(queue)

    def _ask_depth(self, queue: str) -> int:
        engine = self.process.engine
        for attempt in (1, 2):
            try:
                if self._connection is None:
                    self._connection = open_connection(engine.settings.amqp_uri, "operations")
                channel = self._connection.channel()
                _, ready, _ = channel.queue_declare(queue, passive=True)
                channel.close()
            except amqp.exceptions.NotFound:
                return 0
            except BROKEN:
                close_quietly(self._connection)
                self._connection = None
                if attempt == 2:  # noqa: PLR2004 - the second of two tries
                    raise
            else:
                return int(ready)
        return 0

    def stop(self) -> None:
        """Close the connection."""
        close_quietly(self._connection)


class Operable:
    """Mixed into every service class by the runner."""

    operations = Operations()

    @query(SetClockRequest, ClockAnswer)
    def set_clock(self, _reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Make an instant the present; only in the profiles `demo` and `test`."""
        self.operations.clock.set(request["now"])
        return {"now": self.operations.clock.now()}

    @query(GetIdleRequest, IdleAnswer)
    def get_idle(self, _reader: Any, _request: dict[str, Any]) -> dict[str, int]:
        """How much is still on its way through this service."""
        return self.operations.idle()

    @query(stuck.FindStuckRequest, stuck.StuckAnswer)
    def find_stuck(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Events and replays that were saved and that the broker refuses, the oldest first."""
        return stuck.find_stuck(reader, request["limit"])

    @command(stuck.ReleaseOutboxRequest, stuck.ReleasedAnswer)
    def release_outbox(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Send what is stuck once more, after its cause was mended."""
        return stuck.release(work, request["row_ids"])
