"""What a service declares: its subscriptions, commands, queries and timers, as plain records.

The nameko entrypoints and the tests both read these records, so a handler is the same thing under
a broker and in a plain call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from marshmallow import Schema

from lianfang.events import BY_TYPE
from lianfang.topology import PARKING, ServiceNeed, SubscriptionNeed

ATTRIBUTE = "lianfang_handler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """One subscription. `reads` is what the method gets: events, envelopes or parked messages."""

    name: str
    method: Callable[..., Any]
    event_types: tuple[str, ...]
    queue: str
    batch: int
    load: Callable[..., None] | None = None
    idempotent: bool = False
    reads: str = "events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One RPC method; a command has a unit of work and takes a `request_id`."""

    name: str
    method: Callable[..., Any]
    request: Schema
    answer: Schema
    is_command: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One clock: `due` finds keys whose time has come, the method settles one of them."""

    name: str
    method: Callable[..., Any]
    every: float
    due: Callable[[Any, datetime, int], Sequence[str]]


def record_of(service: Any, method_name: str) -> Any:
    """What the decorator of a method recorded, or None; a handler's queue is named by now."""
    record = getattr(getattr(service, method_name), ATTRIBUTE, None)
    if isinstance(record, Handler) and not record.queue:
        need = SubscriptionNeed(service=service.name, name=record.name, event_types=())
        return replace(record, queue=need.queue)
    return record


def declared(service: Any, kind: type) -> list[Any]:
    """The records of `kind` that a service class declares, in the order of their methods' names."""
    records = [record_of(service, name) for name in dir(service)]
    return [record for record in records if isinstance(record, kind)]


def need_of(service: Any) -> ServiceNeed:
    """What a service class asks of the broker."""
    name: str = service.name
    handlers: list[Handler] = declared(service, Handler)
    return ServiceNeed(
        name=name,
        publishes=tuple(
            event_type
            for event_type, cls in sorted(BY_TYPE.items())
            if cls.__module__.rpartition(".")[2] == name
        ),
        subscriptions=tuple(
            SubscriptionNeed(service=name, name=h.name, event_types=h.event_types)
            for h in handlers
            if h.queue != PARKING
        ),
        reads_parking=any(h.queue == PARKING for h in handlers),
    )
