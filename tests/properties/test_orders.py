"""A person's orders: facts, notices, clocks and decisions in any order, never two open at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lianfang.errors import IllegalTransition
from lianfang.vocabulary import CauseKind, Measure, OrderState
from services.isolation.domain.orders import (
    OPEN,
    Order,
    Wanted,
    consumed,
    end,
    fall_due,
    serve,
    strictest,
)
from services.isolation.domain.reconcile import Moment, reconcile
from tests.unit.isolation.builders import DUE, NOW, reasons

SHOWN = {OrderState, Measure, CauseKind}
#: A word of the wire that nothing leads to yet; readers know it.
NOT_REACHED = {OrderState.OBSERVING}
wants = st.builds(
    lambda found, kind: Wanted(
        person_id="p",
        household_id="h",
        building="b",
        reasons=tuple(sorted(found, key=lambda r: r.key)),
        is_dead=kind == "dead",
        is_recovered=kind == "recovered",
    ),
    st.sets(reasons, max_size=4),
    st.sampled_from(["", "", "", "recovered", "dead"]),
)
notices = st.none() | st.integers(1, 4).map(lambda minutes: timedelta(minutes=minutes))
seals = st.sets(st.sampled_from(["seal1", "seal2"]))


class Orders(RuleBasedStateMachine):
    """All that may happen to one person."""

    reached: ClassVar[set[OrderState]] = set()
    measures: ClassVar[set[Measure]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, Order] = {}
        self.ended: dict[str, Order] = {}
        self.now = NOW

    @property
    def current(self) -> Order | None:
        return next((o for o in self.orders.values() if o.is_open), None)

    def take(self, order: Order) -> None:
        known = self.orders.get(order.order_id)
        assert order.revision == (known.revision + 1 if known else 1)
        self.orders[order.order_id] = order
        self.reached.add(order.state)
        self.measures.add(order.measure)
        if not order.is_open:
            refuses_everything(order)

    @rule(wanted=wants, noticed=notices, released=seals)
    def facts_change(self, wanted: Wanted, noticed: timedelta | None, released: set[str]) -> None:
        self.now += timedelta(minutes=2)
        if noticed is not None:
            wanted = replace(wanted, notice=(self.now - noticed, "x"))
        moment = Moment(now=self.now, today=DUE, released_seals=frozenset(released))
        for changed in reconcile(wanted, self.orders.values(), moment):
            self.take(changed.order)
        later = replace(moment, released_seals=frozenset())
        assert reconcile(wanted, self.orders.values(), later) == (), "heard again, nothing is new"
        settled = consumed(self.orders.values())
        left = [r for r in wanted.reasons if r.key not in settled or r.due_on > settled[r.key]]
        if self.current is not None:
            assert list(self.current.standing) == left
            assert self.current.measure == strictest(left)
            assert self.current.due_on == max(r.due_on for r in left)
        elif not wanted.is_dead:
            assert not left

    @precondition(lambda self: self.current)
    @rule()
    def the_notice_is_handed_over(self) -> None:
        before = self.current
        served = serve(before, self.now, "x", None, NOW)
        assert serve(served, NOW, "y", None, NOW) is served
        assert (served is before) == (before.state is not OrderState.ORDERED)
        if served is not before:
            self.take(served)

    @precondition(lambda self: self.current and self.current.state is not OrderState.RELEASE_DUE)
    @rule()
    def its_last_day_ends(self) -> None:
        self.take(fall_due(self.current, self.now))

    @precondition(lambda self: self.current)
    @rule()
    def somebody_releases_it(self) -> None:
        self.take(end(self.current, OrderState.RELEASED, self.now, "over", "x"))

    @invariant()
    def one_is_open_at_most(self) -> None:
        assert sum(o.state in OPEN for o in self.orders.values()) <= 1
        assert all(o.is_open == (o.state in OPEN) for o in self.orders.values())

    @invariant()
    def what_ended_never_changes_again(self) -> None:
        for order in self.orders.values():
            if not order.is_open:
                assert self.ended.setdefault(order.order_id, order) == order


def refuses_everything(order: Order) -> None:
    """The order ended: it binds nobody and can neither be served nor end again."""
    assert not order.standing
    with pytest.raises(IllegalTransition):
        serve(order, NOW, "x", None, NOW)
    with pytest.raises(IllegalTransition):
        end(order, OrderState.RELEASED, NOW, "over")


def test_a_person_has_one_open_order_at_most_and_it_is_what_the_facts_ask_for() -> None:
    Orders.reached, Orders.measures = set(), set()
    run_state_machine_as_test(Orders)
    assert Orders.reached == set(OrderState) - NOT_REACHED
    assert Orders.measures == set(Measure)
