"""A district whose services the project's own supervisor keeps running, whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import processes
import state
import supervisor

from lianfang.client import District
from lianfang.testing.district import SERVICES, PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.servers import ROOT, Servers

_READY_SECONDS = 90.0
_STOP_SECONDS = supervisor.GRACE_SECONDS + 10
#: What a process counts of what came to it before, itself or in another shape.
_COUNTED = {
    "redelivered": ("lianfang_redelivered_total", {}),
    "duplicates": ("lianfang_messages_total", {"outcome": "duplicate"}),
    "repeated": ("lianfang_commands_repeated_total", {}),
}


class FaultDistrict(PrivateDistrict):
    """A private district under the local supervisor."""

    def __init__(self, servers: Servers, name: str, services: Sequence[str] = SERVICES) -> None:
        super().__init__(servers, name, services)
        self.folder = state.LOCAL / "faults" / name
        self.planned: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    @contextmanager
    def supervised(self) -> Iterator[District]:
        """The services, kept running until the end of the block; gives a caller."""
        shutil.rmtree(self.folder, ignore_errors=True)
        chosen = state.choose_ports(*(f"faults_{name}" for name in self.services))
        self._ports = {name: chosen[f"faults_{name}"] for name in self.services}
        words = [f"{name}={port}" for name, port in self._ports.items()]
        command = [sys.executable, supervisor.__file__, "--folder", str(self.folder), *words]
        process = processes.start(command, self._environment(), ROOT, self.folder / "log")
        try:
            for name in self.services:
                self.wait_until_ready(name)
            with self.caller() as caller:
                yield caller
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)

    def _recorded(self, name: str) -> dict[str, Any]:
        record = state.read_json(self.folder / supervisor.RECORD_NAME)
        found: dict[str, Any] = record.get("services", {}).get(name, {})
        return found

    def is_ready(self, name: str) -> bool:
        """Whether the supervisor saw the present process ready, and it says so now."""
        recorded = self._recorded(name)
        return (
            bool(recorded.get("was_ready"))
            and processes.is_alive(recorded["process"])
            and supervisor.is_ready(self._ports[name])
        )

    def wait_until_ready(self, name: str) -> None:
        """Return when the service is ready.

        Raises:
            RuntimeError: it is not; with the end of its log.
        """
        if not processes.wait_until(lambda: self.is_ready(name), _READY_SECONDS):
            log = processes.tail(self.folder / "logs" / f"{name}.log")
            raise RuntimeError(f"{name} is not ready:\n{log}")

    # -- what is done to the services -----------------------------------------------------------

    def kill(self, name: str) -> None:
        """SIGKILL the service's process, which is ready."""
        self._end(name, signal.SIGKILL)

    def ask_to_end(self, name: str) -> float:
        """SIGTERM the service's process and return how many seconds it took to end."""
        started = time.monotonic()
        process = self._end(name, signal.SIGTERM)
        if not processes.wait_until(lambda: not processes.is_alive(process), _STOP_SECONDS):
            raise RuntimeError(f"{name} does not end")
        return time.monotonic() - started

    def _end(self, name: str, sign: signal.Signals) -> dict[str, Any]:
        process: dict[str, Any] = self._recorded(name)["process"]
        self.note_counters(name)
        os.kill(int(process["pid"]), sign)
        self.planned[name] += 1
        return process

    def unplanned(self) -> list[str]:
        """Each service that was started again more often than somebody ended it."""
        restarts = {name: self._recorded(name)["restarts"] for name in self.services}
        return [
            f"{name} was started again {restarts[name]} times, ended {self.planned[name]} times"
            for name in self.services
            if restarts[name] != self.planned[name]
        ]

    # -- what they saw --------------------------------------------------------------------------

    def note_counters(self, *names: str) -> None:
        """Add what these processes counted so far; their counters end with them."""
        for name in names:
            for what, (metric, labels) in _COUNTED.items():
                self.seen[what] += self.counted(name, metric, **labels)

    def settle(self, caller: District) -> float:
        """Wait until nothing is on its way; returns how many seconds that took."""
        started = time.monotonic()
        wait_until_idle(caller, self.services)
        return time.monotonic() - started
