"""A seal: commands, clocks and cases in any order keep to its states, and its last day follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lianfang.runtime.resources import PolicyInForce, read_section
from lianfang.vocabulary import SealState
from services.isolation.domain import seals
from services.isolation.domain.rules import Rules
from services.isolation.domain.seals import Extent, Opening, Seal, Waiver
from tests.properties.walks import SAME, paths, walk

SHOWN = {SealState}
POLICY = Path(__file__).parents[2] / "deploy" / "policy" / "shenzhen-2020-02" / "isolation.yml"
NOW = datetime(2020, 2, 3, 1, tzinfo=UTC)
FIRST = date(2020, 2, 3)
RULES: Rules = PolicyInForce(read_section(POLICY), Rules).on(FIRST)
PROPOSED, PROVISIONAL, ORDERED = SealState.PROPOSED, SealState.PROVISIONAL, SealState.ORDERED
APPROVED, RELEASE_DUE, RELEASED = SealState.APPROVED, SealState.RELEASE_DUE, SealState.RELEASED
REFUSED, LAPSED, WITHDRAWN = SealState.REFUSED, SealState.LAPSED, SealState.WITHDRAWN


def extent(*days: int) -> Extent:
    """What cases of these days of February ask to be closed."""
    return Extent(
        scope=("a.b",),
        buildings=("a.b",),
        exits=("a.g1",),
        causes=tuple(f"c{day}" for day in sorted(set(days))),
        latest_cause_on=date(2020, 2, max(days)) if days else None,
    )


def opened(*, held_back: bool) -> Seal:
    why = "paused" if held_back else None
    opening = Opening(anchor="a.b", episode=1, now=NOW, correlation_id="c", held_back=why)
    return seals.open_seal(opening, extent(3), RULES)


def act(to: SealState) -> object:
    return lambda seal: seals.move(seal, to, NOW, by="x", why="y")


def waive(seal: Seal) -> Seal:
    return seals.waive(seal, Waiver(name="sampled", reason="y", decided_by="x"), NOW)


ENDS = {"refuse": REFUSED, "lapse": LAPSED, "withdraw": WITHDRAWN, "release": RELEASED}
ACTS = {
    "impose": lambda seal: seals.impose(seal, extent(3), NOW, "x", "y", RULES),
    "order": act(ORDERED),
    "approve": act(APPROVED),
    "fall_due": act(RELEASE_DUE),
    "extend_by_nothing": lambda seal: seals.extend(seal, extent(3), NOW, RULES),
    **{name: act(state) for name, state in ENDS.items()},
}
_NOTHING = {"extend_by_nothing": SAME}
MOVES = {
    PROPOSED: {"impose": PROVISIONAL, "refuse": REFUSED, "withdraw": WITHDRAWN, **_NOTHING},
    PROVISIONAL: {
        "order": ORDERED,
        "refuse": REFUSED,
        "lapse": LAPSED,
        "withdraw": WITHDRAWN,
        **_NOTHING,
    },
    ORDERED: {
        "approve": APPROVED,
        "refuse": REFUSED,
        "fall_due": RELEASE_DUE,
        "release": RELEASED,
        "withdraw": WITHDRAWN,
        **_NOTHING,
    },
    APPROVED: {
        "fall_due": RELEASE_DUE,
        "release": RELEASED,
        "withdraw": WITHDRAWN,
        **_NOTHING,
    },
    RELEASE_DUE: {"release": RELEASED, "withdraw": WITHDRAWN, **_NOTHING},
    **dict.fromkeys(ENDS.values(), _NOTHING),
}


def test_a_seal_keeps_to_its_states() -> None:
    reached = set()

    @given(paths(ACTS, rarely=ENDS), st.booleans())
    def walks(path: list[str], held_back: bool) -> None:
        stages = walk(opened(held_back=held_back), path, ACTS, MOVES)
        reached.update(stage.state for stage in stages)
        seal = stages[-1]
        assert len(seal.history) == seal.revision
        assert seal.is_open == (seal.state not in ENDS.values())
        assert seal.is_closing == (seal.is_open and seal.state is not PROPOSED)

    walks()
    assert reached == set(SealState)


@given(
    st.lists(st.lists(st.integers(3, 20), max_size=4), min_size=1, max_size=6),
    st.lists(st.integers(0, 5), max_size=3),
)
def test_its_last_day_follows_the_cases_that_stand_whichever_stood_before(
    histories: list[list[int]], due_after: list[int]
) -> None:
    seal = seals.move(opened(held_back=False), ORDERED, NOW, by="x")
    for n, days in enumerate(histories):
        if n in due_after and seal.state is ORDERED:
            seal = seals.move(seal, RELEASE_DUE, NOW)
        before = seal
        seal = seals.extend(seal, extent(*days), NOW, RULES)
        assert seals.extend(seal, extent(*days), NOW, RULES) is seal
        later = seal.due_on > before.due_on
        assert seal.state == (ORDERED if later else before.state)
    last = date(2020, 2, max([*histories[-1], 3]))
    assert seal.due_on == last + timedelta(days=RULES.seal_days - 1)
    assert seal.causes == extent(*histories[-1]).causes


@given(st.lists(st.sampled_from(["climb", "waive"]), max_size=8))
def test_what_changes_no_state_is_a_revision_of_its_own(acts: list[str]) -> None:
    seal = opened(held_back=False)
    for name in acts:
        waived = bool(seal.waivers)
        after = waive(seal) if name == "waive" else seals.climb(seal, NOW, RULES)
        assert (after is seal) == (name == "waive" and waived)
        assert (after.state, after.revision) == (PROVISIONAL, seal.revision + (after is not seal))
        seal = after
