"""The invented district is the same for the same seed, and nobody in it can be real."""

from __future__ import annotations

from pathlib import Path

import pytest

from lianfang.demo.district import POPULATION, InventedDistrict, invent
from lianfang.demo.divisions import read_divisions
from lianfang.demo.invention import document_number
from lianfang.demo.loading import place_rows, resident_rows
from lianfang.demo.staff import TEAMS, organisations
from lianfang.errors import Misconfigured
from lianfang.places import COMMAND_LEVELS, check, parent
from lianfang.vocabulary import Role

PLACES = Path(__file__).parents[3] / "deploy" / "places"
NANSHAN = "4403.nanshan"


@pytest.fixture(scope="module")
def district() -> InventedDistrict:
    return invent(7, NANSHAN)


def test_the_same_seed_invents_the_same_district(district: InventedDistrict) -> None:
    assert invent(7, NANSHAN) == district
    assert invent(8, NANSHAN) != district


def test_twenty_thousand_people_live_in_it(district: InventedDistrict) -> None:
    assert district.residents == POPULATION


def test_the_sealed_building_has_52_households_and_91_people(district: InventedDistrict) -> None:
    sealed = district.of_building(district.sealed)
    assert len(sealed) == 52
    assert sum(len(household.residents) for household in sealed) == 91
    assert district.sealed.startswith("4403.nanshan.440305001.440305001012.")


def test_no_two_people_share_a_number_and_no_number_is_possible(
    district: InventedDistrict,
) -> None:
    numbers = [r.document_number for h in district.households for r in h.residents]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("99") for number in numbers)


def test_another_edition_shares_neither_numbers_nor_places(district: InventedDistrict) -> None:
    other = invent(7, NANSHAN, edition=1)
    numbers = {r.document_number for h in district.households for r in h.residents}
    assert not numbers & {r.document_number for h in other.households for r in h.residents}
    assert not {b.path for b in district.buildings} & {b.path for b in other.buildings}


def test_the_check_digit_is_that_of_the_standard() -> None:
    from datetime import date

    # The standard's own example is 11010519491231002X; ours differs in the area code.
    number = document_number(date(1949, 12, 31), 2)
    weights = [2 ** (17 - n) % 11 for n in range(18)]
    digits = [10 if c == "X" else int(c) for c in number]
    assert sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 == 1


def test_every_minor_has_an_adult_of_the_household_as_guardian(
    district: InventedDistrict,
) -> None:
    for household in district.households:
        adults = {adult.document_number for adult in household.adults}
        assert all(r.guardian_number in adults for r in household.residents if r.age < 18)


def test_streets_and_communities_are_the_real_ones() -> None:
    divisions = read_divisions(PLACES, "4403", "nanshan")
    levels = [division.level for division in divisions]
    assert (levels.count("street"), levels.count("community")) == (8, 107)
    names = {division.path: division.name for division in divisions}
    assert names["4403.nanshan.440305001.440305001012"] == "星海名城社区"


def test_an_unknown_district_has_no_places() -> None:
    with pytest.raises(Misconfigured):
        read_divisions(PLACES, "4403", "atlantis")


def test_every_place_is_well_formed_and_stands_under_a_known_one(
    district: InventedDistrict,
) -> None:
    rows = list(place_rows(district, read_divisions(PLACES, "4403", "nanshan")))
    paths = {row["path"] for row in rows}
    assert len(paths) == len(rows)
    for row in rows:
        above = parent(check(row["path"]))
        assert above is None or above in paths


def test_every_resident_lives_in_a_known_building(district: InventedDistrict) -> None:
    buildings = {building.path for building in district.buildings}
    assert {row["building"] for row in resident_rows(district)} <= buildings


def test_all_five_levels_have_teams_of_every_role(district: InventedDistrict) -> None:
    divisions = read_divisions(PLACES, "4403", "nanshan")
    units = list(organisations(district, divisions))
    assert {unit.level for unit in units} == set(COMMAND_LEVELS)
    assert {role for _, _, roles in TEAMS for role in roles} == set(Role)
    assert len({unit.org_id for unit in units}) == len(units)
