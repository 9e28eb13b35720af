"""Rounds follow their households, in steps or at once, and complete with the last stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.vocabulary import Measure, Need, OrderState
from services.dispatch.domain.households import Household, home_scope
from services.dispatch.domain.rounds import (
    Door,
    Round,
    RoundState,
    Scope,
    ScopeKind,
    day_after,
    finished,
    leave_over,
    open_rounds,
    replan,
    round_ids,
)
from tests.unit.dispatch.builders import BUILDING, NOW, RULES, SEAL, TODAY, household, order


def opened(scope: Scope = SEAL, days: int = 0, hours: int = 0) -> list[Round]:
    now = NOW + timedelta(days=days, hours=hours)
    day = TODAY + timedelta(days=days)
    return open_rounds(scope, RULES, now, day, opened_by="e")


def planned(round_: Round, *homes: Household, scope: Scope = SEAL) -> Round:
    return replan(round_, scope, [Door.of(home, scope) for home in homes], RULES, NOW)


def home(household_id: str, **facts: object) -> Household:
    return household(order(household_id, **facts), household_id=household_id)


HEAD_COUNT = opened()[0]


def test_a_day_has_the_rounds_of_its_number() -> None:
    first = [(r.kind, r.slot) for r in opened()]
    assert first == [
        ("head_count", "all"),
        ("meal", "lunch"),
        ("meal", "dinner"),
        ("medicine", "day"),
        ("sampling", "day"),
    ]
    assert "sampling" not in {r.kind for r in opened(days=1)}
    assert "sampling" in {r.kind for r in opened(days=12)}


def test_a_round_held_once_is_the_same_on_every_day() -> None:
    same = set(round_ids(SEAL, RULES, TODAY)) & set(
        round_ids(SEAL, RULES, TODAY + timedelta(days=1))
    )
    assert same == {HEAD_COUNT.round_id}


def test_slots_that_are_over_are_not_opened() -> None:
    assert [r.slot for r in opened(hours=6) if r.kind == "meal"] == ["dinner"]


def test_only_households_with_the_need_are_planned() -> None:
    medicine = next(r for r in opened() if r.kind == "medicine")
    ill = home("h2", needs=(Need.CHRONIC_MEDICINE,))
    assert planned(medicine, home("h1"), ill).planned == ("h2",)


@pytest.mark.parametrize(
    "facts",
    [
        {"state": OrderState.WITHDRAWN},
        {"at_home": False},
        {"seal_id": "another"},
        {"seal_id": None},
    ],
)
def test_a_household_without_anybody_at_home_here_is_not_planned(facts: dict[str, object]) -> None:
    assert planned(HEAD_COUNT, home("h1", **facts)).planned == ()


def test_a_round_is_open_while_a_door_is_left_and_complete_after_the_last() -> None:
    two = planned(HEAD_COUNT, home("h1"), home("h2"))
    assert two.state == RoundState.OPEN
    assert finished(two, frozenset({"h1"})) is two
    done = finished(two, frozenset({"h1", "h2"}))
    assert done.state == RoundState.COMPLETED
    assert planned(done, home("h3")).state == RoundState.OPEN


def test_when_everybody_left_it_is_cancelled_or_stays_complete() -> None:
    gone = home("h1", state=OrderState.WITHDRAWN)
    one = planned(HEAD_COUNT, home("h1"))
    assert planned(one, gone).state == RoundState.CANCELLED
    assert planned(finished(one, frozenset({"h1"})), gone).state == RoundState.COMPLETED


def test_an_ended_scope_plans_nobody() -> None:
    ended = replace(SEAL, active=False)
    one = planned(HEAD_COUNT, home("h1"))
    assert planned(one, home("h1"), scope=ended).state == RoundState.CANCELLED


def test_a_round_that_is_over_follows_nobody_any_more() -> None:
    lunch = planned(next(r for r in opened() if r.slot == "lunch"), home("h1"))
    late = replan(lunch, SEAL, [Door.of(home("h2"), SEAL)], RULES, NOW + timedelta(hours=6))
    assert late is lunch
    assert leave_over(lunch).state == RoundState.OVER


def test_days_that_nobody_opened_are_gaps() -> None:
    first = day_after(SEAL, TODAY)
    assert (first.opened_on, first.gaps) == (TODAY, ())
    late = day_after(first, TODAY + timedelta(days=3))
    assert late.gaps == (TODAY + timedelta(days=1), TODAY + timedelta(days=2))


def test_home_quarantine_is_sampled_on_its_own_day_or_when_everybody_is() -> None:
    scope = Scope(scope_id=home_scope(BUILDING), kind=ScopeKind.HOME, place=BUILDING)
    door = home("h1", measure=Measure.HOME, seal_id=None)
    tested = []
    for days in range(11):
        sampling = next(r for r in opened(scope, days=days) if r.kind == "sampling")
        if planned(sampling, door, scope=scope).planned:
            tested.append(days)
    assert tested == [0, 9]


VARIANTS = [
    home(f"h{n}", state=state, needs=needs)
    for n in range(4)
    for state in (OrderState.ORDERED, OrderState.WITHDRAWN)
    for needs in ((), (Need.CHRONIC_MEDICINE,))
]


@given(st.lists(st.sampled_from(VARIANTS), max_size=12))
def test_following_step_by_step_equals_planning_at_once(steps: list[Household]) -> None:
    for round_ in opened():
        followed = round_
        for step in steps:
            followed = planned(followed, step)
        last = {door.household_id: door for door in steps}
        at_once = planned(round_, *last.values())
        assert (followed.planned, followed.state) == (at_once.planned, at_once.state)
