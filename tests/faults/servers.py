"""A broker and a replica set of three for the fault suite alone: started, broken, mended, stopped.

They lie under `.local/faults/` and have ports of their own; the servers of `make up` are never
touched. What a run that was killed left behind is stopped by the next one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import broker
import database
import processes
import state
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from lianfang.testing.servers import Servers

FOLDER = state.LOCAL / "faults"
_RECORD = FOLDER / "servers.json"
_MEMBERS = 3
_CACHE_GB = 0.25
#: A new primary waits for word from all members, a frozen one among them, before it takes writes.
_SETTINGS = {
    "electionTimeoutMillis": 2_000,
    "heartbeatIntervalMillis": 500,
    "heartbeatTimeoutSecs": 2,
    "catchUpTimeoutMillis": 2_000,
}
_CONTROL_SECONDS = 120.0
#: The management page's figures are up to five seconds old.
_ALARM_SECONDS = 30.0
_ELECTED_SECONDS = 60.0
_STEP_DOWN_SECONDS, _CATCH_UP_SECONDS = 5, 4
_NO_MEMORY, _MEMORY = "0", "0.4"
_NO_DISK, _DISK = "100000GB", "50MB"


class Broker:
    """One RabbitMQ node and what may happen to it."""

    def __init__(self) -> None:
        self._node = broker.Node(FOLDER / "rabbitmq", "faults")
        home = broker.binaries()
        if home is None:
            raise SystemExit("no RabbitMQ to start here: run deploy/local/setup.sh")
        self._home = home
        self.described: dict[str, Any] = {}

    def up(self) -> None:
        """Start it, empty."""
        shutil.rmtree(self._node.folder, ignore_errors=True)
        self.described = broker.up(self._node)
        self._remember()

    def _remember(self) -> None:
        remember(mapper=self.described["mapper"], node=self.described["process"])

    def kill(self) -> None:
        """SIGKILL the node."""
        _kill(self.described["process"])

    def start(self) -> None:
        """Boot a killed node on the same ports and wait until it serves."""
        described = self.described
        described["process"] = broker.start_node(
            self._node, self._home, described["ports"], described["management_uri"]
        )
        self._remember()

    def mend(self) -> None:
        """Make it serve again, whatever was done to it."""
        if not broker.is_ready(self.described["management_uri"]):
            if processes.is_alive(self.described["process"]):
                self.kill()
            self.start()
        self.clear_memory()
        self.clear_disk()

    def stop_app(self) -> None:
        """Stop RabbitMQ inside its virtual machine: every connection ends, in good order."""
        self._control("stop_app")

    def start_app(self) -> None:
        """Start RabbitMQ again after `stop_app`."""
        self._control("start_app")
        processes.wait_until(lambda: broker.is_ready(self.described["management_uri"]), 60)

    def alarm_memory(self) -> None:
        """Let it think that memory is short: it takes nothing from publishers."""
        self._control("set_vm_memory_high_watermark", _NO_MEMORY)
        self._wait_for_alarm("mem_alarm", on=True)

    def clear_memory(self) -> None:
        """End the memory alarm."""
        self._control("set_vm_memory_high_watermark", _MEMORY)
        self._wait_for_alarm("mem_alarm", on=False)

    def alarm_disk(self) -> None:
        """Let it think that the disk is full."""
        self._control("set_disk_free_limit", _NO_DISK)
        self._wait_for_alarm("disk_free_alarm", on=True)

    def clear_disk(self) -> None:
        """End the disk alarm."""
        self._control("set_disk_free_limit", _DISK)
        self._wait_for_alarm("disk_free_alarm", on=False)

    def _wait_for_alarm(self, name: str, *, on: bool) -> None:
        def told() -> bool:
            nodes = broker.ask(self.described["management_uri"], "/api/nodes")
            return bool(nodes) and nodes[0].get(name) is on

        if not processes.wait_until(told, _ALARM_SECONDS):
            raise RuntimeError(f"{name} is not {on}")

    def trace(self, vhost: str, *, on: bool = True) -> None:
        """Let its tracer tell of every message of a virtual host, or be quiet again."""
        self._control("trace_on" if on else "trace_off", "-p", vhost)

    def _control(self, *words: str) -> None:
        done = subprocess.run(
            [self._home / "rabbitmqctl", *words],
            env=broker.environment(self._node, self.described["ports"]),
            capture_output=True,
            text=True,
            check=False,
            timeout=_CONTROL_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {words[0]}: {(done.stdout + done.stderr)[-1000:]}")


@dataclass
class _Member:
    """One member and the process that it is now."""

    member: database.Member
    port: int
    process: dict[str, Any] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, mongod: Path) -> None:
        self.process = database.start_member(self.member, mongod, self.port)
        remember(**{self.member.folder.name: self.process})


class ReplicaSet:
    """Three members of MongoDB and what may happen to their primary."""

    def __init__(self) -> None:
        mongod = database.binary()
        if mongod is None:
            raise SystemExit("no MongoDB to start here: run deploy/local/setup.sh")
        self._mongod = mongod
        folders = [FOLDER / f"mongo{n}" for n in range(_MEMBERS)]
        members = [database.Member(folder, _CACHE_GB) for folder in folders]
        self._members = [_Member(member, member.choose_port()) for member in members]

    @property
    def uri(self) -> str:
        """The address of the set."""
        hosts = ",".join(each.host for each in self._members)
        return f"mongodb://{hosts}/?replicaSet={database.REPLICA_SET}"

    def up(self) -> None:
        """Start it, empty, and wait for a primary."""
        for each in self._members:
            shutil.rmtree(each.member.folder, ignore_errors=True)
            each.start(self._mongod)
        config = {
            "_id": database.REPLICA_SET,
            "members": [{"_id": n, "host": each.host} for n, each in enumerate(self._members)],
            "settings": _SETTINGS,
        }
        with _direct(self._members[0]) as client:
            client.admin.command("replSetInitiate", config)
        self.wait_until_whole()

    def mend(self) -> None:
        """Make every member live and follow one primary, whatever was done to them."""
        for each in self._members:
            _continue(each.process)
            if not processes.is_alive(each.process):
                each.start(self._mongod)
        self.wait_until_whole()

    def kill_primary(self) -> _Member:
        """SIGKILL the primary; returns which member it was."""
        primary = self.primary()
        _kill(primary.process)
        return primary

    def start(self, member: _Member) -> None:
        """Start a killed member again."""
        member.start(self._mongod)

    def step_down(self) -> None:
        """Let the primary give up its office."""
        with _direct(self.primary()) as client:
            client.admin.command(
                "replSetStepDown",
                _STEP_DOWN_SECONDS,
                secondaryCatchUpPeriodSecs=_CATCH_UP_SECONDS,
            )

    @contextmanager
    def frozen_primary(self) -> Iterator[None]:
        """SIGSTOP the primary; inside the block it neither answers nor closes anything."""
        primary = self.primary()
        _send(primary.process, signal.SIGSTOP)
        try:
            yield
        finally:
            _continue(primary.process)

    def primary(self) -> _Member:
        """The one member that says it is primary.

        Raises:
            RuntimeError: there is none after a minute.
        """
        found: list[_Member] = []

        def elected() -> bool:
            found[:] = [each for each in self._members if _state(each) == "PRIMARY"]
            return len(found) == 1

        if not processes.wait_until(elected, _ELECTED_SECONDS):
            raise RuntimeError(f"{len(found)} primaries")
        return found[0]

    def wait_until_whole(self) -> None:
        """Return when there is one primary and every other member follows it.

        Raises:
            RuntimeError: that is not so after a minute.
        """
        states: list[str] = []

        def whole() -> bool:
            states[:] = sorted(_state(each) for each in self._members)
            return states == ["PRIMARY", *["SECONDARY"] * (_MEMBERS - 1)]

        if not processes.wait_until(whole, _ELECTED_SECONDS):
            raise RuntimeError(f"the replica set is {states}")


def _direct(member: _Member) -> MongoClient[Any]:
    return MongoClient(
        member.host, directConnection=True, serverSelectionTimeoutMS=1000, socketTimeoutMS=20_000
    )


def _state(member: _Member) -> str:
    """What a member says it is; `DOWN` when it does not answer."""
    try:
        with MongoClient(
            member.host,
            directConnection=True,
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=500,
            socketTimeoutMS=500,
        ) as client:
            hello = client.admin.command("hello")
    except PyMongoError:
        return "DOWN"
    if hello.get("isWritablePrimary"):
        return "PRIMARY"
    return "SECONDARY" if hello.get("secondary") else "OTHER"


def _send(process: dict[str, Any] | None, sign: signal.Signals) -> None:
    if not process or not processes.is_alive(process):
        raise RuntimeError("the process to be broken does not run")
    os.kill(int(process["pid"]), sign)


def _kill(process: dict[str, Any] | None) -> None:
    _send(process, signal.SIGKILL)
    if not processes.wait_until(lambda: not processes.is_alive(process), 10):
        raise RuntimeError("a killed process still runs")


def _continue(process: dict[str, Any] | None) -> None:
    if process and processes.is_alive(process):
        os.kill(int(process["pid"]), signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class FaultServers(Servers):
    """Servers that a part may break, and must leave mended."""

    broker: Broker
    replica_set: ReplicaSet

    def mend(self) -> None:
        """Make both whole again after a part that failed half-way."""
        self.broker.mend()
        self.replica_set.mend()


def remember(**started: Any) -> None:
    """Note which processes are ours, for the run after one that was killed."""
    state.write_json(_RECORD, state.read_json(_RECORD) | started)


def _stop_remembered() -> None:
    """Kill what is ours; nobody wants the data, so nobody is asked to end in good order."""
    for process in state.read_json(_RECORD).values():
        if processes.is_alive(process):
            _kill(process)
    _RECORD.unlink(missing_ok=True)


@contextmanager
def running() -> Iterator[FaultServers]:
    """The servers, up and empty; stopped at the end of the block."""
    with state.exclusively("faults"):
        _stop_remembered()
        node, replicas = Broker(), ReplicaSet()
        try:
            node.up()
            replicas.up()
            described = node.described
            yield FaultServers(
                described["management_uri"], described["host"], replicas.uri, node, replicas
            )
        finally:
            _stop_remembered()
