"""What the broker of a district holds, as `lianfang topology apply` makes it."""

from __future__ import annotations

import json

from docs.generate.markdown import code, codes, document, table
from lianfang.cli.district import OPERATOR
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import need_of
from lianfang.topology import Topology, render

BROKER_MAJOR = 4

INTRO = """One virtual host `d-<district>` per district. Everything here is derived from who
subscribes to what and is applied by `lianfang topology apply`, which is safe to repeat; services
declare nothing and may configure nothing. Every queue is a quorum queue. On RabbitMQ 3.10 the
policy `unlimited` falls away, because only 4.x gives queues a delivery limit of their own."""


def page() -> str:
    """`docs/reference/topology.md`."""
    services = [need_of(service_class(name)) for name in SERVICES]
    callers = {OPERATOR: [rf"{name}\\..*" for name in SERVICES]}
    rendered = render(services, broker_major=BROKER_MAJOR, callers=callers)
    return document(
        "Topology",
        INTRO,
        "## Exchanges\n\n" + _exchanges(rendered),
        "## Queues and what reaches them\n\n" + _queues(rendered),
        "## Policies\n\n" + _policies(rendered),
        "## Permissions\n\n" + _permissions(rendered),
        "## Topic permissions\n\n" + _topics(rendered),
    )


def _exchanges(rendered: Topology) -> str:
    rows = [
        (code(e["name"]), e["type"], code(e["arguments"].get("alternate-exchange", "")).strip("`"))
        for e in rendered.exchanges
    ]
    return table(("Exchange", "Type", "What it cannot route goes to"), rows)


def _queues(rendered: Topology) -> str:
    rows = []
    for queue in rendered.queues:
        keys = [b for b in rendered.bindings if b["destination"] == queue["name"]]
        said = [f"{b['source']} {b['routing_key']}".strip() for b in keys]
        rows.append((code(queue["name"]), codes(said)))
    return table(("Queue", "Bindings: exchange and routing key"), rows)


def _policies(rendered: Topology) -> str:
    rows = [
        (code(p["name"]), code(p["pattern"]), code(json.dumps(p["definition"])))
        for p in rendered.policies
    ]
    return table(("Policy", "Queues", "Definition"), rows)


def _permissions(rendered: Topology) -> str:
    rows = [
        (code(user), code(rights["configure"]), code(rights["write"]), code(rights["read"]))
        for user, rights in rendered.permissions.items()
    ]
    return table(("User", "Configure", "Write", "Read"), rows)


def _topics(rendered: Topology) -> str:
    rows = [
        (code(user), code(right["exchange"]), code(right["write"]), code(right["read"]))
        for user, rights in rendered.topic_permissions.items()
        for right in rights
    ]
    return table(("User", "Exchange", "Write", "Read"), rows)
