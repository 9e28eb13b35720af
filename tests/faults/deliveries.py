"""Every delivery to a client, as the broker's own tracer sees it.

The `redelivered` flag alone says too little: when a consumer leaves a quorum queue, the broker puts
back, flagged, what was on its way to the consumer and never reached it. Here a message has come
again only when a client was given it before.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from lianfang.runtime.broker import close_quietly, open_connection
from tests.faults.rig import FaultDistrict
from tests.faults.servers import Broker

_TRACER = "amq.rabbitmq.trace"
_DELIVERED = "deliver."


class Deliveries:
    """What was delivered, and what of it came again; counted by queue."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        self.flagged: Counter[str] = Counter()
        self.again: Counter[str] = Counter()
        self._given: set[tuple[str, str]] = set()
        self._ended = threading.Event()

    def hear(self, message: Any) -> None:
        """One word of the tracer."""
        queue = message.delivery_info["routing_key"].removeprefix(_DELIVERED)
        told = message.properties["application_headers"]
        properties = told["properties"]
        name = str(properties.get("message_id") or properties.get("correlation_id"))
        key = queue, f"{name} {properties.get('headers', {}).get('x-attempt', 0)}"
        self.delivered[queue] += 1
        if told["redelivered"]:
            self.flagged[queue] += 1
            self.again[queue] += key in self._given
        self._given.add(key)

    def listen(self, connection: Any) -> None:
        """Hear until told to stop."""
        while not self._ended.is_set():
            try:
                connection.drain_events(timeout=1)
            except TimeoutError:
                continue

    def end(self) -> None:
        """Hear no more."""
        self._ended.set()


@contextmanager
def traced(node: Broker, district: FaultDistrict) -> Iterator[Deliveries]:
    """The deliveries of the district inside the block."""
    heard = Deliveries()
    connection = open_connection(f"{district.amqp_uri}?heartbeat=0", "tracer")
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True, durable=False, auto_delete=True).queue
    channel.queue_bind(queue, _TRACER, f"{_DELIVERED}#")
    channel.basic_consume(queue, no_ack=True, callback=heard.hear)
    with ThreadPoolExecutor(1) as listener:
        listening = listener.submit(heard.listen, connection)
        node.trace(district.vhost)
        try:
            yield heard
        finally:
            node.trace(district.vhost, on=False)
            heard.end()
            listening.result()
            close_quietly(connection)
