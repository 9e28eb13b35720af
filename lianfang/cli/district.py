"""Prepares a district: its virtual host, users and queues on the broker, its databases' indexes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote, urlsplit

from lianfang.errors import Misconfigured
from lianfang.runtime.administration import (
    BrokerAdministration,
    credentials,
    write_environment,
)
from lianfang.runtime.discovery import SERVICES, collections_of, service_class
from lianfang.runtime.documents import Collection, Index, connect
from lianfang.runtime.documents import migrate as migrate_database
from lianfang.runtime.handlers import need_of
from lianfang.runtime.intake import INBOX
from lianfang.runtime.vault import make_key_file
from lianfang.runtime.work import OUTBOX
from lianfang.settings import Settings
from lianfang.topology import RETRY_DELAYS_MS, TEST_RETRY_DELAYS_MS, Topology, render

#: The caller that the demo and the district's own tools use; it may call every method.
OPERATOR = "operator"


#: How long an index over everything that a city has may take to be built.
_INDEX_SECONDS = 3600.0


class _Row:
    """Rows of the runtime itself; only their indexes matter here."""


#: Rows found by age and by claim; the inbox forgets after 90 days, natural keys do not.
RUNTIME_COLLECTIONS = (
    Collection(OUTBOX, _Row, "_id", [Index("stuck", "claimed_until", "at")]),
    Collection(INBOX, _Row, "_id", [Index("at", expire_after=timedelta(days=90))]),
    Collection("commands", _Row, "_id"),
    Collection("guards", _Row, "_id"),
)


def vhost_of(district: str) -> str:
    """The virtual host of a district."""
    return f"d-{district}"


def users_of(district: str) -> dict[str, str]:
    """The topology's name of each user to the broker's; a caller has the same name in both."""
    operator = f"{district}-{OPERATOR}"
    return {name: f"{district}-{name}" for name in SERVICES} | {operator: operator}


def topology_of(settings: Settings, broker_major: int) -> Topology:
    """What this district's virtual host has to be."""
    return render(
        [need_of(service_class(name)) for name in SERVICES],
        broker_major=broker_major,
        delays_ms=TEST_RETRY_DELAYS_MS if settings.profile == "test" else RETRY_DELAYS_MS,
        callers={f"{settings.district}-{OPERATOR}": [rf"{name}\..*" for name in SERVICES]},
    )


def prepare_broker() -> Iterator[str]:
    """Apply the topology of all services and write `<service>.env` and `operator.env`."""
    settings = Settings.read()
    if settings.amqp_management_uri is None:
        raise Misconfigured("AMQP_MANAGEMENT_URI is not set: only an administrator can do this")
    administration = BrokerAdministration(settings.amqp_management_uri)
    vhost, users = vhost_of(settings.district), users_of(settings.district)
    make_key_file(settings.secrets_dir)
    passwords = {user: credentials(settings.secrets_dir, user) for user in users.values()}
    for user, password in passwords.items():
        administration.put_user(user, password)
    topology = topology_of(settings, administration.broker_major())
    administration.apply(vhost, topology, users)
    host = amqp_host(settings)
    for name, user in users.items():
        file = OPERATOR if name == user else name
        uri = f"amqp://{user}:{quote(passwords[user], safe='')}@{host}/{quote(vhost, safe='')}"
        write_environment(settings.secrets_dir / f"{file}.env", {"AMQP_URI": uri})
    yield f"broker: {vhost}: {len(topology.queues)} queues, {len(users)} users"


def describe_topology() -> Iterator[str]:
    """Each queue of a district with the routing keys that reach it."""
    topology = render([need_of(service_class(name)) for name in SERVICES], broker_major=0)
    for queue in topology.queues:
        keys = [b["routing_key"] for b in topology.bindings if b["destination"] == queue["name"]]
        yield f"{queue['name']:<32} {' '.join(key for key in keys if key)}".rstrip()


def amqp_host(settings: Settings) -> str:
    """Where clients reach the broker: `AMQP_HOST`, else the management's host at 5672."""
    if settings.amqp_host:
        return settings.amqp_host
    return f"{urlsplit(settings.amqp_management_uri or '').hostname}:5672"


def prepare_databases() -> Iterator[str]:
    """Create what is missing in every service's database."""
    settings = Settings.read()
    client = connect(settings.mongo_uri, "migrate", silence=_INDEX_SECONDS)
    make_key_file(settings.secrets_dir)
    for name in SERVICES:
        database = client[f"{settings.database_prefix}_{name}"]
        made = migrate_database(database, [*collections_of(name), *RUNTIME_COLLECTIONS])
        yield f"database: {database.name}: {len(made)} indexes"
    client.close()
