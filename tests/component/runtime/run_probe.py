"""Runs the probe as a process of its own: `python -m tests.component.runtime.run_probe [fault]`."""

from __future__ import annotations

import sys
from typing import Any

from lianfang.runtime import runner


def load() -> Any:
    from lianfang.runtime.operable import Operable
    from tests.component.runtime.probe import Probe

    return type("Probe", (Probe, Operable), {})


def reset_first_ack() -> None:
    """The peer resets the connection in the middle of the first acknowledgement."""
    from amqp.channel import Channel

    acknowledge, failed = Channel.basic_ack, []

    def basic_ack(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not failed:
            failed.append(True)
            self.connection.transport.sock.close()
            raise ConnectionResetError(104, "Connection reset by peer")
        return acknowledge(self, *args, **kwargs)

    Channel.basic_ack = basic_ack


def forbid_pkg_resources() -> None:
    """As on a Python without setuptools."""
    sys.modules["pkg_resources"] = None  # type: ignore[assignment]


if __name__ == "__main__":
    runner.patch()
    for fault in sys.argv[1:]:
        globals()[fault]()
    sys.exit(runner.serve("journal", load))
