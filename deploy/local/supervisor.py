"""Keeps the services running: a child that ends unasked is started again.

One that was ready and was killed or told to end comes back at once: somebody wanted it to go. One
that fails comes back later each time. Started by ``services.py`` with one ``service=health-port``
per argument; ``--folder`` says where the record and the logs lie. SIGTERM ends the children,
gracefully first, and then this process. Which processes run, and which were ever ready, is always
in the record.
"""

import argparse
import os
import select
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import processes
import state

RECORD_NAME = "services.json"
RECORD = state.LOCAL / RECORD_NAME
COMMAND = state.ROOT / ".venv" / "bin" / "lianfang"
ENDINGS = {signal.SIGTERM, signal.SIGINT}
MOST_SIGNALS = 256
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
STEADY_SECONDS = 30.0
GRACE_SECONDS = 25.0
#: Seconds between looks at a process that is not ready yet, and that one look may take.
LOOK_EVERY, LOOK_SECONDS = 0.5, 1.0
#: How a process ends that somebody wanted to end.
WANTED = {0, -signal.SIGKILL, -signal.SIGTERM}


def is_ready(port: int, seconds: float = 5.0) -> bool:
    """Whether the service with this health port says within ``seconds`` that it is ready."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/health/ready", timeout=seconds) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own word for yes
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Service:
    """One service and the process that is it now."""

    name: str
    port: int
    logs: Path = field(default_factory=lambda: state.LOGS)
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    was_ready: bool = False
    restarts: int = 0
    pause: float = FIRST_PAUSE
    due: float = 0.0

    @property
    def log(self) -> Path:
        """Where the service writes."""
        return self.logs / f"{self.name}.log"

    def start(self) -> None:
        """Start the process with the service's own credentials and without the administrator's."""
        env = os.environ | state.read_env(secrets_of(self.name))
        env.pop("AMQP_MANAGEMENT_URI", None)
        env["LIANFANG_HEALTH_PORT"] = str(self.port)
        command = [COMMAND, "run", self.name]
        self.process = processes.start(command, env, state.ROOT, self.log)
        self.started, self.was_ready = time.monotonic(), False

    def note_ready(self) -> bool:
        """Whether the process has become ready since the last look."""
        if self.process is None or self.was_ready:
            return False
        self.was_ready = is_ready(self.port, LOOK_SECONDS)
        return self.was_ready

    def note_end(self) -> bool:
        """Whether the process has ended; if so the next start is planned."""
        if self.process is None or self.process.poll() is None:
            return False
        now, code = time.monotonic(), self.process.returncode
        if now - self.started > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        pause = 0.0 if self.was_ready and code in WANTED else self.pause
        state.say(f"{self.name} ended with {code}, again in {pause} s")
        self.process, self.due = None, now + pause
        if pause:
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.restarts += 1
        return True

    def described(self) -> dict[str, Any]:
        """The service in the record."""
        return {
            "process": processes.identity(self.process.pid) if self.process else None,
            "port": self.port,
            "was_ready": self.was_ready,
            "restarts": self.restarts,
            "log": str(self.log),
        }


def secrets_of(name: str) -> Path:
    """The file with the service's credentials."""
    return state.ROOT / os.environ["LIANFANG_SECRETS_DIR"] / f"{name}.env"


def save(services: list[Service], record_file: Path) -> None:
    """Write which processes run."""
    described = {service.name: service.described() for service in services}
    record = {"supervisor": processes.identity(os.getpid()), "services": described}
    state.write_json(record_file, record)


def start_due(services: list[Service], record_file: Path) -> float:
    """Start what is due; seconds until something else has to be looked at."""
    now = time.monotonic()
    due = [service for service in services if service.process is None and service.due <= now]
    for service in due:
        service.start()
        save(services, record_file)
    waiting = [service.due - now for service in services if service.process is None]
    waiting += [LOOK_EVERY for service in services if service.process and not service.was_ready]
    return max(0.0, min(waiting, default=LONGEST_PAUSE))


def supervise(services: list[Service], woken: socket.socket, record_file: Path) -> None:
    """Keep the services running until a signal says to end; every signal wakes ``woken``."""
    asked = False
    while not asked:
        readable, _, _ = select.select([woken], [], [], start_due(services, record_file))
        received = set(woken.recv(MOST_SIGNALS)) if readable else set()
        changed = [s for s in services if s.note_end() or s.note_ready()]
        if changed:
            save(services, record_file)
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the record and logs/ lie")
    parser.add_argument("services", nargs="+", metavar="SERVICE=PORT")
    options = parser.parse_args()
    record_file = options.folder / RECORD_NAME if options.folder else RECORD
    logs = options.folder / "logs" if options.folder else state.LOGS
    woken, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno())
    for sign in {signal.SIGCHLD, *ENDINGS}:
        signal.signal(sign, lambda *_: None)
    pairs = [argument.split("=") for argument in options.services]
    services = [Service(name=name, port=int(port), logs=logs) for name, port in pairs]
    try:
        supervise(services, woken, record_file)
    finally:
        end(services)


if __name__ == "__main__":
    main()
