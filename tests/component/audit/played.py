"""The played district under test: damage is planted in it, and taken back after each look."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import amqp
import orjson

from lianfang.audit import Finding, audit
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.broker import open_connection
from lianfang.testing.pump import Pump

Row = dict[str, Any]
#: What an audit must find: each broken invariant with a word of each of its offenders.
Expected = Mapping[str, Sequence[str]]
_PATIENCE = 20.0


@dataclass
class Played:
    """Databases, broker and ledger of a district at rest."""

    pump: Pump
    administration: BrokerAdministration
    vhost: str
    ledger: Path
    _undo: list[Callable[[], Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.databases = {n: d.engine.documents.database for n, d in self.pump.used.items()}
        self.queues = self._page(lambda page: all(not ready(page, name) for name in page))

    # -- looking ------------------------------------------------------------------------------

    def findings(self) -> list[Finding]:
        """Everything that an audit says."""
        return audit(self.databases, self.queues, self.ledger)

    def broken(self) -> dict[str, tuple[str, ...]]:
        """What does not hold."""
        return {f.name: f.offenders for f in self.findings() if not f.holds}

    def one(self, name: str, **where: Any) -> Row:
        """The first document that matches, in the order of keys."""
        found = self._of(name).find_one(_dotted(where), sort=[("_id", 1)])
        assert found is not None, f"the story left nothing in {name} like {where}"
        return dict(found)

    def all(self, name: str, **where: Any) -> list[Row]:
        """The documents that match."""
        return list(self._of(name).find(_dotted(where)).sort("_id", 1))

    def _of(self, name: str) -> Any:
        service, _, kind = name.partition(".")
        return self.databases[service][kind]

    # -- damaging -----------------------------------------------------------------------------

    def put(self, name: str, document: Row) -> Row:
        """A document that was never written by its service."""
        self._of(name).insert_one(document)
        self._undo.append(lambda: self._of(name).delete_one({"_id": document["_id"]}))
        return document

    def lose(self, name: str, document: Row) -> None:
        """A document that is gone."""
        self._of(name).delete_one({"_id": document["_id"]})
        self._undo.append(lambda: self._of(name).insert_one(document))

    def alter(self, name: str, document: Row, **fields: Any) -> None:
        """A document with other facts; `a__0__b` reaches into it."""
        self._of(name).update_one({"_id": document["_id"]}, {"$set": _dotted(fields)})
        key = {"_id": document["_id"]}
        self._undo.append(lambda: self._of(name).replace_one(key, document))

    def promise(self, *lines: Row) -> None:
        """Receipts of answers that were given."""
        before = self.ledger.read_bytes()
        with self.ledger.open("ab") as file:
            file.writelines(orjson.dumps(line, default=str) + b"\n" for line in lines)
        self._undo.append(lambda: self.ledger.write_bytes(before))

    def page(self, name: str, **figures: Any) -> None:
        """A queue as the management page shows it; without figures it is not there."""
        before = self.queues
        others = [queue for queue in before if queue["name"] != name]
        self.queues = [*others, {"name": name, **figures}] if figures else others
        self._undo.append(lambda: setattr(self, "queues", before))

    def send(self, queue: str) -> None:
        """A message that nobody takes, in the real queue."""
        before, connection = self.queues, open_connection(self.pump.settings.amqp_uri, "damage")
        channel = connection.channel()
        channel.confirm_select()
        channel.basic_publish_confirm(_message(), "", queue)
        self._show(queue, lambda page: ready(page, queue) == 1)

        def take() -> None:
            channel.queue_purge(queue)
            connection.close()
            self.queues = before

        self._undo.append(take)

    def hold(self, queue: str) -> None:
        """A message that somebody has in hand and never acknowledges."""
        before, connection = self.queues, open_connection(self.pump.settings.amqp_uri, "damage")
        channel = connection.channel()
        channel.confirm_select()
        channel.basic_publish_confirm(_message(), "", queue)
        while channel.basic_get(queue) is None:
            time.sleep(0.05)
        self._show(queue, lambda page: page[queue].get("messages_unacknowledged") == 1)

        def take() -> None:
            connection.close()
            self.administration.purge(self.vhost, [queue])
            self.queues = before

        self._undo.append(take)

    def mend(self) -> None:
        """Take back everything that was planted, the last first."""
        while self._undo:
            self._undo.pop()()

    def _show(self, queue: str, shows: Callable[[dict[str, Any]], bool]) -> None:
        """Let the page show a queue as it is now; of the others it may still tell the past."""
        fresh = next(q for q in self._page(shows) if q["name"] == queue)
        self.queues = [fresh if q["name"] == queue else q for q in self.queues]

    def _page(self, shows: Callable[[dict[str, Any]], bool]) -> list[Row]:
        """The management page, once it shows what is there: its figures are seconds old."""
        until = time.monotonic() + _PATIENCE
        while True:
            found = self.administration.queues(self.vhost)
            named = {q["name"]: q for q in found if not q["name"].startswith("amq.gen")}
            if shows(named):
                return list(named.values())
            assert time.monotonic() < until, "the management page never showed it"
            time.sleep(0.2)


def ready(page: Mapping[str, Any], queue: str) -> int:
    """How many messages wait in a queue, by the page."""
    return int(page[queue].get("messages_ready", 0))


def _message() -> Any:
    return amqp.Message(b"{}", content_type="application/json", delivery_mode=2)


def _dotted(fields: Mapping[str, Any]) -> Row:
    return {name.replace("__", "."): value for name, value in fields.items()}
