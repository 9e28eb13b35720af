"""The bare floor: what broker and database cost when nothing else is done.

A hand-written loop per stage with the transactions of our services: batches of 200, inbox and
outbox rows beside the documents, quorum queues, pipelined confirms, acknowledgement last. No
domain, no validation, no encryption, no framework.

Run as `python -m benchmarks.floor STAGE AMQP_URI MONGO_URI DATABASE`.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import amqp
import orjson
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from lianfang.runtime.broker import open_connection
from lianfang.runtime.documents import connect
from lianfang.topology import EVENTS, RPC

BATCH = 200
#: Calls of a hundred that make a batch.
CALLS = 2
_BATCH_WAIT = 0.02
_PERSISTENT = 2
_QUEUES = {"declaration": "rpc-declaration", "screening": "q.screening", "journal": "q.journal"}
_KEYS = {
    "declaration": (RPC, "declaration.*"),
    "screening": (EVENTS, "declaration.submitted.#"),
    "journal": (EVENTS, "#"),
}
_COLLECTIONS = {
    "declaration": (
        "persons",
        "households",
        "residences",
        "declarations",
        "commands",
        "outbox",
    ),
    "screening": ("assessments", "declarations", "inbox", "outbox"),
    "journal": ("events",),
}

Row = dict[str, Any]
#: What one batch adds: documents by collection, and (routing key, body) of each event.
Decision = tuple[dict[str, list[Row]], list[tuple[str, bytes]]]


class Stage:
    """One queue, one database, one transaction per batch."""

    def __init__(self, name: str, amqp_uri: str, mongo_uri: str, database: str) -> None:
        self.name, self.queue = name, _QUEUES[name]
        self.client: MongoClient[Any] = connect(mongo_uri, f"floor {name}")
        self.db = self.client[f"{database}_{name}"]
        for collection in _COLLECTIONS[name]:
            self.db.create_collection(collection)
        self.connection = open_connection(amqp_uri, f"floor {name}")
        self.out = open_connection(amqp_uri, f"floor {name} publisher").channel()
        self.out.confirm_select()
        self.out.events["basic_ack"].add(self._confirmed)
        self.unconfirmed: set[int] = set()
        self.tag = 0
        self.buffer: deque[Any] = deque()
        self.stopping = False

    def declare(self) -> None:
        """The stage's exchange, queue and binding."""
        self.channel = self.connection.channel()
        self.channel.auto_decode = False
        exchange, key = _KEYS[self.name]
        for each in (EVENTS, RPC):
            self.channel.exchange_declare(each, "topic", durable=True, auto_delete=False)
        quorum = {"x-queue-type": "quorum"}
        self.channel.queue_declare(self.queue, durable=True, auto_delete=False, arguments=quorum)
        self.channel.queue_bind(self.queue, exchange, key)
        self.channel.basic_qos(0, 2 * BATCH, False)
        self.channel.basic_consume(self.queue, callback=self.buffer.append)

    def run(self) -> None:
        """Take batches until SIGTERM."""
        work: dict[str, Callable[[], None]] = {
            "declaration": self._answer,
            "screening": lambda: self._handle(assess),
            "journal": lambda: self._handle(keep),
        }
        while not self.stopping:
            self._receive(0.5)
            if self.buffer:
                work[self.name]()

    def _receive(self, timeout: float) -> None:
        try:
            self.connection.drain_events(timeout=timeout)
        except TimeoutError:
            self.connection.heartbeat_tick()

    # -- two calls of a hundred forms ----------------------------------------------------------

    def _answer(self) -> None:
        messages = [self.buffer.popleft() for _ in range(min(CALLS, len(self.buffer)))]
        requests = [orjson.loads(message.body)["kwargs"] for message in messages]
        documents, events = submit([form for request in requests for form in request["forms"]])
        documents["commands"] = [{"_id": request["request_id"]} for request in requests]
        self._publish(self._commit(documents, events))
        ids = iter([row["_id"] for row in documents["declarations"]])
        for message, request in zip(messages, requests, strict=True):
            answers = [{"declaration_id": next(ids)} for _ in request["forms"]]
            reply = amqp.Message(
                orjson.dumps({"result": {"declarations": answers}, "error": None}),
                correlation_id=message.properties["correlation_id"],
            )
            self.channel.basic_publish(reply, RPC, message.properties["reply_to"])
        self.channel.basic_ack(messages[-1].delivery_tag, multiple=True)

    # -- a batch of events ---------------------------------------------------------------------

    def _handle(self, decide: Callable[[list[Row]], Decision]) -> None:
        deadline = time.monotonic() + _BATCH_WAIT
        while len(self.buffer) < BATCH and (left := deadline - time.monotonic()) > 0:
            self._receive(left)
        batch = [self.buffer.popleft() for _ in range(min(BATCH, len(self.buffer)))]
        envelopes = [orjson.loads(message.body) for message in batch]
        documents, events = decide(envelopes)
        if self.name != "journal":
            documents["inbox"] = [{"_id": envelope["id"]} for envelope in envelopes]
        self._publish(self._commit(documents, events))
        self.channel.basic_ack(batch[-1].delivery_tag, multiple=True)

    # -- the transaction -----------------------------------------------------------------------

    def _commit(
        self, documents: dict[str, list[Row]], events: list[tuple[str, bytes]]
    ) -> list[Row]:
        rows = [{"_id": str(uuid4()), "key": key, "body": body} for key, body in events]
        with self.client.start_session() as session:
            session.start_transaction(ReadConcern("snapshot"), WriteConcern("majority", j=True))
            for known in documents.keys() & {"inbox", "commands"}:
                ids = [row["_id"] for row in documents[known]]
                list(self.db[known].find({"_id": {"$in": ids}}, session=session))
            for collection, new in (documents | ({"outbox": rows} if rows else {})).items():
                self.db[collection].insert_many(new, ordered=False, session=session)
            session.commit_transaction()
        return rows

    def _publish(self, rows: Iterable[Row]) -> None:
        for row in rows:
            message = amqp.Message(row["body"], delivery_mode=_PERSISTENT, message_id=row["_id"])
            self.tag += 1
            self.unconfirmed.add(self.tag)
            self.out.basic_publish(message, EVENTS, row["key"], mandatory=True)
        while self.unconfirmed:
            self.out.connection.drain_events(timeout=10)
        if rows:
            self.db.outbox.delete_many({"_id": {"$in": [row["_id"] for row in rows]}})

    def _confirmed(self, tag: int, multiple: bool) -> None:
        done = {t for t in self.unconfirmed if t <= tag} if multiple else {tag}
        self.unconfirmed -= done


def submit(forms: list[Row]) -> Decision:
    """Person, household, residence and declaration of each form, and the event that says so."""
    ids = [str(uuid4()) for _ in forms]
    pairs = list(zip(ids, forms, strict=True))
    documents = {
        "persons": [{"_id": key, "basic": form["basic"]} for key, form in pairs],
        "households": [
            {"_id": f"{ids[0]}{building}{room}", "building": building, "room": room}
            for building, room in sorted({_home(form) for form in forms})
        ],
        "residences": [{"_id": key, "residence": form["residence"]} for key, form in pairs],
        "declarations": [{"_id": key, **form} for key, form in pairs],
    }
    said = [
        ("declaration.submitted", form["residence"]["building"], key, _told(form))
        for key, form in pairs
    ]
    return documents, [_event(*each) for each in said]


def _home(form: Row) -> tuple[str, str]:
    return form["residence"]["building"], form["residence"]["room"]


def _told(form: Row) -> Row:
    return {"legs": form["person_type"]["legs"], "health": form["health"]}


def assess(envelopes: list[Row]) -> Decision:
    """The read model and the verdict of each declaration, and the event that says so."""
    documents = {
        "declarations": [{"_id": e["subject"], "legs": e["data"]["legs"]} for e in envelopes],
        "assessments": [{"_id": e["subject"], "outcome": "pass"} for e in envelopes],
    }
    said = [
        ("declaration.assessed", e["place"], e["subject"], {"outcome": "pass"}) for e in envelopes
    ]
    return documents, [_event(*each) for each in said]


def keep(envelopes: list[Row]) -> Decision:
    """Every event as it came."""
    return {"events": [{"_id": envelope["id"], **envelope} for envelope in envelopes]}, []


def _event(kind: str, place: str, subject: str, data: Row) -> tuple[str, bytes]:
    envelope = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/4403/floor",
        "type": kind,
        "dataschema": f"urn:lianfang:{kind}/v1",
        "subject": subject,
        "time": "2020-02-03T00:00:00Z",
        "correlationid": subject,
        "causationid": subject,
        "place": place,
        "data": data,
    }
    return f"{kind}.{place}", orjson.dumps(envelope)


def main() -> None:
    """Run one stage until SIGTERM."""
    stage = Stage(*sys.argv[1:])
    stage.declare()
    signal.signal(signal.SIGTERM, lambda *_: setattr(stage, "stopping", True))
    print("ready", flush=True)
    stage.run()


if __name__ == "__main__":
    main()
