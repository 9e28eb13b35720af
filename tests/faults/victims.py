"""Innocents of a dying service: the broker gives them up, the journal brings them back by itself.

A service is killed again and again with everything it prefetched, until the broker's delivery limit
parks the lot. A document that the batch has to write is held meanwhile, so that no life of the
service gets further than reading.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from benchmarks import forms
from lianfang.client import District
from lianfang.runtime.broker import close_quietly, open_connection
from lianfang.runtime.discovery import service_class
from lianfang.runtime.handlers import need_of
from lianfang.testing.district import INGEST, PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.processes import Child
from lianfang.testing.servers import Servers
from lianfang.topology import DELIVERY_LIMIT, Topology, render
from tests.faults.audited import audited
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.poison import register_places
from tests.faults.tap import Tap
from tests.system.processes import wait_for

_FIRST = 7_000_000
_QUEUE = "q.screening.declarations"
_SECONDS = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Messages prefetched, and deaths that the broker forgives."""

    declarations: int
    limit: int


_SIZES = {
    Scale.SHORT: Size(declarations=60, limit=3),
    Scale.LONG: Size(declarations=400, limit=DELIVERY_LIMIT),
}


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Kill until the broker gives up, start once more, count."""
    size = _SIZES[scale]
    district = PrivateDistrict(servers, "victims", INGEST)
    try:
        say("preparing a district")
        district.prepare()
        _limit_deliveries(servers, district.vhost, size.limit)
        with (
            district.running() as children,
            district.caller() as caller,
            _depths(district.amqp_uri) as depth,
            Tap(district.amqp_uri) as tap,
        ):
            register_places(caller, district.name)
            wait_until_idle(caller, INGEST)
            screening = children["screening"]
            screening.kill()
            persons, receipts = _declare(caller, district.name, size.declarations)
            wait_for(lambda: depth(_QUEUE) == size.declarations, _SECONDS)
            kills = _kill_until_given_up(district, screening, depth, persons[0], size, say)
            say("back to life")
            started = time.monotonic()
            screening.restart()
            broken = _wait_for_the_journal(district)
            took = time.monotonic() - started
            wait_until_idle(caller, INGEST)
            broken += [f"{name} died" for name, child in children.items() if not child.alive]
            broken += audited(district)
            return _outcome(district, tap, receipts, kills, took, broken)
    finally:
        district.erase()
        district.client.close()


def _limit_deliveries(servers: Servers, vhost: str, limit: int) -> None:
    """Give the subscriptions' own policy another limit; nothing else of it changes."""
    needs = [need_of(service_class(name)) for name in INGEST]
    rendered = render(needs, broker_major=servers.administration.broker_major())
    (policy,) = (policy for policy in rendered.policies if policy["name"] == "subscriptions")
    changed = {**policy, "definition": {**policy["definition"], "delivery-limit": limit}}
    only = Topology(exchanges=(), queues=(), bindings=(), policies=(changed,))
    servers.administration.apply(vhost, only, {})


@contextmanager
def _depths(amqp_uri: str) -> Iterator[Any]:
    """How many messages of a queue are with nobody."""
    connection = open_connection(f"{amqp_uri}?heartbeat=0", "depths")
    channel = connection.channel()
    try:
        yield lambda queue: channel.queue_declare(queue, passive=True).message_count
    finally:
        close_quietly(connection)


def _declare(caller: District, district: str, count: int) -> tuple[list[str], list[str]]:
    """Declare for so many; their persons and their receipts."""
    answers = [
        answer
        for batch in forms.calls(district, count, _FIRST)
        for answer in caller.command("declaration.submit_declarations", forms=batch)["declarations"]
    ]
    return [a["person_id"] for a in answers], [a["declaration_id"] for a in answers]


def _kill_until_given_up(
    district: PrivateDistrict,
    screening: Child,
    depth: Any,
    person: str,
    size: Size,
    say: Say,
) -> int:
    """Let the service prefetch everything and die, again and again; returns how often."""
    parked = district.database("journal").parked

    def given_up() -> int:
        return int(parked.count_documents({"origin": _QUEUE}))

    kills = 0
    while given_up() < size.declarations:
        kills += 1
        say(f"kill {kills}")
        with _held(district, person):
            screening.restart()
            wait_for(lambda: depth(_QUEUE) == 0, _SECONDS)
            screening.kill()
        wait_for(lambda: depth(_QUEUE) + given_up() >= size.declarations, _SECONDS)
        if kills > size.limit + 1:
            raise RuntimeError(f"the broker forgives more than {size.limit} deaths")
    return kills


@contextmanager
def _held(district: PrivateDistrict, person: str) -> Iterator[None]:
    """Nobody can write this person's dossier before the end of the block."""
    dossiers = district.database("screening").dossiers
    with district.client.start_session() as session:
        session.start_transaction()
        dossiers.insert_one({"_id": person}, session=session)
        try:
            yield
        finally:
            session.abort_transaction()


def _wait_for_the_journal(district: PrivateDistrict) -> list[str]:
    """Return when no victim is left; what was replayed together with others."""
    parked = district.database("journal").parked
    together = 0

    def all_replayed() -> bool:
        nonlocal together
        under_way = parked.count_documents({"state": "replaying"})
        together = max(together, under_way)
        return bool(under_way == 0 and parked.count_documents({"state": "parked"}) == 0)

    wait_for(all_replayed, _SECONDS)
    return [f"{together} victims were under way at once"] if together > 1 else []


def _outcome(
    district: PrivateDistrict,
    tap: Tap,
    receipts: list[str],
    kills: int,
    took: float,
    broken: list[str],
) -> Outcome:
    rows = list(district.database("journal").parked.find({}, {"sealed": 0}))
    ends = Counter(
        (row["reason"], row["state"], row["attempt"], row["replayed_by"]) for row in rows
    )
    expected = ("delivery_limit", "replayed", 1, "journal")
    broken += [f"{count} ended as {end}" for end, count in ends.items() if end != expected]
    if ends[expected] < len(receipts):
        broken.append(f"only {ends[expected]} of {len(receipts)} became victims")
    verdicts = _verdicts(tap)
    lost = [each for each in receipts if each not in verdicts]
    return Outcome(
        part="victims",
        faults=kills,
        acknowledged=len(receipts),
        lost=len(lost),
        duplicates_delivered=kills * len(receipts),
        duplicate_effects=sum(count - 1 for count in verdicts.values()),
        recovery_s=round(took, 1),
        broken=tuple(broken),
        figures={
            "kills": kills,
            "victims": len(rows),
            "victims_by_queue": dict(Counter(row["origin"] for row in rows)),
            "replayed_by_themselves": ends[expected],
            "verdicts_published": sum(verdicts.values()),
        },
    )


def _verdicts(tap: Tap) -> Counter[str]:
    published = [orjson.loads(message.body) for message in tap.take()]
    return Counter(
        each["data"]["declaration_id"]
        for each in published
        if each["type"] == "declaration.assessed"
    )
