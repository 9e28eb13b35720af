"""What the libraries have to bear under eventlet: `python -m tests.component.runtime.run_green …`.

`writers` lets many greenthreads write on one connection to the broker; `driver` lets several wait
for the database at once. Prints what came of it.
"""

from __future__ import annotations

# ruff: noqa: E402 - the process is patched before anything else is imported
import sys

from lianfang.runtime import runner

runner.patch()

import json
import os
import socket
import time
from typing import Any

import eventlet
from amqp import Message

from lianfang.runtime.broker import close_quietly, open_connection
from lianfang.runtime.documents import connect

WRITERS, MESSAGES, BYTES = 8, 20, 200_000
WAITERS, WAIT_SECONDS = 4, 1.0


def tell(**facts: float) -> None:
    sys.stderr.write(json.dumps(facts) + "\n")


def writers() -> None:
    """Every writer has to stop in the middle of its frames, for the kernel takes little at once."""
    connection = open_connection(os.environ["AMQP_URI"], "writers")
    connection.transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    body = b"x" * BYTES

    def write(channel: Any) -> None:
        for _ in range(MESSAGES):
            channel.basic_publish(Message(body), "", "nobody")
            connection.send_heartbeat()

    channels = [connection.channel() for _ in range(WRITERS)]
    for each in [eventlet.spawn(write, channel) for channel in channels]:
        each.wait()
    asked = connection.channel()
    asked.queue_declare("q.journal.one", passive=True)
    close_quietly(connection)
    tell(written=WRITERS * MESSAGES)


def driver() -> None:
    """While the database lets several wait, others go on and the waiting ones wait together."""
    client = connect(os.environ["MONGO_URI"], "driver")
    version = client.admin.command("hello")["topologyVersion"]
    ticks: list[float] = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            eventlet.sleep(0.02)

    def wait() -> None:
        client.admin.command(
            "hello", topologyVersion=version, maxAwaitTimeMS=int(WAIT_SECONDS * 1000)
        )

    ticking = eventlet.spawn(tick)
    started = time.monotonic()
    for each in [eventlet.spawn(wait) for _ in range(WAITERS)]:
        each.wait()
    ticking.kill()
    tell(ticks=len(ticks), seconds=time.monotonic() - started)


if __name__ == "__main__":
    {"writers": writers, "driver": driver}[sys.argv[1]]()
