"""What the head count and late arrivals make of a roll: per person one open order or a reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.system.town import LONG_AGO, Town


@pytest.fixture
def sealed(town: Town) -> tuple[Town, str, dict[str, list[str]], str]:
    """A sealed building of five households of two, by room."""
    enclosure = town.enclosure("e02")
    building = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
    rooms = {f"r010{n}": town.household(building, f"r010{n}") for n in range(1, 6)}
    town.confirm(rooms["r0101"][0])
    return town, building, rooms, town.seal(building)["seal_id"]


def household_of(town: Town, person_id: str) -> str:
    """The household that a person belongs to."""
    (found,) = town.ask("declaration.find_residents", person_id=person_id)["residents"]
    household_id: str = found["household_id"]
    return household_id


def stop(town: Town, findings: dict[str, str], outcome: str = "done") -> dict[str, Any]:
    """One household's door: what was found of each person."""
    return {
        "household_id": household_of(town, next(iter(findings))),
        "outcome": outcome,
        "persons": [{"person_id": p, "finding": f} for p, f in findings.items()],
    }


def everybody_is_decided(town: Town, seal_id: str, persons: Iterable[str]) -> None:
    """Each person has exactly one open order, or a recorded reason for having none."""
    roll = town.roll(seal_id)
    for person in persons:
        assert town.order_of(person) or roll[person]["reason"], roll[person]


def two_unregistered(town: Town, building: str, guardian: str) -> tuple[str, str]:
    """An infant without document, and a lodger in a room the table lacks; both seen at the door."""
    infant = {
        "room": "r0102",
        "household": f"{building}/r0102",
        "name": "未登记婴儿",
        "birth_on": "2019-12-20",
        "needs": ["infant"],
        "guardian_id": guardian,
        "stays_since": "2019-12-20T00:00:00+00:00",
        "seen_at": town.at(),
    }
    lodger = {
        "room": "r0199",
        "name": "租客",
        "document_type": "passport",
        "document_number": "E00000000",
        "stays_since": LONG_AGO,
        "seen_at": town.at(),
    }
    return (
        town.register(building, [infant], source="head_count")[0],
        town.register(building, [lodger], source="head_count")[0],
    )


def test_a_head_count_ends_with_one_order_or_one_reason_per_person(sealed) -> None:
    town, building, rooms, seal_id = sealed
    infant, lodger = two_unregistered(town, building, guardian=rooms["r0102"][0])
    absent = [rooms["r0103"][0], rooms["r0104"][0], rooms["r0104"][1]]
    elsewhere = rooms["r0105"][1]
    doors = [
        dict.fromkeys(rooms["r0101"], "present"),
        dict.fromkeys([*rooms["r0102"], infant], "present"),
        {absent[0]: "absent", rooms["r0103"][1]: "present"},
        {absent[1]: "absent", absent[2]: "absent"},
        {rooms["r0105"][0]: "present", elsewhere: "lives_elsewhere"},
        {lodger: "present"},
    ]
    town.record("head_count", seal_id, [stop(town, findings) for findings in doors])
    everybody_is_decided(town, seal_id, [person for door in doors for person in door])
    roll = town.roll(seal_id)
    assert {roll[p]["status"] for p in absent} == {"absent"}
    assert roll[elsewhere]["status"] == "lives_elsewhere"
    assert {roll[p]["status"] for p in (infant, lodger)} <= {"unregistered", "found"}
    assert town.order_of(infant)
    assert town.order_of(lodger)
    assert all(town.order_of(p) is None for p in [*absent, elsewhere])
    assert town.stage.parked() == []


def test_an_absent_person_who_comes_back_gets_an_order(sealed) -> None:
    town, building, rooms, seal_id = sealed
    away, home = rooms["r0103"]
    findings = {away: "absent", home: "present"}
    town.record("head_count", seal_id, [stop(town, findings, outcome="partly_done")])
    assert town.order_of(away) is None
    town.record("head_count", seal_id, [stop(town, {away: "present", home: "present"})])
    order = town.order_of(away)
    assert order is not None
    assert order["measure"] == "sealed"
    everybody_is_decided(town, seal_id, [away, home])


def newcomer(town: Town, building: str, since: str) -> str:
    """Somebody who says since when he stays in the building."""
    resident = {
        "room": "r0102",
        "household": f"{building}/r0102",
        "name": "新来的人",
        "document_type": "passport",
        "document_number": "E12345678",
        "stays_since": since,
    }
    return town.register(building, [resident])[0]


def test_a_newcomer_registered_before_the_seal_is_on_the_roll(town: Town) -> None:
    enclosure = town.enclosure("e02")
    building = town.building(f"{enclosure}.b01")
    persons = town.household(building, "r0101")
    late = newcomer(town, building, LONG_AGO)
    town.confirm(persons[0])
    seal_id = town.seal(building)["seal_id"]
    assert town.roll(seal_id)[late]["status"] == "expected"
    order = town.order_of(late)
    assert order is not None
    assert order["measure"] == "sealed"


def test_a_newcomer_who_was_there_before_the_seal_is_caught_after_a_door_check(sealed) -> None:
    town, building, _, seal_id = sealed
    town.wait(minutes=5)
    late = newcomer(town, building, LONG_AGO)
    assert town.roll(seal_id)[late]["status"] == "door_check"
    assert town.order_of(late) is None
    assert [task["state"] for task in town.tasks(kind="door_check")] != []
    town.do(
        "declaration.record_presence",
        building=building,
        source="head_count",
        sightings=[{"person_id": late, "presence": "present", "seen_at": town.at()}],
    )
    order = town.order_of(late)
    assert order is not None
    assert order["measure"] == "sealed"
    assert {task["state"] for task in town.tasks(kind="door_check")} == {"cancelled"}


def test_a_newcomer_who_arrives_after_the_seal_is_refused_entry_with_a_reason(sealed) -> None:
    town, building, _, seal_id = sealed
    town.wait(hours=2)
    late = newcomer(town, building, town.at(hours=-1))
    entry = town.roll(seal_id)[late]
    assert entry["status"] == "refused_entry"
    assert entry["reason"]
    assert town.order_of(late) is None


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_newcomer_racing_the_seal_is_decided_in_either_order(town: Town, seed: int) -> None:
    enclosure = town.enclosure("e02")
    building = town.building(f"{enclosure}.b01")
    persons = town.household(building, "r0101")
    town.stage.call(
        "declaration.register_residents",
        building=building,
        residents=[{"room": "r0109", "name": "新来的人", "stays_since": LONG_AGO}],
    )
    town.delivery = {"seed": seed, "copies": 2}
    town.confirm(persons[0])
    residents = town.ask("declaration.get_roll", building=building)["residents"]
    (late,) = {r["person_id"] for r in residents} - set(persons)
    seal_id = town.seal(building)["seal_id"]
    if town.roll(seal_id)[late]["status"] == "door_check":
        sighting = {"person_id": late, "presence": "present", "seen_at": town.at()}
        town.do(
            "declaration.record_presence",
            building=building,
            source="head_count",
            sightings=[sighting],
        )
    order = town.order_of(late)
    assert order is not None
    assert order["measure"] == "sealed"
