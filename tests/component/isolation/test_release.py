"""Release is computed, decided by a person, and ends everything that hung on the seal."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.errors import IllegalTransition, NotFound
from lianfang.events.screening import SampleResulted, SymptomReported
from lianfang.vocabulary import Finding, Outcome, SampleResult, Symptom, Tube
from tests.component.isolation.block import B1, Block


@pytest.fixture
def sealed(block: Block) -> Block:
    """A closed building, ordered and approved: ann a case, bo her flatmate, cy and di upstairs."""
    block.building(B1, [f"{B1}.g1"])
    block.household(B1, "h1", "ann", "bo")
    block.household(B1, "h2", "cy", "di")
    block.settle()
    block.confirm("c1", "ann", B1)
    block.contact("c1", "bo")
    block.settle()
    by = {"seal_id": block.seal()["seal_id"], "decided_by": "Officer Invented"}
    block.do("order_seal", **by)
    block.do("approve_seal", **by)
    return block


def _unmet(block: Block) -> dict[str, list[str]]:
    conditions: list[dict[str, Any]] = block.seal()["conditions"]
    return {c["name"]: c["blocked_by"] for c in conditions if not c["met"]}


def _sample(block: Block, *persons: str) -> None:
    for person in persons:
        event = SampleResulted(
            sample_id=f"s-{person}",
            person_ids=(person,),
            tube=Tube.SINGLE,
            result=SampleResult.NEGATIVE,
            collected_at=block.pump.now,
            resulted_at=block.pump.now,
            laboratory_id="lab",
        )
        block.pump.publish(event, B1)


def _do_everything(block: Block) -> None:
    block.wait(hours=2)
    for household in ("h1", "h2"):
        block.count(B1, household)
        block.stop("notice", B1, household)
    block.done("case_transfer", "c1", B1, "ann")
    block.done("terminal_disinfection", "c1", B1)
    block.settle()


def test_every_unmet_condition_names_who_stands_in_its_way(sealed: Block) -> None:
    assert _unmet(sealed) == {
        "days_completed": ["2020-02-16"],
        "head_count_complete": ["bo", "cy", "di"],
        "notices_served": ["bo", "cy", "di"],
        "no_infected_inside": ["ann"],
        "terminal_disinfection": ["c1"],
    }
    _do_everything(sealed)
    assert _unmet(sealed) == {"days_completed": ["2020-02-16"]}
    ann = sealed.order("ann")
    assert ann is not None
    assert ann["at_home"] is False


def test_the_last_day_over_calls_for_a_decision_and_releases_nobody(sealed: Block) -> None:
    _do_everything(sealed)
    sealed.wait(days=14)
    assert sealed.seal()["state"] == "release_due"
    (due,) = sealed.pump.events("release.due")
    unmet = {c.name: c.blocked_by for c in due.conditions if not c.met}
    assert unmet == {"negative_sample": ("bo", "cy", "di")}
    assert len(sealed.orders(building=B1)) == 4


def test_a_release_ends_the_orders_and_what_lasts_longer_goes_on(sealed: Block) -> None:
    _do_everything(sealed)
    sealed.wait(days=13, hours=23)
    _sample(sealed, "bo", "cy", "di")
    sealed.settle()
    assert _unmet(sealed) == {}
    by = {"seal_id": sealed.seal()["seal_id"], "decided_by": "Dr Invented"}
    released = sealed.do("release_seal", **by)
    assert released["state"] == "released"
    assert sealed.measures(building=B1) == {"isolation": 1, "facility": 1}
    states = {p: sealed.ask("get_order", person_id=p)["state"] for p in ("cy", "di")}
    assert states == {"cy": "released", "di": "released"}
    (event,) = sealed.pump.events("seal.released")
    assert {c.met for c in event.conditions} == {True}
    with pytest.raises(IllegalTransition):
        sealed.do("release_seal", **by)
    sealed.wait(days=2)
    bo = sealed.order("bo")
    assert bo is not None
    assert bo["state"] == "release_due"
    sealed.do("release_order", order_ids=[bo["order_id"]], decided_by="Dr Invented")
    assert sealed.order("bo") is None
    sealed.contact("c1", "bo", last_exposure_on=sealed.pump.now.date())
    sealed.settle()
    again = sealed.order("bo")
    assert again is not None


def test_a_release_is_refused_while_something_stands_in_its_way(sealed: Block) -> None:
    with pytest.raises(IllegalTransition) as refused:
        sealed.do("release_seal", seal_id=sealed.seal()["seal_id"], decided_by="Dr Invented")
    unmet = {c["name"] for c in refused.value.context["conditions"] if not c["met"]}
    assert {"days_completed", "head_count_complete"} <= unmet
    with pytest.raises(NotFound):
        sealed.do("release_seal", seal_id="none", decided_by="Dr Invented")


def test_conditions_are_waived_one_by_one_and_only_those_that_exist(sealed: Block) -> None:
    _do_everything(sealed)
    sealed.wait(days=14)
    seal_id = sealed.seal()["seal_id"]
    by = {"seal_id": seal_id, "decided_by": "Dr Invented", "reason": "refuses the swab, no fever"}
    with pytest.raises(NotFound):
        sealed.do("waive_condition", name="good_weather", **by)
    with pytest.raises(NotFound):
        sealed.do("waive_condition", name="negative_sample", person_id="ann", **by)
    _sample(sealed, "bo", "di")
    sealed.settle()
    waived = sealed.do("waive_condition", name="negative_sample", person_id="cy", **by)
    (condition,) = (c for c in waived["conditions"] if c["name"] == "negative_sample")
    assert (condition["blocked_by"], condition["waived_by"]) == ([], "Dr Invented")
    assert sealed.do("release_seal", seal_id=seal_id, decided_by="Dr Invented")["state"] == (
        "released"
    )


def test_a_symptom_blocks_the_release_until_its_person_was_seen_by_a_medic(sealed: Block) -> None:
    event = SymptomReported(
        report_id="r1",
        person_id="cy",
        household_id="h2",
        building=B1,
        reported_at=sealed.pump.now,
        symptoms=(Symptom.FEVER,),
    )
    sealed.pump.publish(event, B1)
    sealed.settle()
    assert _unmet(sealed)["no_open_symptom"] == ["cy"]
    sealed.wait(hours=1)
    sealed.done("fever_escort", "r1", B1, "cy")
    sealed.settle()
    assert "no_open_symptom" not in _unmet(sealed)


def test_a_case_on_the_day_of_release_takes_the_seal_back(sealed: Block) -> None:
    _do_everything(sealed)
    sealed.wait(days=14)
    assert sealed.seal()["state"] == "release_due"
    sealed.confirm("c2", "cy", B1)
    sealed.settle()
    assert (sealed.seal()["state"], sealed.seal()["due_on"]) == ("approved", "2020-03-01")


def test_single_orders_wait_for_their_last_day_and_a_persons_decision(block: Block) -> None:
    block.household(B1, "h1", "ann")
    block.settle()
    block.assess("ann", Outcome.HOME_QUARANTINE)
    block.settle()
    order = block.order("ann")
    assert order is not None
    by = {"order_ids": [order["order_id"]], "decided_by": "Dr Invented"}
    with pytest.raises(IllegalTransition):
        block.do("release_order", **by)
    block.wait(days=15)
    due = block.order("ann")
    assert due is not None
    assert due["state"] == "release_due"
    block.do("release_order", **by)
    assert block.order("ann") is None
    with pytest.raises(IllegalTransition):
        block.do("release_order", **by)
    with pytest.raises(NotFound):
        block.do("release_order", order_ids=["none"], decided_by="Dr Invented")
    block.assess("ann", Outcome.HOME_QUARANTINE)
    block.settle()
    assert block.order("ann") is not None


def test_orders_behind_a_seal_are_not_released_one_by_one(sealed: Block) -> None:
    sealed.count(B1, "h2", cy=Finding.PRESENT)
    sealed.settle()
    cy = sealed.order("cy")
    assert cy is not None
    sealed.wait(days=20)
    with pytest.raises(IllegalTransition):
        sealed.do("release_order", order_ids=[cy["order_id"]], decided_by="Dr Invented")
