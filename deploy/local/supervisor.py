"""Keeps the services running: a child that ends unasked is started again, later each time.

Started by ``services.py`` with one ``service=health-port`` per argument. SIGTERM ends the
children, gracefully first, and then this process. Which processes run is always in the record.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processes
import state
from state import LOCAL

RECORD = LOCAL / "services.json"
COMMAND = state.ROOT / ".venv" / "bin" / "lianfang"
ENDINGS = {signal.SIGTERM, signal.SIGINT}
MOST_SIGNALS = 256
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STEADY_SECONDS = 30.0
GRACE_SECONDS = 25.0


@dataclass
class Service:
    """One service and the process that is it now."""

    name: str
    port: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    pause: float = FIRST_PAUSE
    due: float = 0.0

    @property
    def log(self) -> Path:
        """Where the service writes."""
        return state.LOGS / f"{self.name}.log"

    def start(self) -> None:
        """Start the process with the service's own credentials and without the administrator's."""
        env = os.environ | state.read_env(secrets_of(self.name))
        env.pop("AMQP_MANAGEMENT_URI", None)
        env["LIANFANG_HEALTH_PORT"] = str(self.port)
        command = [COMMAND, "run", self.name]
        self.process = processes.start(command, env, state.ROOT, self.log)
        self.started = time.monotonic()

    def note_end(self) -> bool:
        """Whether the process has ended; if so the next start is planned."""
        if self.process is None or self.process.poll() is None:
            return False
        now = time.monotonic()
        if now - self.started > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        state.say(f"{self.name} ended with {self.process.returncode}, again in {self.pause} s")
        self.process, self.due = None, now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.restarts += 1
        return True

    def described(self) -> dict[str, Any]:
        """The service in the record."""
        return {
            "process": processes.identity(self.process.pid) if self.process else None,
            "port": self.port,
            "restarts": self.restarts,
            "log": str(self.log),
        }


def secrets_of(name: str) -> Path:
    """The file with the service's credentials."""
    return state.ROOT / os.environ["LIANFANG_SECRETS_DIR"] / f"{name}.env"


def save(services: list[Service]) -> None:
    """Write which processes run."""
    described = {service.name: service.described() for service in services}
    record = {"supervisor": processes.identity(os.getpid()), "services": described}
    state.write_json(RECORD, record)


def start_due(services: list[Service]) -> float:
    """Start what is due; seconds until the next one is."""
    now = time.monotonic()
    due = [service for service in services if service.process is None and service.due <= now]
    for service in due:
        service.start()
        save(services)
    waiting = [service.due - now for service in services if service.process is None]
    return max(0.0, min(waiting, default=LONGEST_PAUSE))


def supervise(services: list[Service], woken: socket.socket) -> None:
    """Keep the services running until a signal says to end; every signal wakes ``woken``."""
    asked = False
    while not asked:
        readable, _, _ = select.select([woken], [], [], start_due(services))
        received = set(woken.recv(MOST_SIGNALS)) if readable else set()
        ended = [service for service in services if service.note_end()]
        if ended:
            save(services)
        asked = bool(received & ENDINGS)


def end(services: list[Service]) -> None:
    """End all children at once, each given the time to drain."""
    running = [service.process for service in services if service.process]
    for process in running:
        process.terminate()
    processes.wait_until(lambda: all(p.poll() is not None for p in running), GRACE_SECONDS)
    for process in running:
        processes.kill_session(process)


def main() -> None:
    """Read which services to run and keep them running."""
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    for sign in {signal.SIGCHLD, *ENDINGS}:
        signal.signal(sign, lambda *_: None)
    pairs = [argument.split("=") for argument in sys.argv[1:]]
    services = [Service(name=name, port=int(port)) for name, port in pairs]
    try:
        supervise(services, woken)
    finally:
        end(services)


if __name__ == "__main__":
    main()
