"""Everything the broker needs, derived from who subscribes to what. Pure: applied elsewhere.

Services declare nothing and hold no right to configure; names here are wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EVENTS = "events"
UNROUTED = "unrouted"
PARKING = "parking"
RPC = "nameko-rpc"
#: Delays of the retry ladder in milliseconds, one queue each.
RETRY_DELAYS_MS = (5_000, 60_000, 600_000)
#: The ladder of the profile `test`.
TEST_RETRY_DELAYS_MS = (100, 100, 100)
DELIVERY_LIMIT = 50
#: First broker version (major) whose quorum queues have a delivery limit of their own.
_LIMITED_BY_DEFAULT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionNeed:
    """One subscription of one service: which event types reach its queue (`#` is everything)."""

    service: str
    name: str
    event_types: tuple[str, ...]

    @property
    def queue(self) -> str:
        """The quorum queue of this subscription."""
        return f"q.{self.service}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNeed:
    """What one service asks of the broker."""

    name: str
    publishes: tuple[str, ...]
    subscriptions: tuple[SubscriptionNeed, ...]
    reads_parking: bool = False


@dataclass(frozen=True, slots=True)
class Topology:
    """A rendered virtual host in the words of RabbitMQ's definitions file."""

    exchanges: tuple[dict[str, Any], ...]
    queues: tuple[dict[str, Any], ...]
    bindings: tuple[dict[str, Any], ...]
    policies: tuple[dict[str, Any], ...]
    #: User name to its permissions on this virtual host.
    permissions: dict[str, dict[str, str]] = field(default_factory=dict)
    topic_permissions: dict[str, tuple[dict[str, str], ...]] = field(default_factory=dict)


def retry_exchange(step: int) -> str:
    """The exchange and queue of one step of the ladder, counted from 1."""
    return f"retry.{step}"


def rpc_queue(service: str) -> str:
    """The queue of a service's requests."""
    return f"rpc-{service}"


def render(
    services: Sequence[ServiceNeed],
    *,
    broker_major: int,
    delays_ms: Sequence[int] = RETRY_DELAYS_MS,
    callers: Mapping[str, Sequence[str]] | None = None,
) -> Topology:
    """The whole virtual host for these services; `callers` maps an RPC user to what it may call."""
    steps = [retry_exchange(n) for n in range(1, len(delays_ms) + 1)]
    permissions = {s.name: _service_permission(s, steps) for s in services}
    topic = {s.name: _service_topics(s, steps) for s in services}
    for user, patterns in (callers or {}).items():
        permissions[user] = _caller_permission(user)
        topic[user] = _caller_topics(patterns)
    return Topology(
        exchanges=_exchanges(steps),
        queues=_queues(services, steps),
        bindings=_bindings(services, steps),
        policies=_policies(steps, delays_ms, broker_major),
        permissions=permissions,
        topic_permissions=topic,
    )


def _exchanges(steps: Sequence[str]) -> tuple[dict[str, Any], ...]:
    def exchange(name: str, kind: str, **arguments: str) -> dict[str, Any]:
        return {
            "name": name,
            "type": kind,
            "durable": True,
            "auto_delete": False,
            "internal": False,
            "arguments": arguments,
        }

    return (
        exchange(EVENTS, "topic", **{"alternate-exchange": UNROUTED}),
        exchange(UNROUTED, "fanout"),
        exchange(PARKING, "fanout"),
        exchange(RPC, "topic"),
        *(exchange(step, "topic") for step in steps),
    )


def _queues(services: Sequence[ServiceNeed], steps: Sequence[str]) -> tuple[dict[str, Any], ...]:
    subscribed = [sub.queue for s in services for sub in s.subscriptions]
    requests = [rpc_queue(s.name) for s in services]
    return tuple(
        {
            "name": name,
            "durable": True,
            "auto_delete": False,
            "arguments": {"x-queue-type": "quorum"},
        }
        for name in (*subscribed, *requests, UNROUTED, PARKING, *steps)
    )


def _bindings(services: Sequence[ServiceNeed], steps: Sequence[str]) -> tuple[dict[str, Any], ...]:
    def binding(source: str, queue: str, key: str) -> dict[str, Any]:
        return {
            "source": source,
            "destination": queue,
            "destination_type": "queue",
            "routing_key": key,
            "arguments": {},
        }

    found = [binding(UNROUTED, UNROUTED, ""), binding(PARKING, PARKING, "")]
    found += [binding(step, step, "#") for step in steps]
    for service in services:
        found.append(binding(RPC, rpc_queue(service.name), f"{service.name}.*"))
        for sub in service.subscriptions:
            for event_type in sub.event_types:
                key = "#" if event_type == "#" else f"{event_type}.#"
                found.append(binding(EVENTS, sub.queue, key))
    return tuple(found)


def _policies(
    steps: Sequence[str], delays_ms: Sequence[int], broker_major: int
) -> tuple[dict[str, Any], ...]:
    def policy(name: str, pattern: str, definition: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": name,
            "pattern": pattern,
            "apply-to": "queues",
            "priority": 10,
            "definition": definition,
        }

    at_least_once = {"dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}
    found = [
        policy(
            "subscriptions",
            r"^q\.",
            {"delivery-limit": DELIVERY_LIMIT, "dead-letter-exchange": PARKING, **at_least_once},
        )
    ]
    for step, delay in zip(steps, delays_ms, strict=True):
        definition: dict[str, Any] = {"message-ttl": delay, "dead-letter-exchange": ""}
        found.append(policy(step, f"^{re.escape(step)}$", {**definition, **at_least_once}))
    if broker_major >= _LIMITED_BY_DEFAULT:
        unlimited = {"delivery-limit": -1}
        found.append(policy("unlimited", f"^({PARKING}|{UNROUTED}|rpc-.*)$", unlimited))
    return tuple(found)


def _service_permission(service: ServiceNeed, steps: Sequence[str]) -> dict[str, str]:
    """Configure nothing; write events, retries, parking and answers; read only its own queues."""
    ladder = "|".join(re.escape(step) for step in steps)
    # The default exchange carries replays to their stored origin: the journal's right alone.
    default = r"|amq\.default" if service.reads_parking else ""
    reads = rf"q\.{service.name}\..*|rpc-{service.name}"
    return {
        "configure": "^$",
        "write": rf"^({EVENTS}|{PARKING}|{RPC}|{ladder}{default})$",
        "read": f"^({reads}|{PARKING})$" if service.reads_parking else f"^({reads})$",
    }


_REPLY_KEY = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def _service_topics(service: ServiceNeed, steps: Sequence[str]) -> tuple[dict[str, str], ...]:
    own = "|".join(re.escape(event_type) for event_type in service.publishes)
    ladder = tuple(
        {"exchange": step, "write": rf"^q\.{service.name}\.", "read": "^$"} for step in steps
    )
    return (
        {"exchange": EVENTS, "write": rf"^({own})\." if own else "^$", "read": "^$"},
        {"exchange": RPC, "write": f"^{_REPLY_KEY}$", "read": "^$"},
        *ladder,
    )


def _caller_permission(user: str) -> dict[str, str]:
    """A caller may declare only its own reply queues and bind them to the RPC exchange."""
    own = rf"rpc\.reply-{re.escape(user)}-.*"
    return {"configure": f"^{own}$", "write": f"^({own}|{RPC})$", "read": f"^({own}|{RPC})$"}


def _caller_topics(patterns: Sequence[str]) -> tuple[dict[str, str], ...]:
    may_call = "|".join(patterns)
    return ({"exchange": RPC, "write": f"^({may_call})$", "read": f"^{_REPLY_KEY}$"},)
