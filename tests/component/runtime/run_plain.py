"""The same work as a plain nameko service, to show each trap before our cure of it.

`python -m tests.component.runtime.run_plain MARKER [fault]` writes what it handles to MARKER.
"""

from __future__ import annotations

# ruff: noqa: E402 - the process is patched before anything else is imported
import sys
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)

import eventlet

eventlet.monkey_patch()

import os
import signal
from pathlib import Path
from typing import Any

from nameko.containers import ServiceContainer
from nameko.events import EventDispatcher, event_handler

from tests.component.runtime.run_probe import reset_first_ack

MARKER = Path(sys.argv[1])


def mark(text: str) -> None:
    with MARKER.open("a") as file:
        file.write(text + "\n")


class Plain:
    """One handler as the documentation shows it."""

    name = "plain"
    dispatch = EventDispatcher()

    @event_handler("source", "happened")
    def happened(self, payload: Any) -> None:
        mark(f"began {payload}")
        if payload == "bug":
            raise KeyError("a bug")
        if payload == "slow":
            eventlet.sleep(4)
        mark(f"done {payload}")


if __name__ == "__main__":
    if "reset_first_ack" in sys.argv:
        reset_first_ack()
    container = ServiceContainer(Plain, {"AMQP_URI": os.environ["AMQP_URI"]})
    signal.signal(signal.SIGTERM, lambda *_: eventlet.spawn_after(0, container.stop))
    container.start()
    mark("started")
    container.wait()
