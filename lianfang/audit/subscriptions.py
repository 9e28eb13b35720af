"""Who has to hear what: read from the services' own declarations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import Handler, declared
from lianfang.topology import PARKING, RETRY_DELAYS_MS, UNROUTED, retry_exchange, rpc_queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A subscription of a service. A forgetful one keeps no inbox: its own keys make it safe."""

    service: str
    name: str
    queue: str
    event_types: tuple[str, ...]
    is_forgetful: bool

    def inbox_key(self, event_id: str) -> dict[str, Any]:
        """Under which key the inbox remembers that an event was handled."""
        return {"sub": self.name, "id": event_id}


@cache
def _of_service(service: str) -> tuple[Heard, ...]:
    handlers: list[Handler] = declared(service_class(service), Handler)
    return tuple(
        Heard(
            service=service,
            name=handler.name,
            queue=handler.queue,
            event_types=handler.event_types,
            is_forgetful=handler.idempotent,
        )
        for handler in handlers
        if handler.queue != PARKING
    )


def subscriptions_of(services: Collection[str] | None) -> list[Heard]:
    """The subscriptions of these services; of all with None."""
    wanted = SERVICES if services is None else services
    return [heard for name in SERVICES if name in wanted for heard in _of_service(name)]


def queues_of(services: Collection[str]) -> list[str]:
    """The queues that a district of these services must have."""
    steps = [retry_exchange(n) for n in range(1, len(RETRY_DELAYS_MS) + 1)]
    own = [heard.queue for heard in subscriptions_of(services)]
    own += [rpc_queue(name) for name in SERVICES if name in services]
    return [*own, UNROUTED, PARKING, *steps]
