"""The reference: three services as any nameko user writes them, without our guarantees.

JSON in, one write per document, one dispatched event per declaration; screening keeps the
declaration, inserts its assessment and dispatches; the journal inserts each event. The documents
are those that our services and the floor keep, without inbox, outbox and transactions. A crash
between the insert and the dispatch loses the event, a handler that fails loses its message, a
repeated call does everything twice.

Run as `python -m benchmarks.plain_nameko SERVICE AMQP_URI MONGO_URI DATABASE`.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

# ruff: noqa: E402 - everything below must see the patched modules
import logging
import signal
import sys
from datetime import UTC, datetime
from types import FrameType
from typing import Any
from uuid import uuid4

from nameko.events import EventDispatcher, event_handler
from nameko.extensions import DependencyProvider
from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from pymongo import MongoClient


class Database(DependencyProvider):
    """The service's database, as the usual nameko extensions inject it."""

    def setup(self) -> None:
        """Connect once per process."""
        client: MongoClient[Any] = MongoClient(self.container.config["MONGO_URI"])
        self.database = client[self.container.config["DATABASE"]]
        self.database.households.create_index([("building", 1), ("room", 1)])

    def get_dependency(self, worker_ctx: Any) -> Any:
        """The database itself."""
        return self.database


class Declaration:
    """Keeps what people declare."""

    name = "declaration"
    dispatch = EventDispatcher()
    db = Database()

    @rpc
    def submit_declarations(self, forms: list[dict[str, Any]], **_head: Any) -> dict[str, Any]:
        """Insert and announce each form."""
        return {"declarations": [self._submit(form) for form in forms]}

    def _submit(self, form: dict[str, Any]) -> dict[str, str]:
        declaration_id, home = str(uuid4()), form["residence"]
        household = {"building": home["building"], "room": home["room"]}
        self.db.persons.insert_one({"_id": str(uuid4()), "basic": form["basic"]})
        self.db.households.update_one(household, {"$set": household}, upsert=True)
        self.db.residences.insert_one({"_id": str(uuid4()), "residence": home})
        declared_at = datetime.now(UTC)
        self.db.declarations.insert_one({"_id": declaration_id, "at": declared_at, **form})
        self.dispatch(
            "declaration_submitted",
            {
                "declaration_id": declaration_id,
                "building": home["building"],
                "person_type": form["person_type"]["type"],
                "legs": form["person_type"]["legs"],
                "health": form["health"],
            },
        )
        return {"declaration_id": declaration_id}


class Screening:
    """Judges what was declared."""

    name = "screening"
    dispatch = EventDispatcher()
    db = Database()

    @event_handler("declaration", "declaration_submitted")
    def assess(self, payload: dict[str, Any]) -> None:
        """Insert and announce the verdict."""
        health = payload["health"]
        outcome = "pass"
        if health["symptoms"]:
            outcome = "hospital"
        elif health["stayed_in_key_area"]:
            outcome = "home_quarantine"
        assessment = {
            "_id": str(uuid4()),
            "declaration_id": payload["declaration_id"],
            "building": payload["building"],
            "outcome": outcome,
            "legs": payload["legs"],
            "assessed_at": datetime.now(UTC),
        }
        self.db.declarations.insert_one({"_id": payload["declaration_id"], **payload})
        self.db.assessments.insert_one(assessment)
        self.dispatch(
            "declaration_assessed",
            {"declaration_id": payload["declaration_id"], "outcome": outcome},
        )


class Journal:
    """Keeps every event."""

    name = "journal"
    db = Database()

    @event_handler("declaration", "declaration_submitted")
    def keep_submitted(self, payload: dict[str, Any]) -> None:
        """Insert the event."""
        self._keep("declaration_submitted", payload)

    @event_handler("screening", "declaration_assessed")
    def keep_assessed(self, payload: dict[str, Any]) -> None:
        """Insert the event."""
        self._keep("declaration_assessed", payload)

    def _keep(self, kind: str, payload: dict[str, Any]) -> None:
        self.db.events.insert_one({"type": kind, "data": payload, "at": datetime.now(UTC)})


def main() -> None:
    """Run one of the three until SIGTERM."""
    service, amqp_uri, mongo_uri, database = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    config = {"AMQP_URI": amqp_uri, "MONGO_URI": mongo_uri, "DATABASE": f"{database}_{service}"}
    # `nameko run` needs the retired pkg_resources; its runner does not.
    runner = ServiceRunner(config)
    classes = {cls.name: cls for cls in (Declaration, Screening, Journal)}
    runner.add_service(classes[service])

    def stop(_signal: int, _frame: FrameType | None) -> None:
        eventlet.spawn_n(runner.kill)

    signal.signal(signal.SIGTERM, stop)
    runner.start()
    print("ready", flush=True)
    runner.wait()


if __name__ == "__main__":
    main()
