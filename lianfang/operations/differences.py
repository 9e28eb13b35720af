"""What a virtual host has and should not, lacks, or has otherwise than the topology says. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lianfang.topology import Topology

#: What callers declare for themselves; it expires.
REPLY_QUEUES = "rpc.reply-"
_QUEUE = ("durable", "auto_delete", "arguments")
_EXCHANGE = ("type", "durable", "auto_delete", "internal", "arguments")
_POLICY = ("pattern", "apply-to", "priority", "definition")
_PERMISSION = ("configure", "write", "read")
_TOPIC = ("write", "read")

Named = Mapping[tuple[str, ...], Mapping[str, Any]]


class Kind(StrEnum):
    """What kind of thing."""

    QUEUE = "queue"
    EXCHANGE = "exchange"
    BINDING = "binding"
    POLICY = "policy"
    USER = "user"
    PERMISSION = "permission"
    TOPIC_PERMISSION = "topic permission"


class State(StrEnum):
    """In which way it is not as it should be."""

    MISSING = "missing"
    DIFFERENT = "different"
    SURPLUS = "surplus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing of the virtual host; `fields` names what differs."""

    kind: Kind
    state: State
    name: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A virtual host as the broker describes it, in the words of its management API."""

    queues: list[dict[str, Any]]
    exchanges: list[dict[str, Any]]
    bindings: list[dict[str, Any]]
    policies: list[dict[str, Any]]
    permissions: list[dict[str, Any]]
    topic_permissions: list[dict[str, Any]]
    #: The district's users that the broker knows.
    users: list[dict[str, Any]] = field(default_factory=list)
    administrator: str = ""


def differences(topology: Topology, users: Mapping[str, str], live: Live) -> list[Difference]:
    """All of them; `users` maps the topology's names to the broker's users."""
    return [
        *_compare(Kind.EXCHANGE, _named(topology.exchanges), _named(live.exchanges), _EXCHANGE),
        *_compare(Kind.QUEUE, _named(topology.queues), _own(_named(live.queues)), _QUEUE),
        *_compare(Kind.BINDING, _bound(topology.bindings), _own(_bound(live.bindings)), ()),
        *_compare(Kind.POLICY, _named(topology.policies), _named(live.policies), _POLICY),
        *_compare(Kind.USER, _expected_users(users), _named(live.users), ("tags",)),
        *_rights(topology, users, live),
    ]


def _rights(topology: Topology, users: Mapping[str, str], live: Live) -> Iterator[Difference]:
    expected: Named = {(users[name],): rights for name, rights in topology.permissions.items()}
    found: Named = {(p["user"],): p for p in live.permissions if p["user"] != live.administrator}
    yield from _compare(Kind.PERMISSION, expected, found, _PERMISSION)
    topics: Named = {
        (users[name], topic["exchange"]): topic
        for name, given in topology.topic_permissions.items()
        for topic in given
    }
    found_topics: Named = {(t["user"], t["exchange"]): t for t in live.topic_permissions}
    yield from _compare(Kind.TOPIC_PERMISSION, topics, found_topics, _TOPIC)


def _compare(
    kind: Kind, expected: Named, found: Named, fields: tuple[str, ...]
) -> Iterator[Difference]:
    for key, wanted in expected.items():
        if key not in found:
            yield Difference(kind=kind, state=State.MISSING, name=_name(key))
        elif other := tuple(f for f in fields if not _same(wanted[f], found[key].get(f))):
            yield Difference(kind=kind, state=State.DIFFERENT, name=_name(key), fields=other)
    for key in found:
        if key not in expected:
            yield Difference(kind=kind, state=State.SURPLUS, name=_name(key))


def _same(wanted: Any, found: Any) -> bool:
    """Equal; arguments that a broker adds by itself change nothing of those we gave."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping) and wanted:
        return all(found.get(key) == value for key, value in wanted.items())
    return bool(wanted == found) or (not wanted and not found)


def _named(things: Any) -> dict[tuple[str, ...], Any]:
    return {(thing["name"],): thing for thing in things}


def _bound(bindings: Any) -> dict[tuple[str, ...], Any]:
    return {
        (binding["source"], binding["destination"], binding["routing_key"]): binding
        for binding in bindings
    }


def _own(found: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
    """Without what callers declared for themselves."""
    return {
        key: thing for key, thing in found.items() if not any(REPLY_QUEUES in part for part in key)
    }


def _expected_users(users: Mapping[str, str]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {(user,): {"name": user, "tags": []} for user in users.values()}


def _name(key: tuple[str, ...]) -> str:
    return " → ".join(part for part in key if part)
