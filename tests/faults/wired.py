"""A private district whose services reach broker and database over wires that can fail.

Whoever asks it anything else, the test and its callers, reaches both directly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from pymongo import MongoClient

from lianfang.testing.district import PrivateDistrict, service_of
from lianfang.testing.servers import Servers
from tests.faults.frames import Amqp, Mongo
from tests.faults.proxy import Proxies, Proxy
from tests.faults.wire import Wire


class WiredDistrict(PrivateDistrict):
    """Two wires for each process: one to the broker, one to the primary of the replica set."""

    def __init__(
        self,
        servers: Servers,
        name: str,
        processes: Sequence[str],
        proxies: Proxies,
        seed: int,
    ) -> None:
        super().__init__(servers, name, tuple(dict.fromkeys(map(service_of, processes))))
        self.processes = processes
        broker, primary = servers.amqp_host, primary_of(self.client)
        #: By process.
        self.to_broker = {
            process: proxies.before(broker, Amqp(), 2 * (seed + n))
            for n, process in enumerate(processes)
        }
        self.to_database = {
            process: proxies.before(primary, Mongo(), 2 * (seed + n) + 1)
            for n, process in enumerate(processes)
        }

    def environment(self, name: str) -> dict[str, str]:
        """A process's own, with the addresses of its wires."""
        env = super().environment(name)
        broker, database = self.to_broker[name].address, self.to_database[name].address
        return env | {
            "AMQP_URI": env["AMQP_URI"].replace(f"@{self.servers.amqp_host}/", f"@{broker}/"),
            "MONGO_URI": _over(self.servers.mongo_uri, database),
        }

    @property
    def wires(self) -> Iterator[Proxy]:
        """Every wire."""
        yield from self.to_broker.values()
        yield from self.to_database.values()

    def become(self, wire: Wire) -> None:
        """Make every wire like this."""
        for proxy in self.wires:
            proxy.wire = wire


def primary_of(client: MongoClient[Any]) -> str:
    """Host and port of the member that takes writes."""
    client.admin.command("ping")
    host, port = client.primary or ("", 0)
    return f"{host}:{port}"


def _over(mongo_uri: str, address: str) -> str:
    """The same credentials at another address, which stands for one member only.

    A client of the replica set would ask the members for their addresses and go past the wire.
    """
    credentials, at, _ = urlsplit(mongo_uri).netloc.rpartition("@")
    return f"mongodb://{credentials}{at}{address}/?directConnection=true"
