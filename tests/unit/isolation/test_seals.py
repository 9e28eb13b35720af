"""How long a seal lasts, what a later case adds, and how an unordered one climbs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from lianfang.runtime.resources import PolicyInForce, read_section
from services.isolation.domain import seals
from services.isolation.domain.rules import Rules
from services.isolation.domain.seals import Extent, Opening, Seal

POLICY = Path(__file__).parents[3] / "deploy" / "policy"
NOW = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
EXTENT = Extent(scope=("a.b",), buildings=("a.b",), exits=("a.g1",), causes=("c1",))


def rules(profile: str = "shenzhen-2020-02", day: date = date(2020, 2, 3)) -> Rules:
    section = read_section(POLICY / profile / "isolation.yml")
    found: Rules = PolicyInForce(section, Rules).on(day)
    return found


def a_seal(held_back: str | None = None) -> Seal:
    opening = Opening(anchor="a.b", episode=1, now=NOW, correlation_id="c1", held_back=held_back)
    return seals.open_seal(opening, EXTENT, rules())


@pytest.mark.parametrize("profile", ["shenzhen-2020-02", "protocol-8", "protocol-9"])
def test_every_shipped_policy_is_valid(profile: str) -> None:
    PolicyInForce(read_section(POLICY / profile / "isolation.yml"), Rules).check()


def test_the_first_day_counts() -> None:
    seal = a_seal()
    assert (seal.day_one_on, seal.due_on) == (date(2020, 2, 3), date(2020, 2, 16))


def test_a_later_case_restarts_the_count_and_its_discard_takes_that_back() -> None:
    later = Extent(
        scope=("a.b",),
        buildings=("a.b",),
        exits=("a.g1",),
        causes=("c1", "c2"),
        latest_cause_on=date(2020, 2, 6),
    )
    extended = seals.extend(a_seal(), later, NOW + timedelta(days=3), rules())
    assert (extended.due_on, extended.revision) == (date(2020, 2, 19), 2)
    back = seals.extend(extended, EXTENT, NOW + timedelta(days=4), rules())
    assert back.due_on == date(2020, 2, 16)
    assert seals.extend(back, EXTENT, NOW, rules()) is back


def test_an_unordered_seal_climbs_level_by_level_and_stays_at_the_top() -> None:
    seal = a_seal()
    levels = []
    for _ in range(6):
        seal = seals.climb(seal, seal.climbs_at, rules())
        levels.append(str(seal.level))
    assert levels == ["community", "street", "district", "city", "city", "city"]
