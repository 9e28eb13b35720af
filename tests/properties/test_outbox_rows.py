"""Rows of an outbox: committed, claimed, published, stuck and let go by replicas that crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from pymongo.errors import AutoReconnect

from lianfang.events import event_id
from lianfang.runtime import crashpoints
from lianfang.runtime.crashpoints import Point, at_work
from lianfang.runtime.engine import Engine
from lianfang.runtime.stuck import find_stuck, release
from tests.component.runtime.probe import PLACE
from tests.component.runtime.rig import ONE, Rig, discarded
from tests.properties.walks import COSTLY

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NO_SUCH, EVENTS = "no-such", "events"


class Rows(RuleBasedStateMachine):
    """What may happen to the rows of one service; each run gets rig and replicas by subclass."""

    rig: Rig
    replicas: tuple[Engine, Engine]

    def __init__(self) -> None:
        super().__init__()
        self.rig.reset()
        self.rows = self.rig.database.outbox
        self.n = 0
        self.good: set[str] = set()
        self.bad: set[str] = set()
        self.heard: list[str] = []
        self.spoilt = False

    # -- what happens ----------------------------------------------------------------------

    @rule(many=st.integers(1, 3), wrong=st.booleans())
    def commit(self, many: int, wrong: bool) -> None:
        """A process commits rows and is gone; one may name an exchange that does not exist."""
        said = [discarded(f"k{self.n + k}") for k in range(many)]
        self.n += many

        def decide(work: Any) -> None:
            for event in said:
                work.publish(event, place=PLACE)

        self.replicas[0].run(decide)
        ids = [event_id(event) for event in said]
        if wrong:
            self.rows.update_one({"_id": ids[0]}, {"$set": {"exchange": NO_SUCH}})
            self.bad.add(ids.pop(0))
            self.spoilt = True
        self.good.update(ids)

    @rule()
    def claims_run_out(self) -> None:
        self.rows.update_many({}, {"$set": {"claimed_until": LONG_AGO}})

    @rule(which=st.integers(0, 1))
    def sweep(self, which: int) -> None:
        before = self.waiting()
        gone = self.replicas[which].outbox.sweep()
        assert gone == before - self.waiting()
        self.listen()

    @rule()
    def both_sweep(self) -> None:
        before = self.waiting()
        with ThreadPoolExecutor(2) as pool:
            gone = sum(pool.map(lambda engine: engine.outbox.sweep(), self.replicas))
        assert gone == before - self.waiting(), "no row was published by both"
        self.listen()

    @rule(point=st.sampled_from([Point.AFTER_PUBLISH, Point.AFTER_REMOVAL]))
    def sweep_and_die(self, point: Point) -> None:
        def die() -> None:
            self.spoilt = True
            raise AutoReconnect("the process is gone")

        crashpoints.arm("test", point, "sweeper", die)
        try:
            with at_work("sweeper"):
                self.replicas[0].outbox.sweep()
        except AutoReconnect:
            pass
        finally:
            crashpoints.disarm()
        self.listen()

    @rule(mended=st.booleans())
    def an_operator_lets_go(self, mended: bool) -> None:
        stuck = {row["row_id"] for row in find_stuck(self.replicas[0].documents, 50)["rows"]}
        assert stuck <= self.bad
        if mended:
            self.rows.update_many({"exchange": NO_SUCH}, {"$set": {"exchange": EVENTS}})
            self.good |= self.bad
            self.bad = set()
        released, _ = self.replicas[0].run(lambda work: release(work, None))
        assert set(released["row_ids"]) == stuck

    # -- what has to hold ------------------------------------------------------------------

    def waiting(self) -> int:
        return int(self.rows.count_documents({}))

    def listen(self) -> None:
        """A row leaves when, and only when, its message has arrived."""
        self.heard += [raw.properties["message_id"] for raw in self.rig.take(ONE)]
        left = {row["_id"] for row in self.rows.find({}, {"_id": 1})}
        assert self.bad <= left
        assert (self.good - left) <= set(self.heard)
        assert set(self.heard) <= self.good
        again = len(self.heard) - len(set(self.heard))
        assert again == 0 or self.spoilt, "only a crash or a closed channel says it again"

    def teardown(self) -> None:
        self.claims_run_out()
        for engine in self.replicas:
            engine.outbox.sweep()
            self.claims_run_out()
        self.listen()
        left = list(self.rows.find())
        assert {row["_id"] for row in left} == self.bad
        assert all(row["stuck"] for row in left)
        assert set(self.heard) == self.good


def test_a_row_leaves_exactly_when_its_message_has_arrived(
    rig: Rig, replicas: tuple[Engine, Engine]
) -> None:
    machine = type("Machine", (Rows,), {"rig": rig, "replicas": replicas})
    run_state_machine_as_test(machine, settings=COSTLY)
