"""Looks at every invariant of a district."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pymongo.database import Database
from pymongo.errors import PyMongoError

from lianfang.audit.catalogue import INVARIANTS
from lianfang.audit.evidence import Evidence
from lianfang.audit.finding import Finding, look
from lianfang.audit.subscriptions import queues_of
from lianfang.errors import Misconfigured, Unavailable
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.discovery import SERVICES
from lianfang.runtime.documents import connect

#: The management page's figures are old: 7 s were seen on an idle broker, more on a busy one.
_STALE_SECONDS = 15.0
_LOOK_AGAIN = 0.25
#: How long the database may think about one question: an audit asks for whole collections.
_SILENCE = 600.0


def audit(
    databases: Mapping[str, Database[Any]],
    queues: Sequence[Mapping[str, Any]],
    ledger: Path | None = None,
    *,
    now: datetime | None = None,
) -> list[Finding]:
    """Look at everything that must hold between these databases, queues and receipts.

    Reads only. `databases` are by service; an invariant that needs another one is left out, and so
    are those about receipts without a `ledger`. `queues` are as the management page lists them;
    `now` is the real time.
    """
    now = now or datetime.now(UTC)  # noqa: TID251 - as the inboxes' own instants, never the demo's
    evidence = Evidence(databases=databases, queues=queues, ledger=ledger, now=now)
    return [
        look(rule, evidence)
        for rule in INVARIANTS
        if databases.keys() >= set(rule.needs) - {"ledger"}
        and (ledger is not None or "ledger" not in rule.needs)
    ]


def audit_district(
    mongo_uri: str,
    prefix: str,
    management_uri: str,
    vhost: str,
    ledger: Path | None = None,
    services: Sequence[str] = SERVICES,
) -> list[Finding]:
    """Look at everything that must hold in a district, by the addresses of its servers.

    Reads only; a user that may read the databases and monitor the virtual host is enough.

    Raises:
        Unavailable: broker management or database does not answer.
        Misconfigured: a service has no database under this prefix, or a password is wrong.
    """
    queues = still_queues(BrokerAdministration(management_uri), vhost)
    try:
        client = connect(mongo_uri, "audit", silence=_SILENCE)
    except PyMongoError as error:
        raise Misconfigured(f"MONGO_URI: {error}") from error
    try:
        named = {name: f"{prefix}_{name}" for name in services}
        missing = sorted(set(named.values()) - set(client.list_database_names()))
        if missing:
            raise Misconfigured(f"there is no database {', '.join(missing)}: nothing to audit")
        return audit({name: client[base] for name, base in named.items()}, queues, ledger)
    except PyMongoError as error:
        raise Unavailable(f"database: {type(error).__name__}: {str(error)[:200]}") from error
    finally:
        client.close()


def still_queues(administration: BrokerAdministration, vhost: str) -> list[dict[str, Any]]:
    """The queues of a virtual host, once their figures are those of now.

    Figures that say that something waits are looked at again until they are no older than the
    first look.
    """
    until, pause = time.monotonic() + _STALE_SECONDS, threading.Event()
    ours = set(queues_of(SERVICES))
    while True:
        queues = administration.queues(vhost)
        waiting = any(queue.get("messages") for queue in queues if queue["name"] in ours)
        if not waiting or time.monotonic() >= until:
            return queues
        pause.wait(_LOOK_AGAIN)
