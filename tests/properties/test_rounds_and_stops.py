"""Rounds and stops: doors that join and leave, records and corrections, in any order and again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import Conflict, IllegalTransition
from lianfang.events.dispatch import StopPerson
from lianfang.vocabulary import Finding, OrderState, StopOutcome
from services.dispatch.domain.rounds import (
    Door,
    Round,
    RoundState,
    ScopeKind,
    finished,
    leave_over,
    open_rounds,
    replan,
)
from services.dispatch.domain.stops import Entry, Stop, record
from tests.properties.walks import SAME, deliveries, paths, walk
from tests.unit.dispatch.builders import BUILDING, NOW, RULES, SEAL, TODAY, household, order

SHOWN = {RoundState, StopOutcome, ScopeKind}
LUNCH: Round = next(
    r for r in open_rounds(SEAL, RULES, NOW, TODAY, opened_by="e") if r.slot == "lunch"
)
HOMES = ("h1", "h2", "h3")


def door(home: str, *, at_home: bool) -> Door:
    state = OrderState.ORDERED if at_home else OrderState.WITHDRAWN
    return Door.of(household(order(home, state=state), household_id=home), SEAL)


# -- rounds -----------------------------------------------------------------------------------

happenings = st.sampled_from(
    [(what, home) for home in HOMES for what in ("joins", "leaves", "recorded", "recorded")]
    + [("seal_ends", "")]
)


def shown(round_: Round) -> tuple[object, ...]:
    """What of a round is always a revision; that somebody has to count its stops is none."""
    return round_.planned, round_.covered, round_.state


def test_a_round_is_what_its_doors_and_records_make_it() -> None:
    reached = set()

    @given(st.lists(happenings, min_size=6, max_size=20))
    def follows(path: list[tuple[str, str]]) -> None:
        round_, scope, recorded, planned = LUNCH, SEAL, set(), set()
        for what, home in path:
            before = round_
            if what == "recorded":
                recorded |= {home} & planned
                round_ = finished(round_, frozenset(recorded))
                assert finished(round_, frozenset(recorded)) is round_
            else:
                scope = replace(scope, active=scope.active and what != "seal_ends")
                planned = {*planned, home} if what == "joins" else planned - {home}
                doors = [door(home, at_home=what == "joins")] if home else []
                round_ = replan(round_, scope, doors, RULES, NOW)
                planned = planned if scope.active else set()
                assert replan(round_, scope, doors, RULES, NOW) is round_
            if shown(round_) != shown(before):
                assert round_.revision == before.revision + 1
            assert set(round_.planned) == planned
            if round_.state is RoundState.COMPLETED:
                assert planned <= set(round_.covered)
            else:
                assert round_.state is (RoundState.OPEN if planned else RoundState.CANCELLED)
            reached.add(round_.state)
        if round_.state is RoundState.OPEN:
            reached.add(leave_over(round_).state)

    follows()
    assert reached == set(RoundState)


@given(
    deliveries(
        st.lists(
            st.builds(door, st.sampled_from(HOMES), at_home=st.booleans()),
            unique_by=lambda d: d.household_id,
        )
    )
)
def test_the_order_of_different_doors_leaves_no_trace(sent: tuple[list[Door], list[Door]]) -> None:
    at_once, one_by_one = LUNCH, LUNCH
    at_once = replan(at_once, SEAL, sent[0], RULES, NOW)
    for each in sent[1]:
        one_by_one = replan(one_by_one, SEAL, [each], RULES, NOW)
    assert (at_once.planned, at_once.state) == (one_by_one.planned, one_by_one.state)


# -- stops ------------------------------------------------------------------------------------

MISSED, PARTLY, DONE = StopOutcome.MISSED, StopOutcome.PARTLY_DONE, StopOutcome.DONE
LATER = NOW + timedelta(days=2)


def entry(outcome: StopOutcome, revision: int | None = None) -> Entry:
    found = () if outcome is MISSED else (StopPerson(person_id="p1", finding=Finding.PRESENT),)
    why = "nobody opened" if outcome is MISSED else None
    return Entry(
        household_id="h1",
        outcome=outcome,
        recorded_at=NOW,
        persons=found,
        reason=why,
        revision=revision,
    )


def recorded(before: Stop | None, said: Entry, *, late: bool = False) -> Stop:
    return record(before, said, LUNCH, BUILDING, "x", LATER if late else NOW)


def says(outcome: StopOutcome) -> dict[str, object]:
    return {
        str(outcome): lambda stop: recorded(stop, entry(outcome)),
        f"late {outcome}": lambda stop: recorded(stop, entry(outcome), late=True),
        f"correct {outcome}": lambda stop: recorded(stop, entry(outcome, stop.revision), late=True),
    }


ACTS = {name: act for outcome in StopOutcome for name, act in says(outcome).items()}
_FOLLOWS = {MISSED: [PARTLY, DONE], PARTLY: [DONE], DONE: []}
MOVES = {
    now: {
        **{f"correct {after}": after for after in StopOutcome if after is not now},
        **{str(after): after for after in _FOLLOWS[now]},
        **dict.fromkeys([str(now), f"late {now}", f"correct {now}"], SAME),
    }
    for now in StopOutcome
}


def test_a_stop_keeps_to_its_outcomes() -> None:
    reached = set()

    @given(st.sampled_from(StopOutcome), paths(ACTS))
    def walks(first: StopOutcome, path: list[str]) -> None:
        stages = walk(
            recorded(None, entry(first)), path, ACTS, MOVES, state_of=attrgetter("outcome")
        )
        reached.update(stage.outcome for stage in stages)
        last = stages[-1]
        for other in set(StopOutcome) - {last.outcome}:
            with pytest.raises(Conflict):
                recorded(last, entry(other, last.revision + 1))

    walks()
    assert reached == set(StopOutcome)


@given(st.sampled_from(StopOutcome))
def test_nobody_records_a_first_stop_after_its_round(outcome: StopOutcome) -> None:
    with pytest.raises(IllegalTransition):
        record(None, replace(entry(outcome), recorded_at=LATER), LUNCH, BUILDING, "x", LATER)
