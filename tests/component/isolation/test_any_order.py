"""Between two commands messages come three times and in any order: the end is always the same."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from lianfang.testing.pump import Pump
from lianfang.vocabulary import Finding, Need, Outcome, Presence
from tests.component.isolation.block import B1, B2, B3, Block
from tests.system.digest import difference, state_of

SEEDS = range(1, 21)


def play(pump: Pump, **delivery: Any) -> dict[str, dict[str, str]]:
    """A month of a block in small; each scene is what one command sets off."""
    pump.reset()
    block = Block(pump)
    scenes = (
        _people_move_in,
        _first_case,
        _head_count,
        _second_case,
        _a_case_elsewhere_is_none,
        _wrong_person,
        _notices_and_transfers,
        _somebody_dies,
        _declarations,
        _a_better_declaration,
        _one_case_is_none,
        _the_other_is_none,
    )
    for scene in scenes:
        scene(block)
        pump.settle(**delivery)
        pump.now = pump.now + timedelta(hours=3)
    assert pump.parked() == []
    return state_of({"isolation": pump.used["isolation"].engine.documents.database})


def _people_move_in(block: Block) -> None:
    block.building(B1, [f"{B1}.g1"])
    block.building(B2, [f"{B2}.g1"])
    for n in range(5):
        block.household(B1, f"h{n}", f"a{n}", f"b{n}", f"c{n}")
        block.household(B1, f"h{n}", f"a{n}", needs=(Need.ELDERLY,))
    block.household(B2, "h9", "x", "y", "z")
    block.left("c4", "moved", block.pump.now - timedelta(days=1))
    block.household(B3, "h30", "c4")


def _first_case(block: Block) -> None:
    block.confirm("c1", "a0", B1)
    block.contact("c1", "b0")
    block.contact("c1", "c0")
    block.contact("c1", "y", last_exposure_on=block.pump.now.date())


def _head_count(block: Block) -> None:
    block.household(B1, "h1", "infant", stays_since=None, needs=(Need.INFANT,), guardian_id="a1")
    block.household(B1, "h7", "lodger", stays_since=None)
    block.household(B1, "h8", "late")
    block.household(B1, "h8", "newcomer", stays_since=block.pump.now)
    block.seen("infant", Presence.PRESENT)
    block.seen("lodger", Presence.PRESENT)
    block.count(B1, "h0")
    block.count(B1, "h1", a1=Finding.PRESENT, b1=Finding.ABSENT, c1=Finding.ABSENT)
    block.count(B1, "h2", a2=Finding.LIVES_ELSEWHERE, b2=Finding.PRESENT, stranger=Finding.PRESENT)
    block.count(B1, "h2", a2=Finding.LIVES_ELSEWHERE, b2=Finding.ABSENT, stranger=Finding.PRESENT)
    block.seen("b1", Presence.AWAY)
    block.left("a2", "lives_elsewhere", block.pump.now)


def _second_case(block: Block) -> None:
    block.confirm("c2", "b1", B1)
    for person in ("a1", "c1", "infant"):
        block.contact("c2", person)
    block.seen("late", Presence.PRESENT)


def _a_case_elsewhere_is_none(block: Block) -> None:
    block.confirm("c3", "x", B2)
    block.contact("c3", "y")
    block.pump.settle()
    block.discard("c3", "x")
    block.drop("c3", "y")


def _wrong_person(block: Block) -> None:
    block.amend("c1", "a0", "a3", B1)
    block.drop("c1", "b0")
    block.drop("c1", "c0")
    block.contact("c1", "b3")
    block.contact("c1", "c3")


def _notices_and_transfers(block: Block) -> None:
    for n in (0, 3, 4):
        block.stop("notice", B1, f"h{n}")
    block.done("case_transfer", "c1", B1, "a3")
    block.done("terminal_disinfection", "c1", B1)


def _somebody_dies(block: Block) -> None:
    block.close("c2", "b1", "died")
    block.count(B1, "h4", a4=Finding.DECEASED, b4=Finding.PRESENT)
    block.left("a4", "deceased", block.pump.now)


def _declarations(block: Block) -> None:
    block.assess("x", Outcome.CENTRALISED_QUARANTINE)
    block.assess("x", Outcome.HOME_QUARANTINE)
    block.assess("z", Outcome.HOME_QUARANTINE)
    block.household(B2, "h9", "x", needs=(Need.PREGNANCY,))


def _a_better_declaration(block: Block) -> None:
    block.assess("z", Outcome.PASS)
    block.household(B2, "h9", "z", needs=(Need.PREGNANCY,))


def _one_case_is_none(block: Block) -> None:
    block.discard("c1", "a3")
    block.drop("c1", "b3")
    block.drop("c1", "c3")


def _the_other_is_none(block: Block) -> None:
    block.discard("c2", "b1")
    for person in ("a1", "c1", "infant"):
        block.drop("c2", person)


@cache
def in_order(pump: Pump) -> dict[str, dict[str, str]]:
    """The state when each message comes once and in its order."""
    return play(pump)


@pytest.mark.parametrize("seed", SEEDS)
def test_three_copies_in_any_order_end_in_the_same_state(session_pump: Pump, seed: int) -> None:
    expected = in_order(session_pump)
    shuffled = play(session_pump, seed=seed, copies=3)
    assert shuffled == expected, difference(expected, shuffled)


def test_the_month_ends_with_nobody_bound_who_should_not_be(session_pump: Pump) -> None:
    play(session_pump)
    block = Block(session_pump)
    assert block.measures() == {"home": 1}
