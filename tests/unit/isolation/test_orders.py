"""One open order per person, with all its reasons, in whatever order the facts come."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lianfang.vocabulary import CauseKind, Measure, OrderState
from services.isolation.domain.announce import in_chunks
from services.isolation.domain.orders import OPEN, Order, Reason, Wanted, strictest
from services.isolation.domain.reconcile import Moment, reconcile
from tests.unit.isolation.builders import DUE, MEASURES, NOW, reasons

MOMENT = Moment(now=NOW, today=date(2020, 2, 3))
sets = st.sets(reasons, max_size=5).map(lambda s: tuple(sorted(s, key=lambda r: r.key)))


def wanting(*found: Reason) -> Wanted:
    ordered = tuple(sorted(found, key=lambda r: r.key))
    return Wanted(person_id="p", household_id="h", building="b", reasons=ordered)


def apply(orders: dict[str, Order], wanted: Wanted) -> None:
    for changed in reconcile(wanted, orders.values(), MOMENT):
        orders[changed.order.order_id] = changed.order


@given(st.lists(sets, max_size=6))
def test_there_is_never_more_than_one_open_order_and_it_is_what_is_wanted(
    history: list[tuple[Reason, ...]],
) -> None:
    orders: dict[str, Order] = {}
    for wanted in history:
        apply(orders, wanting(*wanted))
        open_ones = [o for o in orders.values() if o.state in OPEN]
        assert len(open_ones) == bool(wanted)
        for order in open_ones:
            assert order.standing == wanted
            assert order.measure == strictest(wanted)
            assert order.due_on == max(r.due_on for r in wanted)
        assert reconcile(wanting(*wanted), orders.values(), MOMENT) == ()


@given(
    st.permutations(
        [
            r
            for kind in (CauseKind.SEAL, CauseKind.CONTACT, CauseKind.ASSESSMENT)
            for r in [Reason(kind=kind, id=kind, due_on=DUE, measure=MEASURES[kind])]
        ]
    )
)
def test_an_ended_order_does_not_show_which_reason_went_last(gone: list[Reason]) -> None:
    orders: dict[str, Order] = {}
    apply(orders, wanting(*gone))
    for n in range(1, len(gone) + 1):
        apply(orders, wanting(*gone[n:]))
    (order,) = orders.values()
    assert (order.state, order.measure) == (OrderState.WITHDRAWN, Measure.FACILITY)
    assert [r.kind for r in order.reasons] == ["assessment", "contact", "seal"]
    assert not any(r.stands for r in order.reasons)


def test_who_becomes_a_case_is_superseded_and_isolated() -> None:
    seal = Reason(kind=CauseKind.SEAL, id="s", due_on=DUE, measure=Measure.SEALED)
    case = Reason(kind=CauseKind.CASE, id="c", due_on=DUE, measure=Measure.ISOLATION)
    orders: dict[str, Order] = {}
    apply(orders, wanting(seal))
    apply(orders, wanting(seal, case))
    states = {o.measure: o.state for o in orders.values()}
    assert states == {"sealed": "superseded", "isolation": "ordered"}
    apply(orders, wanting(seal))
    assert sorted(o.state for o in orders.values()) == ["ordered", "superseded", "withdrawn"]


@given(st.lists(st.integers(1, 9), max_size=60), st.integers(9, 40))
def test_no_chunk_is_too_large_and_no_household_spans_two(sizes: list[int], size: int) -> None:
    items = [(f"h{n}", m) for n, many in enumerate(sizes) for m in range(many)]
    chunks = list(in_chunks(items, lambda item: item[0], size))
    assert sorted(item for chunk in chunks for item in chunk) == sorted(items)
    assert all(len(chunk) <= size for chunk in chunks)
    homes = [{household for household, _ in chunk} for chunk in chunks]
    assert sum(len(h) for h in homes) == len(sizes)
