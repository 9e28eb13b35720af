"""Makes service processes by the dozen: one parent imports everything once and forks each of them.

`python -m tests.faults.forge` is that parent. It is patched like a service, holds no thread and no
connection, and speaks JSON lines: one order in, one answer out. `Forge` is its owner's side.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
#: What a point does to a process: end it, let its owner know, or raise what the runtime then has to
#: bear.
DIE, TELL, RETRYABLE, REJECTED = "die", "tell", "retryable", "rejected"
_TOLD = "FORGE_TOLD"


@dataclass(frozen=True, slots=True)
class Trap:
    """What happens to the process that reaches a point on behalf of somebody."""

    point: str
    name: str
    action: str = DIE


class Forge:
    """The owner's side; a context manager, at whose end no process is left."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        #: One byte for each time that the process forked last came to a point that tells.
        self.told = log.with_suffix(".told")
        own = {_TOLD: str(self.told), "PYTHONPATH": str(ROOT)}
        self._environment = {**os.environ, **environment, **own}
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log

    def __enter__(self) -> Forge:
        """Start the parent."""
        with self.log.open("wb") as errors:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.forge"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._forged: list[Forged] = []
        return self

    def __exit__(self, *_: object) -> None:
        """End the parent and whatever it made."""
        for forged in self._forged:
            forged.kill()
        self._parent.stdin.close()  # type: ignore[union-attr]
        self._parent.wait(30)

    def fork(self, service: str, at: datetime, client: str, traps: Sequence[Trap] = ()) -> Forged:
        """A process of `service`, its clock standing at `at`; the database knows it as `client`."""
        order = {"service": service, "at": at.isoformat(), "client": client}
        self.told.write_bytes(b"")
        pid = self._ask({**order, "traps": [asdict(trap) for trap in traps]})
        forged = Forged(self, pid)
        self._forged.append(forged)
        return forged

    def reap(self, forged: Forged) -> int:
        """The wait status of a process that has ended."""
        self._forged.remove(forged)
        return self._ask({"reap": forged.pid})

    def _ask(self, order: Mapping[str, Any]) -> int:
        stdin, stdout = self._parent.stdin, self._parent.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError(f"the forge has ended, see {self.log}")
        return int(json.loads(line))


class Forged:
    """One process that was forked."""

    def __init__(self, forge: Forge, pid: int) -> None:
        self._forge, self.pid = forge, pid
        self._handle = os.pidfd_open(pid)
        self.signal: int | None = None

    def ended(self, seconds: float = 0) -> bool:
        """Whether it has ended, waiting so many seconds for it; `signal` is then what did it."""
        if self._handle < 0:
            return True
        if not select.select([self._handle], [], [], seconds)[0]:
            return False
        os.close(self._handle)
        self._handle = -1
        status = self._forge.reap(self)
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        return True

    def kill(self) -> None:
        """SIGKILL it, unless it has ended."""
        if not self.ended():
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self.ended(30)


# -- the parent ------------------------------------------------------------------------------------


def _serve() -> None:
    """Read orders until their owner is gone."""
    import gc

    from eventlet.patcher import original

    wait = original("os").waitpid
    _import_everything()
    gc.freeze()
    living: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            _, answer = wait(order["reap"], 0)
            living.discard(order["reap"])
        else:
            answer = os.fork()
            if answer == 0:
                _become(order)
            living.add(answer)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for pid in living:  # the owner was killed itself
        os.kill(pid, signal.SIGKILL)


def _import_everything() -> None:
    """Everything that a service would import or read at its start."""
    import nameko.containers  # noqa: F401

    from lianfang.runtime import health  # noqa: F401
    from lianfang.runtime.discovery import SERVICES, service_class
    from lianfang.runtime.resources import read_section
    from lianfang.settings import Settings

    settings = Settings.read()
    for name in SERVICES:
        service_class(name)
    for path in (settings.policy_dir / settings.policy_profile).glob("*.yml"):
        read_section(path)


def _become(order: Mapping[str, Any]) -> None:
    """Be a service until somebody kills it."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1):
            os.dup2(nothing, standard)
        _arm(order["traps"])
        _run(order["service"], datetime.fromisoformat(order["at"]), order["client"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def _arm(traps: Sequence[Mapping[str, str]]) -> None:
    from lianfang.errors import Rejected, Retryable
    from lianfang.runtime.crashpoints import Point, arm, die
    from lianfang.settings import Settings

    def tell() -> None:
        with Path(os.environ[_TOLD]).open("ab", buffering=0) as told:
            told.write(b".")

    def raiser(error: type[Exception]) -> Any:
        def refuse() -> None:
            raise error("as armed")

        return refuse

    actions = {DIE: die, TELL: tell, RETRYABLE: raiser(Retryable), REJECTED: raiser(Rejected)}
    for trap in traps:
        arm(Settings.read().profile, Point[trap["point"]], trap["name"], actions[trap["action"]])


def _run(service: str, at: datetime, client: str) -> None:
    from lianfang.runtime import logs
    from lianfang.runtime.discovery import service_class
    from lianfang.runtime.documents import connect
    from lianfang.runtime.engine import Engine
    from lianfang.runtime.process import Process
    from lianfang.runtime.runner import container_of
    from lianfang.settings import Settings
    from lianfang.testing.clock import StandingClock

    logs.configure(service)
    settings = Settings.read()
    container = container_of(service_class(service), settings)
    engine = Engine(settings, service, client=connect(settings.mongo_uri, client))
    engine.clock = StandingClock(engine.documents.database, settings.profile)
    engine.clock.set(at)
    container.shared_extensions[Process].engine = engine
    container.start()
    container.wait()


if __name__ == "__main__":
    from lianfang.runtime.runner import patch

    patch()
    _serve()
