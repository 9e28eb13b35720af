"""Hears everything that is published on `events`, as often as it is published."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from lianfang.runtime.broker import close_quietly, open_connection
from lianfang.topology import EVENTS


class Tap:
    """A queue of its own beside the subscriptions'; what is published waits there."""

    def __init__(self, amqp_uri: str) -> None:
        """`amqp_uri` is an administrator's: nobody else may bind a queue."""
        self._connection = open_connection(f"{amqp_uri}?heartbeat=0", "tap")
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        self._queue = self._channel.queue_declare("", exclusive=True, auto_delete=True).queue
        self._channel.queue_bind(self._queue, EVENTS, "#")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_quietly(self._connection)

    def take(self) -> list[Any]:
        """What was published since the last time: py-amqp's raw messages."""
        found = []
        while (message := self._channel.basic_get(self._queue, no_ack=True)) is not None:
            found.append(message)
        return found
