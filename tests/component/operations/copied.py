"""A broker and a database of a test's own that can be copied and put back, as an operator would.

They lie under `.local/restore/`, have ports of their own and are stopped at the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import broker
import database
import processes
import state

from lianfang.testing.servers import Servers

FOLDER = state.LOCAL / "restore"
_GRACE = 60.0


class CopiedServers:
    """Both servers; `copy` and `restore` act while both are stopped, as the page says."""

    def __init__(self) -> None:
        home, mongod = broker.binaries(), database.binary()
        if home is None or mongod is None:
            raise RuntimeError("neither broker nor database to start here")
        self._home, self._mongod = home, mongod
        self._node = broker.Node(FOLDER / "rabbitmq", "restore")
        self._member = database.Member(FOLDER / "mongo", 0.25)
        self._port = self._member.choose_port()
        self._data = {"broker": self._node.folder / "data", "mongo": self._member.folder / "data"}
        self._backup = FOLDER / "backup"

    @property
    def servers(self) -> Servers:
        """Where they are."""
        uri = f"mongodb://127.0.0.1:{self._port}/?replicaSet={database.REPLICA_SET}"
        return Servers(self._broker["management_uri"], self._broker["host"], uri)

    def up(self) -> None:
        """Start both, empty."""
        shutil.rmtree(FOLDER, ignore_errors=True)
        self._broker = broker.up(self._node)
        self._start_database()

    def _start_database(self) -> None:
        self._mongo = database.start_member(self._member, self._mongod, self._port)
        database.initiate(f"127.0.0.1:{self._port}")

    def _start_broker(self) -> None:
        ports, uri = self._broker["ports"], self._broker["management_uri"]
        self._broker["process"] = broker.start_node(self._node, self._home, ports, uri)

    def stop(self) -> None:
        """Stop both, in good order."""
        processes.stop(self._broker["process"], _GRACE)
        processes.stop(self._mongo, _GRACE)

    def down(self) -> None:
        """Stop both and what the broker needs."""
        self.stop()
        processes.stop(self._broker["mapper"], _GRACE)

    @contextmanager
    def _stopped(self) -> Iterator[None]:
        self.stop()
        yield
        self._start_broker()
        self._start_database()

    def copy(self) -> None:
        """Keep what both have on the disk."""
        with self._stopped():
            for name, data in self._data.items():
                _replace(data, self._backup / name)

    def restore(self, *names: str) -> None:
        """Put the copies of these (`broker`, `mongo`) in the place of what is there."""
        with self._stopped():
            for name in names:
                _replace(self._backup / name, self._data[name])


def _replace(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True)
