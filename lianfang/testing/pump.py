"""Drives services in one process, step by step, over a real broker and a real database.

Messages travel through the real queues; only the loops are ours, so a test decides when, in which
order and how often each message arrives. Between two calls everything stands still.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson

from lianfang.cli.district import RUNTIME_COLLECTIONS
from lianfang.envelope import Envelope, dataschema_of, routing_key, source_of
from lianfang.errors import NotFound, Rejected
from lianfang.events import Event, event_id, producer_of
from lianfang.places import wire_place
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.broker import open_connection
from lianfang.runtime.commands import answer
from lianfang.runtime.discovery import collections_of, service_class
from lianfang.runtime.documents import Documents, connect
from lianfang.runtime.documents import migrate as migrate_database
from lianfang.runtime.door import Incoming
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Call, Handler, Timer, declared, need_of
from lianfang.runtime.intake import Intake
from lianfang.runtime.logs import bound
from lianfang.runtime.publisher import Outgoing, Publisher
from lianfang.runtime.replays import read_word
from lianfang.runtime.resources import Resource
from lianfang.runtime.subscription import incoming
from lianfang.runtime.timers import run_timer
from lianfang.schemas.envelope import decode, encode
from lianfang.schemas.events import load_event
from lianfang.settings import Settings
from lianfang.testing.clock import StandingClock
from lianfang.topology import EVENTS, PARKING, TEST_RETRY_DELAYS_MS, ServiceNeed, render


@dataclass
class Driven:
    """One service under test."""

    engine: Engine
    clock: StandingClock
    instance: Any
    handlers: list[Handler]
    calls: dict[str, Call]
    timers: list[Timer]


class Pump:
    """See the module. One pump owns a virtual host and a set of databases; `reset` empties both."""

    #: The user in whose name commands come.
    caller = "pump"

    def __init__(
        self, settings: Settings, administration: BrokerAdministration, vhost: str
    ) -> None:
        # No heartbeat: nobody sends one while other tests run, and the broker would hang up.
        self.settings = replace(settings, amqp_uri=f"{settings.amqp_uri}?heartbeat=0")
        self._administration, self._vhost = administration, vhost
        self.client = connect(settings.mongo_uri, "pump")
        self._needs: dict[str, ServiceNeed] = {}
        self._services: dict[str, Driven] = {}
        self.used: dict[str, Driven] = {}
        self._events: list[Event] = []
        self._envelopes: list[Envelope] = []
        self._parked: list[tuple[str, str]] = []
        self._administration.apply(vhost, self._topology(), {})
        self._connection = open_connection(self.settings.amqp_uri, "pump")
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        self._log = self._tap(EVENTS, "#")
        self._parking_log = self._tap(PARKING, "")
        self._publisher = Publisher(self.settings.amqp_uri, "pump")

    # -- setting up ---------------------------------------------------------------------------

    def use(self, *names: str) -> None:
        """Take these services, and only these, into the test."""
        for name in names:
            if name not in self._services:
                self._services[name] = self._build(name)
        self.used = {name: self._services[name] for name in names}

    def reset(self) -> None:
        """Empty every queue and every collection, and forget what was seen."""
        for need in self._needs.values():
            for sub in need.subscriptions:
                self._channel.queue_purge(sub.queue)
        for queue in (PARKING, "unrouted", "retry.1", "retry.2", "retry.3", self._log):
            self._channel.queue_purge(queue)
        self._channel.queue_purge(self._parking_log)
        for driven in self._services.values():
            database = driven.engine.documents.database
            for collection in database.list_collection_names():
                database[collection].delete_many({})
            driven.clock.release()
        self.used = {}
        self._events, self._envelopes, self._parked = [], [], []

    def close(self) -> None:
        """Remove the virtual host and the databases."""
        for driven in self._services.values():
            self.client.drop_database(driven.engine.database_name)
            driven.engine.publisher.close()
        self.client.drop_database(f"{self.settings.database_prefix}_keys")
        self._publisher.close()
        self._connection.close()
        self._administration.delete_vhost(self._vhost)
        self.client.close()

    def _build(self, name: str) -> Driven:
        cls = service_class(name)
        self._needs[name] = need_of(cls)
        self._administration.apply(self._vhost, replace(self._topology(), permissions={}), {})
        engine = Engine(self.settings, name, client=self.client)
        clock = StandingClock(engine.documents.database, self.settings.profile)
        engine.clock = clock
        migrate_database(engine.documents.database, [*collections_of(name), *RUNTIME_COLLECTIONS])
        instance = cls()
        for attribute, resource in inspect.getmembers(cls, lambda m: isinstance(m, Resource)):
            setattr(instance, attribute, resource.build(engine))
        calls = {call.name: call for call in declared(cls, Call)}
        return Driven(engine, clock, instance, declared(cls, Handler), calls, declared(cls, Timer))

    def _topology(self) -> Any:
        rendered = render(
            list(self._needs.values()),
            broker_major=self._administration.broker_major(),
            delays_ms=TEST_RETRY_DELAYS_MS,
        )
        return replace(rendered, permissions={})

    def _tap(self, exchange: str, key: str) -> str:
        queue: str = self._channel.queue_declare("", exclusive=True, auto_delete=True).queue
        self._channel.queue_bind(queue, exchange, key)
        return queue

    # -- time ---------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The present instant of the services; set, it stands still until it is set again."""
        return next(iter(self.used.values())).clock.now()

    @now.setter
    def now(self, instant: datetime) -> None:
        for driven in self.used.values():
            driven.clock.set(instant)

    # -- acting -------------------------------------------------------------------------------

    def call(self, method: str, **document: Any) -> Any:
        """The answer of an RPC method, through its schemas; nothing is delivered meanwhile.

        Raises:
            LianfangError: as the caller would get it.
        """
        service, _, name = method.partition(".")
        driven = self.used[service]
        call = driven.calls.get(name)
        if call is None:
            raise NotFound.of("method", method)
        if call.is_command:
            document.setdefault("request_id", str(uuid4()))
        wire = orjson.loads(orjson.dumps(document))
        # A process answers each request in a greenthread, hence a log context, of its own.
        with bound(correlation_id=None, request_id=None, caller=None):
            reply = answer(driven.engine, call, driven.instance, wire, self.caller)
        return orjson.loads(orjson.dumps(reply))

    def publish(self, event: Event, place: str, **envelope: Any) -> Envelope:
        """Say an event as its producer would have."""
        wrapped = Envelope(
            id=event_id(event),
            source=source_of(self.settings.city, self.settings.district, producer_of(type(event))),
            type=event.TYPE,
            dataschema=dataschema_of(event.TYPE, event.VERSION),
            subject=event.subject,
            time=self.now,
            correlationid=envelope.get("correlation_id", event.subject),
            causationid=envelope.get("causation_id", event.subject),
            place=wire_place(place),
            data={},
        )
        self.send(encode(wrapped, event), routing_key(event.TYPE, place), message_id=wrapped.id)
        return wrapped

    def send(self, body: bytes, key: str, message_id: str | None = None, **options: Any) -> None:
        """Put raw bytes on the `events` exchange."""
        outgoing = Outgoing(
            id=message_id or str(uuid4()), exchange=EVENTS, routing_key=key, body=body, **options
        )
        assert self._publisher.publish([outgoing])  # noqa: S101 - a test cannot go on without

    def tick(self) -> int:
        """Let every timer settle what is due, deliver what follows; returns how much was due."""
        settled = sum(
            run_timer(driven.engine, timer, driven.instance)
            for driven in self.used.values()
            for timer in driven.timers
        )
        self.settle()
        return settled

    # -- delivering ---------------------------------------------------------------------------

    def settle(self, seed: int | None = None, copies: int = 1) -> int:
        """Deliver until nothing is left; returns how many messages were handled.

        With a `seed` each subscription's messages come in random order, some held back, each
        `copies` times.
        """
        chance = random.Random(seed) if seed is not None else None  # noqa: S311
        waiting: dict[str, list[Incoming]] = {h.queue: [] for _, h in self._subscriptions()}
        handled = 0
        while True:
            for queue, pool in waiting.items():
                pool += [raw for raw in self._fetch(queue) for _ in range(copies)]
            full = [(d, h) for d, h in self._subscriptions() if waiting[h.queue]]
            if not full:
                break
            for driven, handler in [chance.choice(full)] if chance else full:
                batch = _take(waiting[handler.queue], handler.batch, chance)
                Intake(driven.engine, handler).handle(driven.instance, batch)
                handled += len(batch)
        for driven in self.used.values():
            driven.engine.outbox.sweep()
        self._listen()
        return handled

    def _subscriptions(self) -> Iterator[tuple[Driven, Handler]]:
        for driven in self.used.values():
            for handler in driven.handlers:
                yield driven, handler

    def _fetch(self, queue: str) -> list[Incoming]:
        found = []
        while (message := self._channel.basic_get(queue, no_ack=True)) is not None:
            message.delivery_info.setdefault("delivery_tag", 0)
            found.append(incoming(message))
        return found

    # -- looking ------------------------------------------------------------------------------

    def _listen(self) -> None:
        for raw in self._fetch(self._log):
            try:
                envelope = decode(raw.body)
                event = load_event(envelope.type, envelope.version, envelope.data)
            except Rejected:
                continue  # a test's own poison; its subscription parks it
            self._envelopes.append(envelope)
            self._events.append(event)
        for raw in self._fetch(self._parking_log):
            if read_word(raw) is not None:
                continue
            # What the broker itself dead-letters carries no word of ours.
            self._parked.append((raw.headers.get("x-reason", ""), raw.headers.get("x-error", "")))

    def events(self, event_type: str = "") -> list[Any]:
        """What was published so far, in order; optionally of one type."""
        self._listen()
        return [e for e in self._events if not event_type or event_type == e.TYPE]

    def envelopes(self, event_type: str = "") -> list[Envelope]:
        """The envelopes of what was published so far."""
        self._listen()
        return [e for e in self._envelopes if not event_type or e.type == event_type]

    def parked(self) -> list[tuple[str, str]]:
        """Reason code and sentence of everything parked so far."""
        self._listen()
        return list(self._parked)

    def documents(self, service: str) -> Documents:
        """Reads in the database of a service."""
        return self.used[service].engine.documents


def _take(pool: list[Incoming], most: int, chance: random.Random | None) -> list[Incoming]:
    if chance is None:
        batch, pool[:] = pool[:most], pool[most:]
        return batch
    chance.shuffle(pool)
    size = chance.randint(1, min(most, len(pool)))
    batch, pool[:] = pool[:size], pool[size:]
    return batch
