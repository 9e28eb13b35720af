"""Scenes: one thing that one service did, the database before it and everything that came of it.

A `Recorder` is a pump that notes, while a story is played on it, for every subscription, command
and timer the scene in which it has the most to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.door import Incoming
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Call, Handler, Timer, declared
from lianfang.runtime.intake import Intake
from lianfang.runtime.outbox import Outbox
from lianfang.runtime.publisher import Outgoing
from lianfang.runtime.timers import LOOK, run_timer
from lianfang.settings import Settings
from lianfang.testing.pump import Driven, Pump
from lianfang.topology import PARKING

SUBSCRIPTION, COMMAND, TIMER = "subscription", "command", "timer"
#: A window of as many rows has two halves; a scene with more to say shows nothing new.
ENOUGH = 2
#: So often an actor is looked at before its best scene so far has to do; longer while it says
#: nothing in it.
_LOOKS, _PATIENT_LOOKS = 8, 40
#: What the process keeps for itself: the time it is, and how often a guard was turned.
_PRIVATE = {"runtime", "guards"}
#: When this process did something, by its own clock on the wall.
_WALL = {"inbox": {"at"}, "commands": {"at"}, "outbox": {"at", "claimed_until", "claim", "tries"}}

Snapshot = Mapping[str, Sequence[Mapping[str, Any]]]
State = Mapping[str, Mapping[str, str]]
#: Exchange, routing key and id of what was published.
Said = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A subscription, command or timer of a service, as the code declares it."""

    service: str
    kind: str
    #: The queue of a subscription, else the method.
    name: str

    def __str__(self) -> str:
        return self.name if self.name.startswith("q.") else f"{self.service}.{self.name}"


@dataclass(slots=True, kw_only=True)
class Scene:
    """What `actor` did once: before, cause, after."""

    actor: Actor
    at: datetime
    before: Snapshot
    message: Incoming | None = None
    request: Mapping[str, Any] | None = None
    answer: Any = None
    after: State = field(default_factory=dict)
    #: What the actor itself published, window by window.
    own: list[list[Said]] = field(default_factory=list)
    #: That, and what the service's timers had to add at once.
    windows: list[list[Said]] = field(default_factory=list)

    @property
    def said(self) -> set[Said]:
        """Everything that is published until the service has no more to do."""
        return {said for window in self.windows for said in window}

    @property
    def is_remembered(self) -> bool:
        """Whether the same cause would be known again; the journal has keys of its own for that."""
        if self.request is not None:
            return any(
                str(self.request["request_id"]) in key for key in self.after.get("commands", {})
            )
        if self.message is None or self.actor.service == "journal":
            return True
        message_id = str(self.message.properties["message_id"])
        return any(message_id in key for key in self.after.get("inbox", {}))

    @property
    def worth(self) -> int:
        """How much there is to see: the rows of its largest window."""
        return min(max(map(len, self.own), default=0), ENOUGH)


def actors() -> list[Actor]:
    """Every subscription, command and timer of every service, read from the code."""
    found = []
    for service in SERVICES:
        cls = service_class(service)
        found += [
            Actor(service=service, kind=SUBSCRIPTION, name=h.queue) for h in declared(cls, Handler)
        ]
        commands = [call for call in declared(cls, Call) if call.is_command]
        found += [Actor(service=service, kind=COMMAND, name=call.name) for call in commands]
        found += [Actor(service=service, kind=TIMER, name=t.name) for t in declared(cls, Timer)]
    return found


def snapshot(database: Any) -> Snapshot:
    """Every document of a database."""
    return {name: list(database[name].find()) for name in sorted(database.list_collection_names())}


def restore(database: Any, before: Snapshot) -> None:
    """Make the database what it was."""
    for name in {*database.list_collection_names(), *before}:
        database[name].delete_many({})
        if before.get(name):
            database[name].insert_many(before[name])


def state_of(found: Snapshot) -> State:
    """What of a snapshot two runs have in common; sealed bytes count by their length."""
    return {
        name: {str(document["_id"]): _text(name, document) for document in documents}
        for name, documents in found.items()
        if name not in _PRIVATE and documents
    }


def _text(collection: str, document: Mapping[str, Any]) -> str:
    passing = _WALL.get(collection, set())
    return repr({k: _comparable(v) for k, v in sorted(document.items()) if k not in passing})


def _comparable(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return {k: _comparable(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    return value


class _NotingOutbox(Outbox):
    """Tells all who listen what it is about to publish."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.documents.database, engine.publisher)
        self.listeners: list[list[list[Said]]] = []
        self.latest: dict[str, Any] = {}

    def publish(self, rows: Sequence[dict[str, Any]]) -> int:
        """As of any outbox."""
        self.latest = {**rows[-1]} if rows else self.latest
        for listener in self.listeners:
            listener.append([(row["exchange"], row["key"], row["_id"]) for row in rows])
        return super().publish(rows)

    @contextmanager
    def told_to(self, listener: list[list[Said]]) -> Iterator[None]:
        """What is published inside is added to `listener`."""
        self.listeners.append(listener)
        try:
            yield
        finally:
            self.listeners.pop()


class Recorder(Pump):
    """See the module. Messages are delivered one at a time and in order."""

    def __init__(
        self, settings: Settings, administration: BrokerAdministration, vhost: str, user: str
    ) -> None:
        self.scenes: dict[Actor, Scene] = {}
        self._looks: Counter[Actor] = Counter()
        self._outboxes: dict[str, _NotingOutbox] = {}
        super().__init__(settings, administration, vhost)
        self.caller = user

    def _build(self, name: str) -> Driven:
        driven = super()._build(name)
        driven.engine.outbox = self._outboxes[name] = _NotingOutbox(driven.engine)
        return driven

    def call(self, method: str, **document: Any) -> Any:
        """As of the pump; a command that succeeds is a scene."""
        service, _, name = method.partition(".")
        driven = self.used[service]
        if not driven.calls[name].is_command:
            return super().call(method, **document)
        actor = Actor(service=service, kind=COMMAND, name=name)
        with self._scene(driven, actor, request=document) as scene:
            with self._outboxes[service].told_to(scene.own):
                scene.answer = super().call(method, **document)
            driven.engine.outbox.sweep()
        return scene.answer

    def settle(self, seed: int | None = None, copies: int = 1) -> int:
        """Deliver until nothing is left; order and copies are not the story's affair."""
        handled, more = 0, True
        while more:
            waiting = [
                (d, h, raw) for d, h in self._subscriptions() for raw in self._fetch(h.queue)
            ]
            for driven, handler, raw in waiting:
                self._deliver(driven, handler, raw)
            handled, more = handled + len(waiting), bool(waiting)
        self._listen()
        return handled

    def tick(self) -> int:
        """Let every timer settle what is due, deliver what follows."""
        settled = sum(self._run_timers(driven) for driven in self.used.values())
        self.settle()
        return settled

    def park(self, body: bytes, message_id: str, headers: Mapping[str, Any]) -> None:
        """Put a message into `parking`, as somebody else could."""
        outgoing = Outgoing(
            id=message_id, exchange=PARKING, routing_key="", body=body, headers=headers
        )
        assert self._publisher.publish([outgoing])
        self.settle()

    def make_stuck(self, service: str) -> None:
        """Let the last row that a service published lie in its outbox as one the broker refused."""
        row = {**self._outboxes[service].latest, "stuck": True, "error": "no such exchange"}
        self.documents(service).raw("outbox").insert_one(row)

    def _deliver(self, driven: Driven, handler: Handler, raw: Incoming) -> None:
        actor = Actor(service=driven.engine.service, kind=SUBSCRIPTION, name=handler.queue)
        outbox = self._outboxes[actor.service]
        with self._scene(driven, actor, message=raw) as scene, outbox.told_to(scene.own):
            Intake(driven.engine, handler).handle(driven.instance, [raw])

    def _run_timers(self, driven: Driven) -> int:
        """Settle what is due in one service, and what becomes due by that; how much it was."""
        settled = 0
        outbox = self._outboxes[driven.engine.service]
        for timer in driven.timers:
            if timer.due(driven.engine.documents, driven.engine.clock.now(), LOOK):
                actor = Actor(service=driven.engine.service, kind=TIMER, name=timer.name)
                with self._scene(driven, actor) as scene:
                    with outbox.told_to(scene.own):
                        done = run_timer(driven.engine, timer, driven.instance)
                    settled += done and done + self._run_timers(driven)
        return settled

    @contextmanager
    def _scene(self, driven: Driven, actor: Actor, **cause: Any) -> Iterator[Scene]:
        """What happens inside is a scene; it ends when no timer of the service has more to do."""
        database = driven.engine.documents.database
        known = self.scenes.get(actor)
        looks = _LOOKS if known and known.worth else _PATIENT_LOOKS
        wanted = self._looks[actor] < looks and (known is None or known.worth < ENOUGH)
        self._looks[actor] += wanted
        before = snapshot(database) if wanted else {}
        scene = Scene(actor=actor, at=driven.clock.now(), before=before, **cause)
        with self._outboxes[actor.service].told_to(scene.windows):
            yield scene
            if wanted and actor.kind != TIMER:
                self._run_timers(driven)
        if not wanted:
            return
        scene.after = state_of(snapshot(database))
        if scene.after != state_of(before) and (known is None or scene.worth > known.worth):
            self.scenes[actor] = scene
