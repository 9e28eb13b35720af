"""A publisher that is logged in and sends whatever it likes, byte by byte."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import amqp

from lianfang.runtime.broker import close_quietly, open_connection
from tests.faults.families import Poison

_CONFIRM_SECONDS = 30


class Rogue:
    """Sends to one queue at a time, past every exchange; each message confirmed by the broker."""

    def __init__(self, amqp_uri: str) -> None:
        self._connection = open_connection(amqp_uri, "rogue")
        self._channel = self._connection.channel()
        self._channel.confirm_select()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        close_quietly(self._connection)

    def send(self, queue: str, poison: Poison) -> None:
        """Send it; the broker has it when this returns."""
        message = amqp.Message(
            poison.body,
            delivery_mode=2,
            application_headers=poison.headers,
            **poison.properties,
        )
        if poison.raw_properties is not None:
            message._serialize_properties = lambda: poison.raw_properties
        self.put(queue, message)

    def put(self, queue: str, message: Any, exchange: str = "") -> None:
        """Send a message of py-amqp's own."""
        self._channel.basic_publish_confirm(
            message, exchange, queue, mandatory=True, confirm_timeout=_CONFIRM_SECONDS
        )

    def beat(self) -> None:
        """Keep the connection while nothing is sent."""
        self._connection.heartbeat_tick()
