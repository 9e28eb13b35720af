"""The ledger counts from the invented data what the services have to come to."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from lianfang.demo.declarations import (
    CONTACTS,
    DECLARATIONS,
    FEVERS,
    FROM_KEY_AREA,
    Declarant,
    cast,
    declare,
)
from lianfang.demo.district import InventedDistrict, invent
from lianfang.demo.ledger import ledger, outcome_of, travellers


@pytest.fixture(scope="module")
def district() -> InventedDistrict:
    return invent(7, "4403.nanshan")


@pytest.fixture(scope="module")
def declarants(district: InventedDistrict) -> list[Declarant]:
    return declare(district, 7)


def test_two_thousand_different_people_declare(declarants: list[Declarant]) -> None:
    numbers = {declarant.resident.document_number for declarant in declarants}
    assert len(numbers) == len(declarants) == DECLARATIONS


def test_every_outcome_occurs_as_often_as_it_was_planned(declarants: list[Declarant]) -> None:
    outcomes = Counter(outcome_of(declarant.form) for declarant in declarants)
    assert outcomes["home_quarantine"] == FROM_KEY_AREA
    assert outcomes["centralised_quarantine"] == CONTACTS
    assert outcomes["hospital"] == FEVERS
    assert outcomes.total() == DECLARATIONS


def test_three_rode_in_the_same_coach_and_the_near_misses_did_not(
    district: InventedDistrict, declarants: list[Declarant]
) -> None:
    people = cast(district)
    rode = travellers(declarants, people.case)
    assert len(rode) == 3
    assert all(d.household.building != district.sealed for d in rode)
    same_train = [
        declarant
        for declarant in declarants
        for leg in declarant.form["person_type"]["legs"]
        if leg["number"] == people.train
    ]
    assert len(same_train) == 8


def test_the_first_case_asks_for_what_the_project_promises(
    district: InventedDistrict, declarants: list[Declarant]
) -> None:
    first = ledger(district, declarants).first_case
    assert first.orders_by_measure == {"isolation": 1, "facility": 2, "sealed": 88}
    assert first.contacts_by_kind == {"household": 2, "workplace": 1, "transport": 3}
    assert first.contacts_by_category == {"close": 6}
    assert (first.households, first.persons, first.due_on) == (52, 91, "2020-02-16")


def test_the_second_case_adds_its_own_and_moves_the_due_day(
    district: InventedDistrict, declarants: list[Declarant]
) -> None:
    second = ledger(district, declarants).second_case
    assert second.orders_by_measure == {"isolation": 2, "facility": 3, "sealed": 86}
    assert second.due_on == "2020-02-19"
    assert "gate_post" not in second.tasks_by_kind


def test_a_minor_declares_by_proxy(declarants: list[Declarant]) -> None:
    minors = [d for d in declarants if d.resident.guardian_number]
    assert minors
    assert all(d.form["basic"]["proxy"]["document_number"] for d in minors)


def test_the_ledger_is_json(district: InventedDistrict, declarants: list[Declarant]) -> None:
    document = ledger(district, declarants).document()
    assert json.loads(json.dumps(document)) == document
