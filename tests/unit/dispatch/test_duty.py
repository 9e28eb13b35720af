"""Who is responsible, who is on shift, who gets the task."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import Conflict, InvalidPayload
from lianfang.places import Level
from lianfang.vocabulary import Role
from services.dispatch.domain.duty import (
    Organisation,
    Responsibility,
    Shift,
    Team,
    check_jurisdiction,
    choose,
    responsible,
    responsible_at,
    with_roster,
)
from tests.unit.dispatch.builders import BUILDING, ENCLOSURE, NOW

COMMUNITY = ENCLOSURE.rpartition(".")[0]
ON_DUTY = (Shift(from_at=NOW, until_at=NOW + timedelta(hours=8)),)


def team(team_id: str, roles: tuple[Role, ...] = (Role.HEALTH,), shifts: object = ON_DUTY) -> Team:
    return Team(
        team_id=team_id,
        org_id="org",
        name=team_id,
        kind="aid",
        roles=roles,
        place=ENCLOSURE,
        shifts=shifts,  # type: ignore[arg-type]
    )


def answers(*places: tuple[str, Level]) -> dict[str, Responsibility]:
    return {
        place: Responsibility(place=place, org_id=f"org-{level}", level=level)
        for place, level in places
    }


def test_the_nearest_place_above_decides() -> None:
    known = answers((ENCLOSURE, Level.ENCLOSURE), (COMMUNITY, Level.COMMUNITY))
    found = responsible(BUILDING, known)
    assert found is not None
    assert found.org_id == "org-enclosure"
    assert responsible("4403.futian", known) is None


def test_where_a_level_has_nobody_the_one_above_is_told() -> None:
    known = answers((ENCLOSURE, Level.ENCLOSURE), ("4403", Level.CITY))
    found = responsible_at(BUILDING, Level.COMMUNITY, known)
    assert found is not None
    assert found.org_id == "org-city"


def test_the_least_loaded_team_with_the_roles_on_shift_is_chosen() -> None:
    teams = [
        team("busy"),
        team("free"),
        team("unable", roles=(Role.POLICE,)),
        team("asleep", shifts=()),
    ]
    chosen = choose(teams, [Role.HEALTH], NOW, {"busy": 3, "free": 1})
    assert chosen is not None
    assert chosen.team_id == "free"
    other = choose(teams, [Role.HEALTH], NOW, {"busy": 3}, without={"free"})
    assert other is not None
    assert other.team_id == "busy"
    assert choose(teams, [Role.HEALTH, Role.DRIVER], NOW, {}) is None


def test_of_equally_loaded_teams_the_first_by_id_is_chosen() -> None:
    chosen = choose([team("b"), team("a")], [Role.HEALTH], NOW, {})
    assert chosen is not None
    assert chosen.team_id == "a"


def test_a_shift_ends_before_its_last_instant() -> None:
    assert team("a").on_shift(NOW)
    assert not team("a").on_shift(NOW + timedelta(hours=8))


def test_a_place_outside_the_jurisdiction_is_refused() -> None:
    org = Organisation(org_id="o", name="o", level=Level.ENCLOSURE, place=ENCLOSURE)
    check_jurisdiction(BUILDING, org)
    with pytest.raises(InvalidPayload):
        check_jurisdiction(COMMUNITY, org)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=6))
def test_a_roster_is_taken_exactly_when_no_two_shifts_overlap(raw: list[tuple[int, int]]) -> None:
    shifts = [
        Shift(from_at=NOW + timedelta(hours=a), until_at=NOW + timedelta(hours=a + n))
        for a, n in raw
    ]
    hours = [hour for a, n in raw for hour in range(a, a + n)]
    if len(set(hours)) == len(hours):
        assert len(with_roster(team("a"), shifts).shifts) == len(shifts)
    else:
        with pytest.raises(Conflict):
            with_roster(team("a"), shifts)
