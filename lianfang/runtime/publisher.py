"""Pipelined confirmed publishing: a message counts only when the broker said so for itself.

py-amqp leaves the confirm of a returned message unread, so its next publish would look confirmed.
Here every confirm is matched by its tag, and after any error the whole connection is thrown away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import amqp

from lianfang.runtime.broker import BROKEN, close_quietly, corked, drop, open_connection
from lianfang.runtime.crashpoints import Point, is_armed, reached
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import PUBLISHED

#: Seconds until the next confirm of a window; over a slow wire a whole window takes longer.
CONFIRM_TIMEOUT = 5.0
#: Messages on the way at once.
WINDOW = 500
#: What our own events are.
JSON_EVENT = "application/cloudevents+json"
_PERSISTENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish; `id` is how the caller recognises it."""

    id: str
    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = JSON_EVENT


class ChannelRefused(Exception):
    """The broker closed the channel over a message (no such exchange, no permission)."""


@dataclass(slots=True, eq=False)
class _Order:
    """What one caller wants published, and what became of it."""

    messages: list[Outgoing]
    served: bool = False
    confirmed: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    refused: str | None = None


class Publisher:
    """One connection that publishes for the whole process; safe to call from any thread.

    Who comes while another waits for its confirms travels in the next window with all others that
    came: under load the broker's latency is paid once for several callers.
    """

    def __init__(
        self, amqp_uri: str, name: str, *, confirm_timeout: float = CONFIRM_TIMEOUT
    ) -> None:
        self._uri, self._name, self._confirm_timeout = amqp_uri, name, confirm_timeout
        self._lock = threading.Lock()
        self._orders: list[_Order] = []
        self._connection: Any = None
        self._channel: Any = None
        self._tag = 0
        self._waiting: dict[int, str] = {}
        self._confirmed: set[str] = set()
        self._returned: set[str] = set()
        #: The broker is short of memory or disk and takes nothing; told by the broker itself.
        self.blocked = False

    def publish(self, messages: Iterable[Outgoing], returned: set[str] | None = None) -> set[str]:
        """Publish and return the ids that the broker confirmed, no others.

        What is missing may or may not have arrived; publishing it again is the caller's part. The
        ids of messages that no queue took are missing too, and are added to `returned`.

        Raises:
            ChannelRefused: the broker closed the channel over a message of the last window.
        """
        order = _Order(list(messages))
        self._orders.append(order)
        with self._lock:
            if not order.served:
                self._serve()
        PUBLISHED.labels("confirmed").inc(len(order.confirmed))
        PUBLISHED.labels("unconfirmed").inc(len(order.messages) - len(order.confirmed))
        if returned is not None:
            returned |= order.returned
        if order.refused is not None:
            raise ChannelRefused(order.refused)
        return order.confirmed

    def _serve(self) -> None:
        """Publish together what came while the one before waited for its confirms.

        Where the broker closes the channel over one of them, each is published alone.
        """
        orders, self._orders = self._orders, []
        try:
            confirmed, returned = self._publish_all([m for o in orders for m in o.messages])
        except ChannelRefused:
            for order in orders:
                self._serve_alone(order)
        else:
            for order in orders:
                ids = {message.id for message in order.messages}
                order.confirmed, order.returned = confirmed & ids, returned & ids
        finally:
            for order in orders:
                order.served = True

    def _serve_alone(self, order: _Order) -> None:
        try:
            order.confirmed, order.returned = self._publish_all(order.messages)
        except ChannelRefused as error:
            order.refused = str(error)

    def _publish_all(self, pending: list[Outgoing]) -> tuple[set[str], set[str]]:
        confirmed: set[str] = set()
        returned: set[str] = set()
        for start in range(0, len(pending), WINDOW):
            window = pending[start : start + WINDOW]
            done = self._publish_window(window)
            confirmed |= done
            returned |= self._returned
            if len(done) + len(self._returned) < len(window):
                break
        return confirmed, returned

    def _publish_window(self, window: list[Outgoing]) -> set[str]:
        self._waiting, self._confirmed, self._returned = {}, set(), set()
        try:
            self._ensure_channel()
            if not self.blocked:
                half = len(window) // 2 if is_armed(Point.HALF_WINDOW) else 0
                if half:
                    self._send_all(window[:half])
                    reached(Point.HALF_WINDOW)
                self._send_all(window[half:])
                self._await_confirms()
        except amqp.exceptions.ChannelError as error:
            self._discard()
            raise ChannelRefused(str(error)) from error
        except BROKEN as error:
            log.warning("publish_interrupted", error=type(error).__name__, detail=str(error)[:200])
            self._discard()
        except BaseException:
            self._discard()
            raise
        return self._confirmed - self._returned

    def _send_all(self, messages: list[Outgoing]) -> None:
        with corked(self._connection):
            for message in messages:
                self._send(message)

    def _send(self, message: Outgoing) -> None:
        self._tag += 1
        self._waiting[self._tag] = message.id
        outgoing = amqp.Message(
            message.body,
            delivery_mode=_PERSISTENT,
            content_type=message.content_type,
            message_id=message.id,
            application_headers=dict(message.headers),
        )
        self._channel.basic_publish(outgoing, message.exchange, message.routing_key, mandatory=True)

    def _await_confirms(self) -> None:
        """Read confirms until none is missing.

        A broker that says it is blocked keeps its connection: only on that one will it say when it
        takes messages again. Late confirms then meet no tag that waits.
        """
        missing, since = len(self._waiting), time.monotonic()
        while self._waiting and not self.blocked:
            if len(self._waiting) < missing:
                missing, since = len(self._waiting), time.monotonic()
            left = since + self._confirm_timeout - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{missing} messages unconfirmed")
            self._connection.drain_events(timeout=left)

    def _ensure_channel(self) -> None:
        if self._channel is not None and self._channel.is_open:
            return
        self._discard()
        self._connection = open_connection(self._uri, f"{self._name} publisher")
        self._connection.on_blocked = self._on_blocked
        self._connection.on_unblocked = self._on_unblocked
        self._channel = self._connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def _on_ack(self, delivery_tag: int, multiple: bool) -> None:
        self._confirmed |= self._settle(delivery_tag, multiple)

    def _on_nack(self, delivery_tag: int, multiple: bool) -> None:
        self._settle(delivery_tag, multiple)

    def _settle(self, tag: int, multiple: bool) -> set[str]:
        tags = [t for t in self._waiting if t <= tag] if multiple else [tag]
        return {self._waiting.pop(t) for t in tags if t in self._waiting}

    def _on_return(self, *arguments: Any) -> None:
        message = arguments[-1]
        self._returned.add(message.properties.get("message_id", ""))

    def _on_blocked(self, reason: str) -> None:
        log.warning("broker_blocked", reason=reason)
        self.blocked = True

    def _on_unblocked(self) -> None:
        log.info("broker_unblocked")
        self.blocked = False

    def keep_alive(self) -> None:
        """Send what heartbeat is due and read what waits; call about once a second."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._channel is not None:
                self._connection.heartbeat_tick()
                self._connection.drain_events(timeout=0.001)
        except TimeoutError:
            return
        except BROKEN as error:
            log.warning("publisher_connection_lost", error=type(error).__name__)
            self._discard()
        finally:
            self._lock.release()

    def _discard(self) -> None:
        drop(self._connection)
        self._connection = self._channel = None
        self._waiting, self._tag, self.blocked = {}, 0, False

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            close_quietly(self._connection)
            self._discard()
