"""A confirmed case and whom it exposed, over the real broker and database."""

from __future__ import annotations

from tests.component.screening.house import BUILDING, House, leg


def test_confirming_a_case_tells_it_and_makes_the_household_close_contacts(house: House) -> None:
    case_id = house.confirm()
    (said,) = house.pump.events("case.confirmed")
    assert (said.case_id, said.person_id, said.household_id) == (case_id, "p1-1", "h1")
    assert [stay.place for stay in said.stays] == [BUILDING]
    (contact,) = house.contacts(case_id).values()
    assert (contact["person_id"], contact["category"], contact["kind"]) == (
        "p1-2",
        "close",
        "household",
    )
    assert (contact["first_exposure_on"], contact["last_exposure_on"]) == (
        "2020-01-31",
        "2020-02-03",
    )
    envelopes = house.pump.envelopes("case.confirmed") + house.pump.envelopes("contact.identified")
    assert {envelope.correlationid for envelope in envelopes} == {case_id}
    assert house.pump.parked() == []


def test_a_case_s_own_legs_become_exposures_that_match_earlier_and_later_travellers(
    house: House,
) -> None:
    house.declare("p1-1", leg("CZ3456"), building=BUILDING, household_id="h1")
    house.declare("early", leg("cz 3456"))
    house.declare("other-day", leg("CZ3456", day=leg("x").depart_at.date().replace(day=2)))
    house.pump.settle()
    case_id = house.confirm()
    house.declare("late", leg("CZ3456"))
    house.pump.settle()
    assert len(house.pump.events("exposure.published")) == 1
    kinds = {p: c["kind"] for p, c in house.contacts(case_id).items()}
    assert kinds == {"p1-2": "household", "early": "transport", "late": "transport"}
