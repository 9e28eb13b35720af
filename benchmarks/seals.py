"""Seals: from the call of `confirm_case` to the last order, task and round in the databases.

An event is published after its commit, so a queue of our own that hears everything tells when the
last one was durable; rounds say nothing when they are opened and are counted in their collection.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median, quantiles
from typing import Any

import orjson

from benchmarks import bare
from benchmarks.town import HOUSEHOLDS, RESIDENTS, Town
from lianfang.client import District
from lianfang.runtime.broker import open_connection
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.pace import morning, set_clock, wait_until_idle
from lianfang.topology import EVENTS

#: Two automatic seals lie this far apart on the districts' clock, so that no brake holds them.
APART = timedelta(minutes=65)
#: Silence after which the services are asked whether the cascade is over.
_QUIET_SECONDS = 1.0
_DEADLINE = 60.0
_LOOK_EVERY = 0.01


@dataclass(slots=True)
class Sealed:
    """Every seal's figures, and the documents that the first one added."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def measure(
    district: PrivateDistrict, caller: District, town: Town, n: int, step: Callable[[str], None]
) -> Sealed:
    """Confirm one case in each of `n` buildings, one after the other."""
    sealed = Sealed()
    for building in range(n):
        step(f"seal {building + 1}/{n}")
        set_clock(caller, morning() + (building + 1) * APART)
        wait_until_idle(caller)
        before = bare.known(district) if building == 0 else {}
        sealed.runs.append(_seal(district, caller, town.building(building)))
        if building == 0:
            sealed.documents = bare.added(district, before)
    return sealed


def _seal(district: PrivateDistrict, caller: District, building: str) -> dict[str, Any]:
    page = caller.query("declaration.find_residents", place=building, limit=1)
    person = page["residents"][0]["person_id"]
    with _Tap(district.amqp_uri) as tap, _Counts(district) as counts:
        started = time.monotonic()
        case = caller.command(
            "screening.confirm_case",
            person_id=person,
            classification="confirmed",
            basis="positive by RT-PCR, twice",
            decided_by="Dr Invented",
            custody="at_home",
        )
        answered = time.monotonic()
        tap.wait_until_quiet()
        wait_until_idle(caller)
        said_at, said = tap.of_case(case["case_id"])
    return {
        "building": building,
        "milliseconds": round((max(said_at, counts.last_at) - started) * 1000, 1),
        "answered_ms": round((answered - started) * 1000, 1),
        "events_ms": round((said_at - started) * 1000, 1),
        "documents_ms": round((counts.last_at - started) * 1000, 1),
        "events": said,
        **_check(caller, building),
    }


def _check(caller: District, building: str) -> dict[str, Any]:
    """What the seal is made of.

    Raises:
        RuntimeError: somebody has no order, or nothing was opened.
    """
    seal = caller.query("isolation.get_seal", building=building)
    orders = caller.query("isolation.count_orders", seal_id=seal["seal_id"])
    rounds = caller.query("dispatch.find_rounds", seal_id=seal["seal_id"], limit=100)["rounds"]
    planned = max((each["planned"] for each in rounds), default=0)
    found = {
        "seal_id": seal["seal_id"],
        "orders": orders["open"],
        "households": seal["households"],
        "rounds": len(rounds),
        "planned": planned,
    }
    if orders["open"] != RESIDENTS or seal["households"] != HOUSEHOLDS or not rounds:
        raise RuntimeError(f"the seal of {building} is incomplete: {found}")
    return found


class _Tap:
    """Hears every event of the district on a queue of its own."""

    def __init__(self, amqp_uri: str) -> None:
        self._uri = amqp_uri
        self._heard: list[tuple[float, bytes]] = []
        self._stop = threading.Event()

    def __enter__(self) -> _Tap:
        self._connection = open_connection(self._uri, "benchmarks tap")
        channel = self._connection.channel()
        channel.auto_decode = False
        queue = channel.queue_declare("", exclusive=True, durable=False, auto_delete=True).queue
        channel.queue_bind(queue, EVENTS, "#")
        channel.basic_consume(queue, no_ack=True, callback=self._hear)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        return self

    def _hear(self, message: Any) -> None:
        self._heard.append((time.monotonic(), message.body))

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._connection.drain_events(timeout=0.2)
            except TimeoutError:
                continue

    def wait_until_quiet(self) -> None:
        """Return when nothing was heard for a while.

        Raises:
            RuntimeError: there is no end to it.
        """
        deadline = time.monotonic() + _DEADLINE
        while not self._heard or time.monotonic() - self._heard[-1][0] < _QUIET_SECONDS:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{len(self._heard)} events and still no end")
            time.sleep(_LOOK_EVERY)

    def of_case(self, case_id: str) -> tuple[float, dict[str, int]]:
        """When the last event that belongs to a case was heard, and how many of each type."""
        envelopes = [(at, orjson.loads(body)) for at, body in list(self._heard)]
        ours = [(at, e["type"]) for at, e in envelopes if e["correlationid"] == case_id]
        return max(at for at, _ in ours), dict(Counter(kind for _, kind in ours))

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._connection.close()


class _Counts:
    """Watches the collections that the cascade ends in; knows when one last grew."""

    def __init__(self, district: PrivateDistrict) -> None:
        isolation, dispatch = district.database("isolation"), district.database("dispatch")
        self._watched = (isolation.orders, dispatch.tasks, dispatch.rounds)
        self._stop = threading.Event()
        self.last_at = 0.0

    def __enter__(self) -> _Counts:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._seen = self._count()
        self._thread.start()
        return self

    def _count(self) -> list[int]:
        return [each.estimated_document_count() for each in self._watched]

    def _look(self) -> None:
        while not self._stop.wait(_LOOK_EVERY * 2):
            found = self._count()
            if found != self._seen:
                self._seen, self.last_at = found, time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def median_and_p95(runs: list[dict[str, Any]]) -> tuple[float, float]:
    """The middle and the slow end of all seals, in milliseconds."""
    took = [run["milliseconds"] for run in runs]
    return median(took), quantiles(took, n=20, method="inclusive")[-1]
