"""What each kind of cause asks for: infected points, alarms, newcomers, pets, release."""

from __future__ import annotations

from datetime import timedelta

from lianfang.events.isolation import (
    FocusCleared,
    FocusDeclared,
    ReleaseDue,
    RollAmended,
    RollEntry,
)
from lianfang.events.screening import CaseAmended, DeclarationAssessed, SymptomReported
from lianfang.testing.pump import Pump
from lianfang.vocabulary import (
    Classification,
    Measure,
    Need,
    Outcome,
    RollStatus,
    SealState,
    Symptom,
)
from tests.component.dispatch import district as d

MARKET = f"{d.COMMUNITY}.e02.b01"


def states(pump: Pump, **where: str) -> dict[str, str]:
    """The state of each task by kind."""
    return {task["kind"]: task["state"] for task in d.tasks(pump, **where)}


def roll(status: RollStatus, revision: int) -> RollAmended:
    return RollAmended(
        decision_id=f"roll-{revision}",
        seal_id=d.SEAL,
        building=d.BUILDING,
        entries=(
            RollEntry(
                person_id="p9",
                household_id="h9",
                status=status,
                reason="late",
                revision=revision,
            ),
        ),
        policy_version="test",
    )


def test_an_infected_point_is_disinfected_and_its_keeper_asked_until_cleared(
    dispatch: Pump,
) -> None:
    d.say(
        dispatch,
        FocusDeclared(
            focus_id="f1",
            place=MARKET,
            causes=(d.CASE,),
            declared_at=d.START,
            policy_version="test",
        ),
    )
    dispatch.settle()
    assert set(states(dispatch, cause_id="f1")) == {"focus_disinfection", "keeper_inquiry"}
    d.say(dispatch, FocusCleared(focus_id="f1", place=MARKET, reason="discarded", revision=2))
    dispatch.settle()
    assert set(states(dispatch, cause_id="f1").values()) == {"cancelled"}


def test_one_escort_per_person_and_day_whatever_reports_come(dispatch: Pump) -> None:
    for n in range(3):
        report = SymptomReported(
            report_id=f"r{n}",
            person_id="p5",
            household_id="h3",
            building=d.BUILDING,
            reported_at=d.at(hours=12 * n),
            symptoms=(Symptom.FEVER,),
        )
        d.say(dispatch, report)
        dispatch.settle()
    assert d.counted(dispatch) == {"fever_escort": 2}


def test_a_hospital_verdict_asks_for_an_escort_and_a_later_verdict_takes_it_back(
    dispatch: Pump,
) -> None:
    for revision, outcome in enumerate((Outcome.HOSPITAL, Outcome.PASS), 1):
        verdict = DeclarationAssessed(
            assessment_id="a1",
            declaration_id="d1",
            person_id="p5",
            household_id="h3",
            building=d.BUILDING,
            outcome=outcome,
            reasons=("fever",),
            assessed_at=d.START,
            policy_version="test",
            revision=revision,
        )
        d.say(dispatch, verdict)
        dispatch.settle()
        expected = "assigned" if outcome == Outcome.HOSPITAL else "cancelled"
        assert states(dispatch) == {"fever_escort": expected}


def test_a_verdict_that_asks_for_nothing_leaves_nothing_behind(dispatch: Pump) -> None:
    verdict = DeclarationAssessed(
        assessment_id="a1",
        declaration_id="d1",
        person_id="p5",
        household_id="h3",
        building=d.BUILDING,
        outcome=Outcome.PASS,
        reasons=(),
        assessed_at=d.START,
        policy_version="test",
    )
    d.say(dispatch, verdict)
    dispatch.settle()
    assert dispatch.documents("dispatch").raw("alarms").count_documents({}) == 0


def test_a_newcomer_is_looked_at_until_the_roll_is_sure(dispatch: Pump) -> None:
    d.say(dispatch, d.imposed(), roll(RollStatus.DOOR_CHECK, 1))
    dispatch.settle()
    (task,) = d.tasks(dispatch, kind="door_check")
    assert (task["state"], task["cause_kind"], task["person_ids"]) == (
        "assigned",
        "resident",
        ["p9"],
    )
    d.say(dispatch, roll(RollStatus.UNREGISTERED, 2))
    dispatch.settle()
    assert states(dispatch, kind="door_check") == {"door_check": "cancelled"}


def test_nobody_is_looked_for_behind_a_seal_that_ended(dispatch: Pump) -> None:
    d.say(dispatch, d.imposed(), roll(RollStatus.DOOR_CHECK, 1))
    dispatch.settle()
    d.say(dispatch, d.withdrawn())
    dispatch.settle()
    assert states(dispatch, kind="door_check") == {"door_check": "cancelled"}


def test_a_pet_is_picked_up_only_before_the_flat_is_empty(dispatch: Pump) -> None:
    pet = (Need.PET,)
    d.say(
        dispatch,
        *d.orders([d.order("p3", "h2", Measure.FACILITY, needs=pet), d.order("p4", "h2")]),
    )
    dispatch.settle()
    assert "pet_pickup" not in states(dispatch)
    d.say(dispatch, *d.extended([d.order("p4", "h2", Measure.ISOLATION, revision=2)]))
    dispatch.settle()
    assert states(dispatch)["pet_pickup"] == "assigned"


def test_a_proposed_seal_asks_for_nothing_yet(dispatch: Pump) -> None:
    d.say(dispatch, d.imposed(state=SealState.PROPOSED))
    dispatch.settle()
    assert d.tasks(dispatch) == []
    assert d.rounds(dispatch) == []


def test_a_further_exit_gets_its_post_and_a_lost_one_loses_it(dispatch: Pump) -> None:
    other = f"{d.ENCLOSURE}.g2"
    d.say(dispatch, d.imposed(1))
    dispatch.settle()
    d.say(dispatch, d.imposed(2, exits=(other,)))
    dispatch.settle()
    posts = {task["place"]: task["state"] for task in d.tasks(dispatch, kind="gate_post")}
    assert posts == {d.GATE: "cancelled", other: "assigned"}


def test_a_medic_is_asked_to_decide_when_the_last_day_is_over(dispatch: Pump) -> None:
    d.say(dispatch, d.imposed())
    dispatch.settle()
    due = ReleaseDue(
        seal_id=d.SEAL,
        building=d.BUILDING,
        due_on=d.DAY_ONE + timedelta(days=13),
        conditions=(),
    )
    d.say(dispatch, due)
    dispatch.settle()
    assert states(dispatch)["release_check"] == "assigned"
    later = d.DAY_ONE + timedelta(days=16)
    d.say(dispatch, d.imposed(2, due_on=later))
    dispatch.settle()
    assert states(dispatch)["release_check"] == "cancelled"


def test_an_amended_case_moves_what_only_the_former_person_justified(dispatch: Pump) -> None:
    d.say(dispatch, d.confirmed())
    dispatch.settle()
    amended = CaseAmended(
        case_id=d.CASE,
        person_id="p5",
        household_id="h3",
        classification=Classification.CONFIRMED,
        basis="test",
        decided_by="Medic Invented",
        decided_at=d.START,
        infectious_from_on=d.DAY_ONE,
        stays=(),
        reporting_district="nanshan",
        owning_district="nanshan",
        policy_version="test",
        former_person_id="p1",
        reason="mixed up",
        amended_by="Medic Invented",
        revision=3,
    )
    d.say(dispatch, amended)
    dispatch.settle()
    found = {
        (task["kind"], task["person_ids"][0]): task["state"]
        for task in d.tasks(dispatch, cause_id=d.CASE)
    }
    assert found == {
        ("network_report", "p5"): "assigned",
        ("case_investigation", "p1"): "cancelled",
        ("case_investigation", "p5"): "assigned",
        ("case_transfer", "p1"): "cancelled",
        ("case_transfer", "p5"): "assigned",
        ("terminal_disinfection", "p5"): "cancelled",
    }
