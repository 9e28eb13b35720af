"""The broker and the database under test, as the stack (or the environment) names them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from pymongo import MongoClient

from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.documents import connect
from lianfang.topology import Topology

ROOT = Path(__file__).resolve().parents[2]
#: Where private districts keep their logs and secrets.
LOCAL = ROOT / ".local" / "private"


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses with the administrator's rights."""

    management_uri: str
    amqp_host: str
    mongo_uri: str

    @classmethod
    def read(cls) -> Self:
        """Read the environment that `deploy/local/stack.py run` gives."""
        missing = [name for name in _NEEDED if not os.environ.get(name)]
        if missing:
            raise SystemExit(f"not set: {', '.join(missing)}; see deploy/local/stack.py run")
        return cls(*(os.environ[name] for name in _NEEDED))

    def environment(self) -> dict[str, str]:
        """What a process is told to find these servers and no others."""
        return dict(
            zip(_NEEDED, (self.management_uri, self.amqp_host, self.mongo_uri), strict=True)
        )

    @property
    def administration(self) -> BrokerAdministration:
        """The broker's management API."""
        return BrokerAdministration(self.management_uri)

    def amqp_uri(self, vhost: str) -> str:
        """The administrator's address of a virtual host."""
        admin = urlsplit(self.management_uri)
        return f"amqp://{admin.username}:{admin.password}@{self.amqp_host}/{quote(vhost, safe='')}"

    def client(self) -> MongoClient[Any]:
        """A client with the services' own write concern."""
        return connect(self.mongo_uri, "testing", silence=_SILENCE)

    def new_vhost(self, vhost: str) -> str:
        """An empty virtual host; returns the administrator's address of it."""
        administration = self.administration
        administration.delete_vhost(vhost)
        administration.apply(vhost, Topology((), (), (), ()), {})
        return self.amqp_uri(vhost)

    def drop(self, vhost: str, database_prefix: str) -> None:
        """Remove a virtual host and every database whose name starts with the prefix."""
        self.administration.delete_vhost(vhost)
        client = self.client()
        for name in client.list_database_names():
            if name.startswith(database_prefix):
                client.drop_database(name)
        client.close()


#: A killed process leaves its transaction open; the database may take a minute to end it.
_SILENCE = 90.0
_NEEDED = ("AMQP_MANAGEMENT_URI", "AMQP_HOST", "MONGO_URI")
