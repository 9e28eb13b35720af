"""Case commands at the RPC door: what they record, what they refuse."""

from __future__ import annotations

import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload, NotFound
from tests.component.screening.house import BUILDING, ENCLOSURE, House, leg, snapshot


def test_confirming_an_unknown_person_is_refused(house: House) -> None:
    with pytest.raises(NotFound):
        house.confirm("nobody")
    assert house.pump.events("case.confirmed") == []


def test_confirming_twice_alike_says_it_once(house: House) -> None:
    case_id = house.confirm()
    assert house.confirm() == case_id
    assert len(house.pump.events("case.confirmed")) == 1


def test_confirming_again_with_other_facts_is_a_conflict(house: House) -> None:
    house.confirm()
    with pytest.raises(Conflict) as refused:
        house.confirm(onset_on="2020-02-01")
    assert "onset_on" in str(refused.value)


def test_confirmed_may_become_asymptomatic_and_back(house: House) -> None:
    case_id = house.confirm()
    house.confirm(classification="asymptomatic")
    house.confirm(classification="confirmed")
    told = house.pump.events("case.confirmed")
    assert [event.classification for event in told] == ["confirmed", "asymptomatic", "confirmed"]
    assert [event.revision for event in told] == [1, 2, 3]
    assert len(house.contacts(case_id)) == 1


def test_custody_moves_beside_the_classification(house: House) -> None:
    case_id = house.confirm()
    house.confirm(custody="in_hospital", custody_since=house.at())
    assert house.ask("get_case", case_id=case_id)["custody"] == "in_hospital"


def test_discarding_needs_a_second_signature_of_somebody_else(house: House) -> None:
    case_id = house.confirm()
    for signature in (None, "", "dr invented "):
        with pytest.raises(InvalidPayload) as refused:
            house.discard(case_id, second_signature=signature)
        assert "second_signature" in refused.value.context["fields"]
    assert house.ask("get_case", case_id=case_id)["state"] == "confirmed"


def test_discarding_drops_the_contacts_and_withdraws_the_exposures(house: House) -> None:
    house.declare("p1-1", leg("CZ1"), building=BUILDING, household_id="h1")
    house.declare("traveller", leg("CZ1"))
    house.pump.settle()
    case_id = house.confirm()
    house.discard(case_id)
    assert house.contacts(case_id) == {}
    assert set(house.contacts(case_id, "dropped")) == {"p1-2", "traveller"}
    assert len(house.pump.events("exposure.withdrawn")) == 1
    house.declare("latecomer", leg("CZ1"))
    house.pump.settle()
    assert house.contacts(case_id) == {}


def test_discarding_twice_and_discarding_nothing_are_refused(house: House) -> None:
    case_id = house.confirm()
    house.discard(case_id)
    with pytest.raises(IllegalTransition):
        house.discard(case_id)
    with pytest.raises(IllegalTransition):
        house.confirm(None, case_id=case_id)
    with pytest.raises(NotFound):
        house.discard("no-case")


def test_after_a_discarded_case_a_person_may_be_another_one(house: House) -> None:
    first = house.confirm()
    house.discard(first)
    second = house.confirm()
    assert second != first
    assert set(house.contacts(second)) == {"p1-2"}


def test_a_case_that_was_another_person_is_amended(house: House) -> None:
    case_id = house.confirm()
    house.do(
        "record_contacts",
        case_id=case_id,
        contacts=[
            {
                "person_id": "p9-1",
                "category": "close",
                "kind": "workplace",
                "first_exposure_on": "2020-02-01",
                "last_exposure_on": "2020-02-02",
                "basis": "same office",
            }
        ],
    )
    house.do(
        "amend_case",
        case_id=case_id,
        person_id="p2-1",
        reason="the tubes were swapped",
        amended_by="Dr Invented",
    )
    (told,) = house.pump.events("case.amended")
    assert (told.person_id, told.former_person_id, told.household_id) == ("p2-1", "p1-1", "h2")
    assert set(house.contacts(case_id)) == {"p2-2"}
    assert set(house.contacts(case_id, "dropped")) == {"p1-2", "p9-1"}
    assert house.confirm("p1-1") != case_id


def test_a_case_at_another_address_is_amended(house: House) -> None:
    other = f"{ENCLOSURE}.b02"
    house.registered(snapshot("q1", "h50", building=other, floor=1), batch="other")
    house.pump.settle()
    case_id = house.confirm()
    stay = {"place": other, "household_id": "h50", "last_present_at": house.at()}
    house.do(
        "amend_case",
        case_id=case_id,
        stays=[stay],
        reason="she stays with her aunt",
        amended_by="Dr Invented",
    )
    assert set(house.contacts(case_id)) == {"q1"}
    assert set(house.contacts(case_id, "dropped")) == {"p1-2"}
    assert house.ask("get_case", case_id=case_id)["building"] == other


def test_amending_to_a_person_who_is_a_case_already_is_a_conflict(house: House) -> None:
    first = house.confirm()
    house.confirm("p2-1")
    with pytest.raises(Conflict):
        house.do(
            "amend_case", case_id=first, person_id="p2-1", reason="swap", amended_by="Dr Invented"
        )


def test_a_closed_case_keeps_its_contacts_and_takes_no_more_decisions(house: House) -> None:
    case_id = house.confirm()
    closing = {"case_id": case_id, "outcome": "recovered", "decided_by": "Dr Invented"}
    assert house.do("close_case", **closing)["state"] == "closed"
    assert set(house.contacts(case_id)) == {"p1-2"}
    with pytest.raises(IllegalTransition):
        house.do("close_case", **closing)
    with pytest.raises(IllegalTransition):
        house.discard(case_id)


def test_a_reported_case_is_a_suspicion_and_nothing_else(house: House) -> None:
    report = {"person_id": "p1-1", "basis": "fever after travel", "reported_by": "Dr Invented"}
    answer = house.do("report_case", **report)
    assert answer["state"] == "suspected"
    assert house.do("report_case", **report)["case_id"] == answer["case_id"]
    assert [event.TYPE for event in house.pump.events()][1:] == ["case.suspected"]
    with pytest.raises(IllegalTransition):
        house.do("close_case", case_id=answer["case_id"], outcome="died", decided_by="Dr Invented")
    assert house.confirm(None, case_id=answer["case_id"]) == answer["case_id"]


def test_a_suspicion_is_discarded_with_one_signature(house: House) -> None:
    report = {"person_id": "p1-1", "basis": "fever", "reported_by": "Dr Invented"}
    case_id = house.do("report_case", **report)["case_id"]
    assert house.discard(case_id, second_signature=None)["state"] == "discarded"


def test_a_contact_who_becomes_a_case_says_so_until_that_case_is_none(house: House) -> None:
    first = house.confirm()
    second = house.confirm("p1-2")
    assert set(house.contacts(first, "became_case")) == {"p1-2"}
    house.discard(second)
    assert set(house.contacts(first)) == {"p1-2"}


def test_somebody_away_since_before_the_look_back_is_no_contact_and_has_no_stay(
    house: House,
) -> None:
    house.registered(snapshot("away", "h1", presence="away", revision=1), batch="away")
    house.pump.settle()
    assert set(house.contacts(house.confirm())) == {"p1-2"}
    case_id = house.confirm("p3-1", custody="in_hospital", custody_since="2020-01-10T00:00:00Z")
    case = house.ask("get_case", case_id=case_id)
    assert case["stays"] == []
    assert house.contacts(case_id) == {}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"classification": "discarded"}, "classification"),
        ({"classification": "certain"}, "classification"),
        ({"onset_on": "2020-02-04"}, "onset_on"),
        ({"decided_at": "2020-02-04T00:00:00Z"}, "decided_at"),
        ({"decided_at": "2020-02-03T00:00:00"}, "decided_at"),
        ({"first_positive_at": "2020-03-01T00:00:00Z"}, "first_positive_at"),
        ({"basis": "x" * 1_000_000}, "basis"),
        ({"basis": ""}, "basis"),
        ({"decided_by": 7}, "decided_by"),
        ({"person_id": {"$gt": ""}}, "person_id"),
        ({"person_id": None}, "case_id"),
        ({"$where": "1"}, "$where"),
        ({"stays": [{"place": "4403.nowhere!", "last_present_at": "2020-02-03T00:00:00Z"}]}, ""),
        ({"stays": [{"place": BUILDING, "last_present_at": "2020-03-03T00:00:00Z"}]}, ""),
    ],
)
def test_a_wrong_document_is_refused_with_its_field(
    house: House, facts: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidPayload) as refused:
        house.confirm(**facts)
    fields = refused.value.context["fields"]
    assert any((field or "stays") in name for name in fields)
    assert house.pump.events("case.confirmed") == []
