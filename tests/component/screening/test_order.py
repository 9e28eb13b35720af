"""Whatever order messages come in, and however often: the stored state is the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from lianfang.events.dispatch import StopPerson
from lianfang.events.screening import ExposurePublished
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Presence, Symptom, TravelMode
from tests.component.screening.house import BUILDING, NOW, House, leg, snapshot

SEEDS = range(8)
FLIGHT = leg("CZ3456")
TRAIN = leg("G71", mode=TravelMode.TRAIN, coach="7")


def _talk(house: House, case_id: str) -> None:
    """Everything that others may say between two commands, all of it about this house."""
    house.declare("p1-1", FLIGHT, building=BUILDING, household_id="h1")
    house.declare("p1-1", FLIGHT, TRAIN, revision=2, building=BUILDING, household_id="h1")
    for n in range(3):
        house.declare(f"flyer{n}", FLIGHT)
    house.declare("flyer0", leg("CZ9"), revision=2)
    house.declare("flyer0", FLIGHT, leg("CZ9"), revision=3)
    house.declare("rider", TRAIN)
    house.declare("rider-elsewhere", leg("G71", mode=TravelMode.TRAIN, coach="8"))
    house.claim("friend", case_id)
    house.declare("friend", revision=2)
    house.claim("p4-1", case_id, kind="workplace", building=BUILDING, household_id="h4")
    house.registered(snapshot("late", "h1", revision=3), snapshot("gone", "h1"), batch="a")
    house.registered(
        snapshot("gone", "h1", revision=2, ended_at=NOW - timedelta(days=30)), batch="b"
    )
    house.seen("late", "h1", Presence.AWAY, NOW - timedelta(days=20), 2)
    house.seen("p1-2", "h1", Presence.PRESENT, NOW - timedelta(days=1), 2)
    house.seen("p1-2", "h1", Presence.AWAY, NOW, 3)
    house.stop("h2", StopPerson(person_id="p2-1", temperature=38.0, sample_id="s1"))
    house.stop("h2", StopPerson(person_id="p2-1", temperature=36.5), revision=2)
    house.stop("h3", StopPerson(person_id="p3-1", symptoms=(Symptom.FEVER,), sample_id="s1"))


def _play(house: House, settle: Callable[[], object]) -> dict[str, object]:
    settle()
    case_id = house.confirm()
    _talk(house, case_id)
    settle()
    second = house.confirm("p1-2")
    house.declare("flyer3", FLIGHT, TRAIN)
    settle()
    house.discard(second)
    house.declare("flyer4", FLIGHT)
    settle()
    return house.state()


@pytest.fixture(scope="module")
def straight(session_pump: Pump) -> dict[str, object]:
    """The state after everything came once, in the order it was said."""
    session_pump.reset()
    house = House(session_pump)
    found = _play(house, house.pump.settle)
    session_pump.reset()
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_three_times_each_ends_in_the_same_state(
    straight: dict[str, object], pump: Pump, seed: int
) -> None:
    house = House(pump)
    assert _play(house, lambda: pump.settle(seed=seed, copies=3)) == straight
    assert pump.parked() == []


def test_declaration_first_or_exposure_first_finds_the_same_contacts(pump: Pump) -> None:
    found = []
    for first in (True, False):
        pump.reset()
        house = House(pump)
        if first:
            house.declare("flyer", FLIGHT)
            house.pump.settle()
        case_id = house.confirm()
        house.do(
            "record_exposures",
            case_id=case_id,
            exposures=[
                {
                    "setting": "transport",
                    "from_at": "2020-02-01T02:00:00Z",
                    "until_at": "2020-02-01T04:00:00Z",
                    "carrier": {"mode": "plane", "number": "cz3456", "on": "2020-02-01"},
                }
            ],
        )
        if not first:
            house.declare("flyer", FLIGHT)
            house.pump.settle()
        found.append(house.contacts(case_id)["flyer"])
    assert found[0] == found[1]
    assert found[0]["kind"] == "transport"


def test_a_resident_registered_before_or_after_the_confirmation_is_a_contact(pump: Pump) -> None:
    for first in (True, False):
        pump.reset()
        house = House(pump)
        if first:
            house.registered(snapshot("third", "h1"), batch="third")
            house.pump.settle()
        case_id = house.confirm()
        if not first:
            house.registered(snapshot("third", "h1"), batch="third")
            house.pump.settle()
        assert set(house.contacts(case_id)) == {"p1-2", "third"}


def test_a_resubmission_without_the_leg_takes_the_contact_back(house: House) -> None:
    house.declare("p1-1", FLIGHT, building=BUILDING, household_id="h1")
    house.declare("flyer", FLIGHT)
    house.pump.settle()
    case_id = house.confirm()
    assert "flyer" in house.contacts(case_id)
    house.declare("flyer", revision=2)
    house.pump.settle()
    assert "flyer" not in house.contacts(case_id)
    assert [e.person_id for e in house.pump.events("contact.dropped")] == ["flyer"]


def test_another_day_coach_or_number_is_no_contact(house: House) -> None:
    house.declare("p1-1", FLIGHT, TRAIN, building=BUILDING, household_id="h1")
    house.declare("day", leg("CZ3456", day=date(2020, 2, 2)))
    house.declare("number", leg("CZ3457"))
    house.declare("coach", leg("G71", mode=TravelMode.TRAIN, coach="8"))
    house.declare("no-coach", leg("G71", mode=TravelMode.TRAIN))
    house.declare("same", leg("G 71", mode=TravelMode.TRAIN, coach="7"))
    house.pump.settle()
    assert set(house.contacts(house.confirm())) == {"p1-2", "same"}
    told: list[ExposurePublished] = house.pump.events("exposure.published")
    assert {exposure.carrier.number for exposure in told if exposure.carrier} == {"CZ3456", "G71"}
