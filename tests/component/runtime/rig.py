"""A virtual host and a database for the probe, and the hands to put in and take out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import amqp
import orjson
from pymongo import MongoClient

from lianfang.cli.district import RUNTIME_COLLECTIONS
from lianfang.envelope import dataschema_of, source_of
from lianfang.events import Event, event_id
from lianfang.events.journal import MessageDiscarded, MessageReplayed
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.broker import close_quietly, open_connection
from lianfang.runtime.documents import connect, migrate
from lianfang.runtime.door import Incoming
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Call, Handler, Timer, declared, need_of
from lianfang.runtime.intake import Intake
from lianfang.runtime.subscription import incoming
from lianfang.settings import Settings
from lianfang.topology import EVENTS, PARKING, TEST_RETRY_DELAYS_MS, render
from tests.component.runtime.probe import ALARMS, PLACE, SEEN, Probe

ROOT = Path(__file__).parents[3]
START = datetime(2020, 2, 3, 1, tzinfo=UTC)
ONE, MANY = "q.journal.one", "q.journal.many"


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """What `condition` gives as soon as it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        threading.Event().wait(0.02)
    raise AssertionError("waited in vain")


class Rig:
    """See the module."""

    def __init__(self, settings: Settings, administration: BrokerAdministration) -> None:
        vhost = f"{settings.database_prefix}_rig"
        base = settings.amqp_uri.rpartition("/")[0]
        self.settings = replace(settings, amqp_uri=f"{base}/{vhost}", database_prefix=vhost)
        self.administration, self.vhost = administration, vhost
        topology = render(
            [need_of(Probe)],
            broker_major=administration.broker_major(),
            delays_ms=TEST_RETRY_DELAYS_MS,
        )
        administration.apply(vhost, replace(topology, permissions={}), {})
        self.queues = [queue["name"] for queue in topology.queues]
        self.client = connect(settings.mongo_uri, "rig")
        # No heartbeat: nobody sends one while other tests run, and the broker would hang up.
        patient = replace(self.settings, amqp_uri=f"{self.settings.amqp_uri}?heartbeat=0")
        self.engine = Engine(patient, "journal", client=self.client)
        self.database = self.engine.documents.database
        migrate(self.database, [SEEN, ALARMS, *RUNTIME_COLLECTIONS])
        # No heartbeat: nobody sends one until the session's end, and the broker would hang up.
        self.connection = open_connection(f"{self.settings.amqp_uri}?heartbeat=0", "rig")
        self.channel = self.connection.channel()
        self.channel.auto_decode = False
        self.probe = Probe()
        self.handlers = {handler.name: handler for handler in declared(Probe, Handler)}
        self.calls = {call.name: call for call in declared(Probe, Call)}
        (self.timer,) = declared(Probe, Timer)
        self.processes: list[Process] = []

    def reset(self) -> None:
        for queue in self.queues:
            self.channel.queue_purge(queue)
        for name in self.database.list_collection_names():
            self.database[name].delete_many({})
        self.engine.clock.refresh()

    def end_processes(self) -> None:
        """What a failed test left running must not take the next one's messages."""
        for process in self.processes:
            if process.alive:
                process.kill()
        self.processes = []

    def close(self) -> None:
        self.engine.publisher.close()
        close_quietly(self.connection)  # idle since the last test here, the broker may have hung up
        self.administration.delete_vhost(self.vhost)
        self.client.close()
        # A killed process leaves its transaction open; the database ends it after a minute.
        with MongoClient(self.settings.mongo_uri, socketTimeoutMS=90_000) as client:
            client.drop_database(self.database.name)

    # -- messages -----------------------------------------------------------------------------

    def put(self, body: bytes, key: str = f"message.discarded.{PLACE}", **properties: Any) -> None:
        """Put bytes on the `events` exchange as any client could."""
        properties.setdefault("content_type", "application/json")
        exchange = properties.pop("exchange", EVENTS)
        raw = properties.pop("raw_properties", None)
        message = amqp.Message(body, delivery_mode=2, **properties)
        if raw is not None:
            message._serialize_properties = lambda: raw
        self.channel.basic_publish(message, exchange, key)

    def say(self, key: str, what: str = "ok", **properties: Any) -> str:
        """A message for `one`; returns its id."""
        event = MessageDiscarded(parked_id=key, origin="q", by="x", reason=what, at=START)
        self.put(body_of(event), **properties)
        return event_id(event)

    def take(self, queue: str) -> list[Incoming]:
        """All that is ready in a queue."""
        found = []
        while (message := self.channel.basic_get(queue, no_ack=True)) is not None:
            found.append(incoming(message))
        return found

    def depth(self, queue: str) -> int:
        return int(self.channel.queue_declare(queue, passive=True).message_count)

    def parked(self) -> Incoming:
        """The next message in `parking`, as soon as there is one."""
        return until(lambda: self.take(PARKING))[0]

    # -- in this process ----------------------------------------------------------------------

    def handle(self, name: str, *events: Event, **changes: Any) -> list[Any]:
        """Give these events as one batch to a handler of the probe."""
        intake = Intake(self.engine, self.handlers[name])
        batch = [raw_of(event, tag, **changes) for tag, event in enumerate(events, 1)]
        return intake.handle(self.probe, batch)

    def seen(self, key: str) -> Any:
        return self.engine.documents.get(SEEN, key)

    # -- in other processes -------------------------------------------------------------------

    def start(self, *faults: str, wait: bool = True, **environment: str) -> Process:
        process = Process(
            [sys.executable, "-m", "tests.component.runtime.run_probe", *faults],
            {**self.environment(), **environment},
        )
        self.processes.append(process)
        if wait:
            process.line("service_started")
        return process

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "AMQP_URI": self.settings.amqp_uri,
            "MONGO_URI": self.settings.mongo_uri,
            "LIANFANG_PROFILE": "test",
            "LIANFANG_DATABASE_PREFIX": self.settings.database_prefix,
            "LIANFANG_SECRETS_DIR": str(self.settings.secrets_dir),
            "LIANFANG_POLICY_DIR": str(self.settings.policy_dir),
        }


def discarded(key: str, what: str = "ok", revision: int = 1) -> MessageDiscarded:
    return MessageDiscarded(
        parked_id=key, origin="q", by="x", reason=what, at=START, revision=revision
    )


def replayed(key: str, what: str = "ok", revision: int = 1) -> MessageReplayed:
    return MessageReplayed(parked_id=key, origin="q", by=what, at=START, revision=revision)


def document_of(event: Event, **changes: Any) -> dict[str, Any]:
    """The wire document of an event."""
    return {
        "specversion": "1.0",
        "id": event_id(event),
        "source": source_of("4403", "nanshan", "journal"),
        "type": event.TYPE,
        "dataschema": dataschema_of(event.TYPE, event.VERSION),
        "subject": event.subject,
        "time": START.isoformat(),
        "correlationid": "case-7",
        "causationid": "command-7",
        "place": PLACE,
        "data": event,
        **changes,
    }


def body_of(event: Event, **changes: Any) -> bytes:
    return orjson.dumps(document_of(event, **changes))


def raw_of(event: Event, tag: int = 1, **headers: Any) -> Incoming:
    properties = {"content_type": "application/json", "message_id": event_id(event)}
    return Incoming(body=body_of(event), properties=properties, headers=headers, tag=tag)


class Process:
    """A process under test and the lines it writes."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.popen.stderr as stream:
            for line in stream:
                self.lines.append(line)

    @property
    def told(self) -> list[dict[str, Any]]:
        """The structured lines."""
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]

    def line(self, event: str, seconds: float = 30, **facts: Any) -> dict[str, Any]:
        """The first line of an event with these facts, as soon as it is told."""

        def find() -> dict[str, Any] | None:
            for told in self.told:
                if told["event"] == event and facts.items() <= told.items():
                    return told
            assert self.alive or event == "service_stopped", "".join(self.lines)
            return None

        return until(find, seconds)

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def stop(self, seconds: float = 30) -> int:
        """End it politely; the exit code."""
        if self.alive:
            self.popen.send_signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds: float = 30) -> int:
        code = self.popen.wait(seconds)
        self._reader.join()
        return code

    def kill(self) -> None:
        self.popen.kill()
        self.wait()
