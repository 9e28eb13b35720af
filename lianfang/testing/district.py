"""A private district: prepared by the `lianfang` command, run as real processes, then removed."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from pymongo.database import Database

from lianfang.client import District
from lianfang.runtime.broker import open_connection
from lianfang.testing.processes import Child
from lianfang.testing.servers import LOCAL, ROOT, Servers

SERVICES = ("journal", "declaration", "screening", "isolation", "dispatch")
#: The services on the way of a declaration.
INGEST = ("journal", "declaration", "screening")
_COMMAND = Path(sys.executable).with_name("lianfang")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PREPARATIONS = (("topology", "apply"), ("migrate",))


class PrivateDistrict:
    """One district with its virtual host, databases and secrets; nothing runs yet."""

    #: What runs: a service by its name, or one more process of it: `declaration-2`.
    processes: Sequence[str]

    def __init__(self, servers: Servers, name: str, services: Sequence[str] = SERVICES) -> None:
        self.servers, self.name, self.services = servers, name, services
        self.processes = services
        self.vhost, self.prefix = f"d-{name}", f"lianfang_{name}"
        self.secrets = LOCAL / "districts" / name
        self.client = servers.client()
        self._ports: dict[str, int] = {}

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self.servers.environment(),
            "LIANFANG_PROFILE": "demo",
            "LIANFANG_CITY": "4403",
            "LIANFANG_DISTRICT": self.name,
            "LIANFANG_DATABASE_PREFIX": self.prefix,
            "LIANFANG_SECRETS_DIR": str(self.secrets),
            "LIANFANG_POLICY_DIR": str(ROOT / "deploy" / "policy"),
        }

    def prepare(self) -> None:
        """Make it anew: empty databases with their indexes, empty queues."""
        self.erase()
        for words in _PREPARATIONS:
            child = Child(f"{self.name}-{words[0]}", [str(_COMMAND), *words], self._environment())
            child.wait_for_success()
        self._delete_queues_of_absent_services()

    def _delete_queues_of_absent_services(self) -> None:
        """A queue that nobody reads would only fill the disk."""
        absent = tuple(f"q.{name}." for name in SERVICES if name not in self.services)
        connection = open_connection(self.amqp_uri, "testing")
        for queue in self.servers.administration.queues(self.vhost):
            if absent and queue["name"].startswith(absent):
                connection.channel().queue_delete(queue["name"])
        connection.close()

    def erase(self) -> None:
        """Remove everything of this district."""
        self.servers.drop(self.vhost, self.prefix)
        shutil.rmtree(self.secrets, ignore_errors=True)

    @property
    def amqp_uri(self) -> str:
        """The administrator's address of the virtual host."""
        return self.servers.amqp_uri(self.vhost)

    def database(self, service: str) -> Database[Any]:
        """The database of a service."""
        return self.client[f"{self.prefix}_{service}"]

    @property
    def operator_uri(self) -> str:
        """The operator's address of the virtual host."""
        return self.uri_of("operator")

    def uri_of(self, user: str) -> str:
        """The address of the virtual host for a service, with that service's rights."""
        return _read(self.secrets / f"{user}.env")["AMQP_URI"]

    def caller(self) -> District:
        """A connection with the operator's rights."""
        return District(self.operator_uri, actor="testing")

    @contextmanager
    def running(self) -> Iterator[dict[str, Child]]:
        """The services as processes, by name, until the end of the block."""
        children: dict[str, Child] = {}
        try:
            self._ports = {name: _free_port() for name in self.processes}
            for name in self.processes:
                log = f"{self.name}-{name}"
                children[name] = Child(log, self.command(name), self.environment(name))
            for name, child in children.items():
                child.wait_until(_readiness(self._ports[name]))
            yield children
        finally:
            for child in children.values():
                child.stop()

    def command(self, name: str) -> list[str]:
        """What starts a process; a district of another kind starts it otherwise."""
        return [str(_COMMAND), "run", service_of(name)]

    def environment(self, name: str) -> dict[str, str]:
        """What a process is told; a district of another kind tells it otherwise."""
        env = self._environment() | _read(self.secrets / f"{service_of(name)}.env")
        env.pop("AMQP_MANAGEMENT_URI", None)
        env["LIANFANG_HEALTH_PORT"] = str(self._ports[name])
        return env

    def counted(self, name: str, metric: str, **labels: str) -> int:
        """A counter of a running process, summed over what `labels` leaves open.

        Raises:
            OSError: the process does not answer.
        """
        url = f"http://127.0.0.1:{self._ports[name]}/metrics"
        with _OPENER.open(url, timeout=5) as page:
            families = text_string_to_metric_families(page.read().decode())
        return int(
            sum(
                sample.value
                for family in families
                for sample in family.samples
                if sample.name == metric and labels.items() <= sample.labels.items()
            )
        )


def service_of(process: str) -> str:
    """The service that a process runs."""
    return process.partition("-")[0]


def _read(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _readiness(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        with (
            suppress(urllib.error.URLError, OSError),
            _OPENER.open(f"http://127.0.0.1:{port}/health/ready", timeout=5) as page,
        ):
            return bool(page.status == 200)
        return False

    return ready
