"""Where a seal reaches: urban villages without units, shared exits, wrong persons, the brake."""

from __future__ import annotations

import pytest

from lianfang.errors import NotFound
from tests.system.town import Town


def test_an_urban_village_building_without_units_is_sealed_whole(town: Town) -> None:
    village = town.enclosure("e03", kind="urban_village")
    building = town.building(f"{village}.b07")
    persons = town.household(building, "r0301") + town.household(building, "r0302", size=3)
    town.confirm(persons[0])
    seal = town.seal(building)
    assert seal["scope"] == [building]
    assert (seal["households"], seal["persons"]) == (2, 5)
    assert town.measures(building=building) == {"isolation": 1, "facility": 1, "sealed": 3}


def test_buildings_behind_one_shared_exit_are_one_seal(town: Town) -> None:
    enclosure = town.enclosure("e04", gates=2)
    shared, own = f"{enclosure}.g1", f"{enclosure}.g2"
    first = town.building(f"{enclosure}.b01", exits=[shared])
    second = town.building(f"{enclosure}.b02", exits=[shared])
    apart = town.building(f"{enclosure}.b03", exits=[own])
    persons = town.household(first, "r0101")
    neighbours = town.household(second, "r0101")
    others = town.household(apart, "r0101")
    town.confirm(persons[0])
    seal = town.seal(first)
    assert sorted(seal["scope"]) == [first, second]
    assert seal["exits"] == [shared]
    orders = {person: town.order_of(person) for person in neighbours}
    assert {order and order["measure"] for order in orders.values()} == {"sealed"}
    assert [town.order_of(person) for person in others] == [None, None]
    assert len(town.tasks(kind="gate_post")) == 1


def test_a_case_of_the_wrong_person_is_amended_and_its_consequences_move(town: Town) -> None:
    enclosure = town.enclosure("e05")
    wrong_home = town.building(f"{enclosure}.b01")
    right_home = town.building(f"{enclosure}.b02")
    wrong = town.household(wrong_home, "r0101")
    right = town.household(right_home, "r0101")
    case_id = town.confirm(wrong[0])
    town.do(
        "screening.amend_case",
        case_id=case_id,
        person_id=right[0],
        reason="two samples were swapped",
        amended_by="Dr Invented",
    )
    assert [town.order_of(person) for person in wrong] == [None, None]
    assert town.measures(building=right_home) == {"isolation": 1, "facility": 1}
    seals = {
        s["building"]: s["state"]
        for s in town.ask("isolation.find_seals", place=enclosure)["seals"]
    }
    assert seals == {wrong_home: "withdrawn", right_home: "provisional"}
    contacts = town.ask("screening.find_contacts", person_id=wrong[1])["contacts"]
    assert {contact["state"] for contact in contacts} == {"dropped"}


def test_the_brake_proposes_what_exceeds_its_limit_and_an_authority_imposes_it(town: Town) -> None:
    enclosure = town.enclosure("e06")
    buildings = [town.building(f"{enclosure}.b{n:02d}") for n in range(1, 13)]
    firsts = [town.household(building, "r0101")[0] for building in buildings]
    for person in firsts:
        town.confirm(person)
    states = [town.seal(building)["state"] for building in buildings]
    held = [b for b, state in zip(buildings, states, strict=True) if state == "proposed"]
    assert set(states) == {"provisional", "proposed"}
    assert states == sorted(states, key=lambda state: state == "proposed")
    assert {order["measure"] for order in town.open_orders(building=held[0])} == {
        "isolation",
        "facility",
    }
    town.do(
        "isolation.impose_seal",
        seal_id=town.seal(held[0])["seal_id"],
        decided_by="Authority Invented",
        reason="seen and judged",
    )
    assert town.seal(held[0])["state"] in ("provisional", "ordered")
    assert len(town.tasks(kind="head_count")) == states.count("provisional") + 1


def test_unknown_persons_and_buildings_are_refused_by_name(town: Town) -> None:
    with pytest.raises(NotFound):
        town.confirm("nobody")
    with pytest.raises(NotFound):
        town.ask("isolation.preview_seal", building=f"{town.enclosure('e07')}.b99")
