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

from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import PUBLISHED

#: Seconds a window of messages may take to be confirmed.
CONFIRM_TIMEOUT = 5.0
#: Messages on the way at once.
WINDOW = 500
_PERSISTENT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message to publish; `id` is how the caller recognises it."""

    id: str
    exchange: str
    routing_key: str
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    content_type: str = "application/cloudevents+json"


class ChannelRefused(Exception):
    """The broker closed the channel over a message (no such exchange, no permission)."""


class Publisher:
    """One connection that publishes for the whole process; safe to call from any thread."""

    def __init__(self, amqp_uri: str, name: str) -> None:
        self._uri, self._name = amqp_uri, name
        self._lock = threading.Lock()
        self._connection: Any = None
        self._channel: Any = None
        self._waiting: dict[int, str] = {}
        self._confirmed: set[str] = set()
        self._refused: set[str] = set()
        self._tag = 0
        self.blocked = False

    def publish(self, messages: Iterable[Outgoing]) -> set[str]:
        """Publish and return the ids that the broker confirmed, no others.

        What is missing may or may not have arrived; publishing it again is the caller's part.

        Raises:
            ChannelRefused: the broker closed the channel; nothing of this call counts.
        """
        pending = list(messages)
        confirmed: set[str] = set()
        with self._lock:
            for start in range(0, len(pending), WINDOW):
                window = pending[start : start + WINDOW]
                done = self._publish_window(window)
                confirmed |= done
                if len(done) < len(window):
                    break
        PUBLISHED.labels("confirmed").inc(len(confirmed))
        PUBLISHED.labels("unconfirmed").inc(len(pending) - len(confirmed))
        return confirmed

    def _publish_window(self, window: list[Outgoing]) -> set[str]:
        try:
            self._ensure_channel()
            for message in window:
                self._send(message)
            self._await_confirms()
        except (amqp.exceptions.ChannelError, amqp.exceptions.AccessRefused) as error:
            self._discard()
            raise ChannelRefused(str(error)) from error
        except BROKEN as error:
            log.warning("publish_interrupted", error=type(error).__name__, detail=str(error)[:200])
            self._discard()
        confirmed = self._confirmed - self._refused
        self._confirmed, self._refused = set(), set()
        return confirmed

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
        deadline = time.monotonic() + CONFIRM_TIMEOUT
        while self._waiting:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{len(self._waiting)} messages unconfirmed")
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
        self._refused.add(message.properties.get("message_id", ""))

    def _on_blocked(self, _reason: str) -> None:
        self.blocked = True

    def _on_unblocked(self) -> None:
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
        close_quietly(self._connection)
        self._connection = self._channel = None
        self._waiting, self._tag, self.blocked = {}, 0, False

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._discard()
