"""The unit of work: the same messages, however often, in whatever order and through whatever fails.

Real transactions on the real database, two engines at once, real parking and a real outbox. What
fails is made to fail at the runtime's own crash points.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from lianfang.errors import Rejected, Unavailable
from lianfang.events import event_id
from lianfang.runtime import crashpoints
from lianfang.runtime.commands import answer
from lianfang.runtime.crashpoints import Point
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Handler
from lianfang.runtime.intake import Intake
from lianfang.topology import PARKING
from tests.component.runtime.probe import PLACE, SEEN, Seen
from tests.component.runtime.rig import ONE, Rig, discarded, raw_of, replayed
from tests.properties.walks import COSTLY

TRANSIENT = {"errorLabels": ["TransientTransactionError"]}
#: What may go wrong where; each is what the driver would raise there.
FAULTS: dict[str, tuple[Point, Callable[[], PyMongoError]]] = {
    "somebody_wrote_first": (Point.BEFORE_COMMIT, lambda: OperationFailure("conflict", 112)),
    "aborted": (Point.BEFORE_COMMIT, lambda: AutoReconnect("aborted", errors=TRANSIENT)),
    "lost_before_commit": (Point.BEFORE_COMMIT, lambda: AutoReconnect("no answer")),
    "lost_in_decision": (Point.IN_DECISION, lambda: AutoReconnect("gone", errors=TRANSIENT)),
    "committed_unheard": (Point.AFTER_COMMIT, lambda: AutoReconnect("no answer")),
    "published_and_not_removed": (Point.AFTER_PUBLISH, lambda: AutoReconnect("no answer")),
}
#: A message is wanted (`ok`), wrong (`no`), or wrong after it changed something (`late`).
KINDS = ("ok", "ok", "ok", "no", "late")


def handle(_service: Any, work: Any, event: Any) -> None:
    """Count the message, count all messages, and say that this one was counted."""
    if event.by == "no":
        raise Rejected("as asked")
    for key in (event.parked_id, event.origin):
        seen = work.get(SEEN, key)
        work.save(SEEN, replace(seen, times=seen.times + 1) if seen else Seen(key=key))
    work.publish(said(event.parked_id), place=PLACE)
    if event.by == "late":
        raise Rejected("after a change, as asked")


def said(key: str) -> Any:
    return discarded(f"said-{key}")


HANDLER = Handler(
    name="walk", method=handle, event_types=("message.replayed",), queue="q.journal.many", batch=50
)


@contextmanager
def failing(fault: str | None, times: int) -> Iterator[None]:
    """Let the next `times` who come to the fault's point meet it."""
    if fault is None:
        yield
        return
    point, error = FAULTS[fault]
    left, lock = iter(range(times)), threading.Lock()

    def fail() -> None:
        with lock:
            if next(left, None) is None:
                return
        raise error()

    crashpoints.arm("test", point, HANDLER.queue, fail)
    try:
        yield
    finally:
        crashpoints.disarm()


@dataclass(frozen=True)
class Delivery:
    """What arrives at each of two engines at once, and what goes wrong meanwhile."""

    batches: tuple[list[int], list[int]]
    fault: str | None
    times: int


batches = st.lists(st.integers(0, 4), max_size=6)
deliveries = st.builds(
    Delivery,
    st.tuples(batches, batches),
    st.none() | st.sampled_from(sorted(FAULTS)),
    st.integers(1, 3),
)


@dataclass
class Town:
    """One example's messages in the shared database: their keys are nobody else's."""

    rig: Rig
    engines: tuple[Engine, Engine]
    name: str
    kinds: list[str]
    delivered: set[int] = field(default_factory=set)

    def key(self, n: int) -> str:
        return f"{self.name}-{n}"

    def event(self, n: int) -> Any:
        return replace(replayed(self.key(n), self.kinds[n]), origin=f"{self.name}-all")

    def deliver(self, delivery: Delivery) -> None:
        with failing(delivery.fault, delivery.times), ThreadPoolExecutor(2) as both:
            list(both.map(self.take, self.engines, delivery.batches))
        for batch in delivery.batches:
            self.delivered.update(batch)

    def take(self, engine: Engine, batch: list[int]) -> None:
        """As a subscription does: held and tried again until it is through."""
        raw = [raw_of(self.event(n), tag) for tag, n in enumerate(batch, 1)]
        while raw:
            try:
                Intake(engine, HANDLER).handle(None, raw)
            except Unavailable:
                continue
            return

    @property
    def wanted(self) -> set[int]:
        return {n for n in self.delivered if self.kinds[n] == "ok"}

    def sweep(self) -> None:
        rows = self.rig.database.outbox
        rows.update_many({}, [{"$set": {"claimed_until": "$at"}}])
        self.engines[0].outbox.sweep()
        assert rows.count_documents({}) == 0

    def check(self) -> None:
        mine = {"$regex": f"^{self.name}-"}
        seen = {row["_id"]: row["times"] for row in self.rig.database.seen.find({"_id": mine})}
        total = seen.pop(f"{self.name}-all", 0)
        assert seen == dict.fromkeys(map(self.key, self.wanted), 1)
        assert total == len(self.wanted)
        handled = {row["_id"]["id"] for row in self.rig.database.inbox.find()}
        ids = {n: event_id(self.event(n)) for n in range(len(self.kinds))}
        assert {n for n, key in ids.items() if key in handled} == self.wanted
        heard = [raw.properties["message_id"] for raw in self.rig.take(ONE)]
        assert set(heard) == {event_id(said(self.key(n))) for n in self.wanted}
        parked = {raw.headers["x-message-id"] for raw in self.rig.take(PARKING)}
        assert parked == {ids[n] for n in self.delivered - self.wanted}


def test_any_deliveries_of_the_same_messages_have_each_effect_once(
    rig: Rig, replicas: tuple[Engine, Engine]
) -> None:
    names = count()

    @COSTLY
    @given(
        st.lists(st.sampled_from(KINDS), min_size=5, max_size=5),
        st.lists(deliveries, min_size=1, max_size=4),
    )
    def holds(kinds: list[str], happening: list[Delivery]) -> None:
        town = Town(rig, replicas, f"x{next(names)}", kinds)
        for delivery in happening:
            town.deliver(delivery)
        town.sweep()
        town.check()

    holds()


def test_any_repetition_of_the_same_commands_has_each_effect_once(
    rig: Rig, replicas: tuple[Engine, Engine]
) -> None:
    names = count()
    call = rig.calls["add"]

    @COSTLY
    @given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4))
    def holds(pairs: list[tuple[int, int]]) -> None:
        name = f"y{next(names)}"

        def ask(engine: Engine, n: int) -> dict[str, Any]:
            document = {"key": f"{name}-{n}", "note": "x", "request_id": f"{name}-{n}"}
            return answer(engine, call, rig.probe, document, "caller")

        answers: dict[int, list[dict[str, Any]]] = {}
        for pair in pairs:
            with ThreadPoolExecutor(2) as both:
                for n, reply in zip(pair, both.map(ask, replicas, pair), strict=True):
                    answers.setdefault(n, []).append(reply)
        for n, replies in answers.items():
            assert all(reply == replies[0] for reply in replies)
            assert rig.seen(f"{name}-{n}").times == 1
        heard = {raw.properties["message_id"] for raw in rig.take(ONE)}
        assert heard == {event_id(said(f"{name}-{n}")) for n in answers}

    holds()
