"""One confirmed case through all five services: what exists afterwards, and how it withdraws."""

from __future__ import annotations

import pytest

from lianfang.errors import IllegalTransition, Rejected
from tests.system.town import Town

EXIT = "4403.nanshan.440305001.440305001012.e01.g1"


@pytest.fixture
def sealed(town: Town) -> tuple[Town, str, list[str], str]:
    """A building of three households and six persons, with one case of the first household."""
    enclosure = town.enclosure("e01")
    building = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
    persons = [p for room in ("r0101", "r0102", "r0201") for p in town.household(building, room)]
    case_id = town.confirm(persons[0])
    return town, building, persons, case_id


def test_one_case_seals_the_building_and_everybody_has_one_order(sealed) -> None:
    town, building, persons, case_id = sealed
    seal = town.seal(building)
    assert (seal["state"], seal["households"], seal["persons"]) == ("provisional", 3, 6)
    assert (seal["day_one_on"], seal["due_on"]) == ("2020-02-03", "2020-02-16")
    assert seal["causes"] == [case_id]
    assert town.measures(building=building) == {"isolation": 1, "facility": 1, "sealed": 4}
    assert all(town.order_of(person) for person in persons)
    assert town.stage.parked() == []


def test_every_task_of_the_cascade_exists_once_and_can_say_why(sealed) -> None:
    town, building, persons, case_id = sealed
    kinds = town.ask("dispatch.count_tasks", correlation_id=case_id)["by_kind"]
    assert kinds == {
        "network_report": 1,
        "case_investigation": 1,
        "case_transfer": 1,
        "terminal_disinfection": 1,
        "gate_post": 1,
        "head_count": 1,
        "serve_notice": 1,
        "trinity_visit": 1,
        "contact_transfer": 1,
    }
    (head_count,) = town.tasks(correlation_id=case_id, kind="head_count")
    task = town.ask("dispatch.get_task", task_id=head_count["task_id"])
    chain = town.ask("journal.get_chain", event_id=task["opened_by"])["events"]
    assert [event["type"] for event in chain] == ["case.confirmed", "seal.imposed"]


def test_every_household_with_somebody_at_home_is_on_the_daily_rounds(sealed) -> None:
    town, building, _, _ = sealed
    seal_id = town.seal(building)["seal_id"]
    rounds = town.rounds(seal_id=seal_id, on="2020-02-03")
    planned = {(r["kind"], r["slot"]): r["planned"] for r in rounds}
    assert {kind for kind, _ in planned} >= {"temperature", "meal", "waste", "shopping"}
    assert {n for (kind, _), n in planned.items() if kind in ("meal", "temperature")} == {3}


def test_a_second_case_extends_the_seal_and_makes_no_other(sealed) -> None:
    town, building, persons, first = sealed
    town.wait(days=3)
    second = town.confirm(persons[2], onset_on="2020-02-05")
    seals = town.ask("isolation.find_seals", place=building)["seals"]
    assert len(seals) == 1
    assert sorted(seals[0]["causes"]) == sorted([first, second])
    assert seals[0]["due_on"] == "2020-02-19"
    assert town.measures(building=building) == {"isolation": 2, "facility": 2, "sealed": 2}


def test_a_discarded_case_withdraws_all_that_exists_only_because_of_it(sealed) -> None:
    town, building, _, case_id = sealed
    seal_id = town.seal(building)["seal_id"]
    town.discard(case_id)
    assert town.ask("isolation.get_seal", seal_id=seal_id)["state"] == "withdrawn"
    assert town.open_orders(building=building) == []
    states = town.ask("dispatch.count_tasks", correlation_id=case_id)["by_state"]
    assert set(states) == {"cancelled"}
    assert {r["state"] for r in town.rounds(seal_id=seal_id)} == {"cancelled"}
    contacts = town.ask("screening.find_contacts", case_id=case_id)["contacts"]
    assert {contact["state"] for contact in contacts} == {"dropped"}
    with pytest.raises(IllegalTransition):
        town.discard(case_id)


def test_no_round_outlives_its_seal_however_late_in_the_day_it_ends(sealed) -> None:
    town, building, _, case_id = sealed
    seal_id = town.seal(building)["seal_id"]
    town.wait(hours=30)  # the next afternoon: rounds of two days, some of their hours past
    town.discard(case_id)
    assert {r["state"] for r in town.rounds(seal_id=seal_id)} == {"cancelled", "over"}
    town.wait(days=2)
    assert "open" not in {r["state"] for r in town.rounds(seal_id=seal_id)}


def test_two_cases_make_one_seal_that_ends_with_the_last_cause(sealed) -> None:
    town, building, persons, first = sealed
    second = town.confirm(persons[2])
    town.discard(first)
    seal = town.seal(building)
    assert (seal["state"], seal["causes"]) == ("provisional", [second])
    assert town.measures(building=building) == {"isolation": 1, "facility": 1, "sealed": 4}
    town.discard(second)
    assert town.open_orders(building=building) == []


def test_a_discarded_case_of_two_leaves_the_other_ones_consequences(sealed) -> None:
    town, building, persons, first = sealed
    second = town.confirm(persons[2])
    town.discard(second)
    assert town.seal(building)["causes"] == [first]
    assert town.measures(building=building) == {"isolation": 1, "facility": 1, "sealed": 4}


def test_a_seal_cannot_be_released_before_its_conditions_are_met(sealed) -> None:
    town, building, _, _ = sealed
    seal = town.seal(building)
    with pytest.raises(Rejected) as refused:
        town.do("isolation.release_seal", seal_id=seal["seal_id"], decided_by="Dr Invented")
    unmet = {c["name"] for c in refused.value.context["conditions"] if not c["met"]}
    assert {"days_completed", "head_count_complete"} <= unmet
