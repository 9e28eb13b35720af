"""A storm of duplicates: every event of a played cascade comes three times, in any order.

A shadow publisher hears what is said and says it twice more, shuffled, half of it when all else is
over. The town must end as it does when everything comes once.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import amqp

from lianfang.runtime.discovery import service_class
from lianfang.runtime.handlers import need_of
from lianfang.testing.district import SERVICES, PrivateDistrict
from lianfang.testing.servers import Servers
from lianfang.topology import EVENTS
from tests.faults.audited import audited
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.rogue import Rogue
from tests.faults.tap import Tap
from tests.system.digest import SERVICES as STATEFUL
from tests.system.digest import difference, state_of
from tests.system.processes import ProcessStage, running
from tests.system.town import Town

COPIES = 2
_MARK = "copy"
_PAUSE = 0.02
State = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Households of the sealed building, and storms."""

    households: int
    storms: int


_SIZES = {Scale.SHORT: Size(households=6, storms=1), Scale.LONG: Size(households=60, storms=5)}


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Play once in peace and then in storms; compare the ends."""
    size = _SIZES[scale]
    say("preparing a district")
    district = PrivateDistrict(servers, "duplicates")
    with running(district) as stage:
        say("playing in peace")
        peace, commands = play(stage, size)
        result = _Result(acknowledged=commands)
        for n in range(size.storms):
            say(f"storm {n + 1} of {size.storms}")
            with Shadow(stage.amqp_uri, seed + n) as shadow:
                storm, _ = play(stage, size, shadow)
            result.add(peace, storm, shadow)
            result.broken += audited(district)
            parked = stage.databases()["journal"].parked.count_documents({})
            if parked:
                result.broken.append(f"{parked} copies were parked")
        return result.outcome()


# -- the shadow -----------------------------------------------------------------------------------


class Shadow:
    """Says again what it hears, in its own time, until it has said everything."""

    def __init__(self, amqp_uri: str, seed: int) -> None:
        """`amqp_uri` is an administrator's: every service may say its own events only."""
        self._chance = random.Random(seed)
        self._tap, self._rogue = Tap(amqp_uri), Rogue(f"{amqp_uri}?heartbeat=0")
        #: What is to be said soon, and what only when all else is over.
        self._soon: list[tuple[str, Any]] = []
        self._late: list[tuple[str, Any]] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._haunt, daemon=True)
        self.copies: Counter[str] = Counter()
        #: How often the services themselves said each event.
        self.heard: Counter[str] = Counter()

    def __enter__(self) -> Shadow:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._tap.__exit__(None, None, None)
        self._rogue.__exit__(None, None, None)

    def _haunt(self) -> None:
        while not self._ending.wait(_PAUSE):
            self._listen()
            self._chance.shuffle(self._soon)
            count = self._chance.randint(0, len(self._soon))
            spoken, self._soon = self._soon[:count], self._soon[count:]
            self._speak(spoken)

    def finish(self) -> int:
        """Say all that is left; returns how much that was. Nobody else may be at it any more."""
        self._ending.set()
        self._thread.join()
        self._listen()
        left, self._soon, self._late = [*self._soon, *self._late], [], []
        self._chance.shuffle(left)
        self._speak(left)
        return len(left)

    def _listen(self) -> None:
        for message in self._tap.take():
            if _MARK not in (message.properties.get("application_headers") or {}):
                self.heard[message.properties["message_id"]] += 1
                for _ in range(COPIES):
                    pool = self._chance.choice((self._soon, self._late))
                    pool.append((message.delivery_info["routing_key"], message))

    def _speak(self, spoken: list[tuple[str, Any]]) -> None:
        for key, message in spoken:
            properties = dict(message.properties)
            headers = {**properties.pop("application_headers", {}), _MARK: 1}
            copy = amqp.Message(message.body, application_headers=headers, **properties)
            self._rogue.put(key, copy, EVENTS)
            self.copies[".".join(key.split(".")[:2])] += 1

    @property
    def delivered(self) -> int:
        """How many messages the copies became: one for each queue that is bound to their type."""
        needs = [sub for name in SERVICES for sub in need_of(service_class(name)).subscriptions]
        return sum(
            count * sum(kind in sub.event_types or "#" in sub.event_types for sub in needs)
            for kind, count in self.copies.items()
        )


# -- the story ------------------------------------------------------------------------------------


def play(stage: ProcessStage, size: Size, shadow: Shadow | None = None) -> tuple[State, int]:
    """A building with two cases, a contact elsewhere, and a third case that turns out to be none.

    Returns the state of all services and how many commands were answered.
    """
    stage.reset()
    stage.hasty = True
    town = Town(stage)
    enclosure = town.enclosure("e01")
    first = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
    second = town.building(f"{enclosure}.b02")
    persons = [
        person for n in range(size.households) for person in town.household(first, f"r{n:04d}")
    ]
    others = town.household(second, "r0101", size=3)
    stage.wait()
    case_id = town.confirm(persons[0])
    desk = {
        "person_id": others[1],
        "category": "close",
        "kind": "workplace",
        "first_exposure_on": "2020-02-01",
        "last_exposure_on": "2020-02-02",
        "basis": "shared desk",
    }
    town.do("screening.record_contacts", case_id=case_id, contacts=[desk])
    town.confirm(persons[2])
    discarded = town.confirm(others[0])
    stage.wait()
    town.discard(discarded)
    stage.wait()
    while shadow is not None and shadow.finish():
        stage.wait()
    databases = stage.databases()
    return state_of({name: databases[name] for name in STATEFUL}, times=False), town._requests


@dataclass(slots=True)
class _Result:
    """What all storms together did."""

    acknowledged: int
    copies: int = 0
    delivered: int = 0
    missing: int = 0
    added: int = 0
    said_again: int = 0
    documents: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, peace: State, storm: State, shadow: Shadow) -> None:
        """One storm and its end."""
        self.copies += shadow.copies.total()
        self.delivered += shadow.delivered
        before = {(name, key) for name, rows in peace.items() for key in rows}
        after = {(name, key) for name, rows in storm.items() for key in rows}
        self.documents = len(before)
        self.missing += len(before - after)
        self.said_again += sum(times - 1 for times in shadow.heard.values())
        self.added += len(after - before)
        if peace != storm:
            self.broken.append(f"the storm left another town: {difference(peace, storm)}")
        if not shadow.copies:
            self.broken.append("nothing was said twice")

    def outcome(self) -> Outcome:
        """As figures."""
        return Outcome(
            part="duplicates",
            faults=self.copies,
            acknowledged=self.acknowledged,
            lost=self.missing,
            duplicates_delivered=self.delivered,
            duplicate_effects=self.added + self.said_again,
            broken=tuple(self.broken),
            figures={
                "copies": self.copies,
                "documents": self.documents,
                "events_said_again": self.said_again,
            },
        )
