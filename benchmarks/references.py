"""Starts the two references, each as three processes in a virtual host and databases of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lianfang.testing.processes import Child
from lianfang.testing.servers import Servers

_STAGES = ("journal", "screening", "declaration")


@dataclass(frozen=True, slots=True)
class Target:
    """A running contender: where to send, how to see its journal grow, its processes."""

    amqp_uri: str
    journal_count: Callable[[], int]
    children: list[Child]


@contextmanager
def reference(servers: Servers, module: str) -> Iterator[Target]:
    """`plain_nameko` or `floor`, running until the end of the block, then removed."""
    vhost = database = f"bench_{module}"
    servers.drop(vhost, database)
    amqp_uri = servers.new_vhost(vhost)
    client = servers.client()
    children: list[Child] = []
    try:
        for stage in _STAGES:
            command = [sys.executable, "-m", f"benchmarks.{module}", stage]
            command += [amqp_uri, servers.mongo_uri, database]
            child = Child(f"{module}-{stage}", command, os.environ)
            children.append(child)
        for child in children:
            child.wait_until(child.said_ready)
        events = client[f"{database}_journal"].events
        yield Target(amqp_uri, events.estimated_document_count, children)
    finally:
        for child in children:
            child.stop()
        client.close()
        servers.drop(vhost, database)
