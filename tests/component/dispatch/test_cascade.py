"""A case, a seal and its orders become tasks and rounds, and withdraw with their cause."""

from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from lianfang.vocabulary import OrderState
from tests.component.dispatch import district as d


@pytest.fixture
def sealed(dispatch: Pump) -> Pump:
    d.say(dispatch, d.confirmed(), d.imposed(), *d.orders(d.building_orders(), size=2))
    dispatch.settle()
    return dispatch


def test_a_case_with_its_seal_and_orders_opens_every_task_once(sealed: Pump) -> None:
    assert d.counted(sealed, correlation_id=d.CASE) == {
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
    assert sealed.parked() == []


def test_every_household_with_somebody_at_home_is_on_the_rounds_of_the_day(sealed: Pump) -> None:
    found = d.rounds(sealed, seal_id=d.SEAL, on="2020-02-03")
    planned = {(r["kind"], r["slot"]): r["planned"] for r in found}
    assert planned == {
        ("head_count", "all"): 3,
        ("notice", "all"): 3,
        ("temperature", "am"): 3,
        ("temperature", "pm"): 3,
        ("meal", "breakfast"): 3,
        ("meal", "lunch"): 3,
        ("meal", "dinner"): 3,
        ("shopping", "day"): 3,
        ("waste", "day"): 3,
        ("disinfection", "day"): 3,
        ("sampling", "day"): 3,
        ("medicine", "day"): 1,
        ("care", "day"): 1,
    }


def test_a_withdrawn_cause_cancels_open_tasks_and_rounds(sealed: Pump) -> None:
    gone = [
        d.order(o.person_id, o.household_id, o.measure, state=OrderState.WITHDRAWN, revision=2)
        for o in d.building_orders()
    ]
    d.say(sealed, d.discarded(), d.withdrawn(), *d.ended(gone))
    sealed.settle()
    states = sealed.call("dispatch.count_tasks", correlation_id=d.CASE)["by_state"]
    assert states == {"cancelled": 9}
    assert {r["state"] for r in d.rounds(sealed, seal_id=d.SEAL)} == {"cancelled"}
    assert sealed.parked() == []


def test_a_task_says_why_it_exists(dispatch: Pump) -> None:
    envelope = dispatch.publish(d.imposed(), d.BUILDING, correlation_id=d.CASE)
    dispatch.settle()
    (head_count,) = d.tasks(dispatch, kind="head_count")
    task = dispatch.call("dispatch.get_task", task_id=head_count["task_id"])
    assert (task["cause_kind"], task["cause_id"]) == ("seal", d.SEAL)
    assert (task["opened_by"], task["correlation_id"]) == (envelope.id, d.CASE)
    assert [step["what"] for step in task["history"]] == ["opened", "assigned"]
    assert task["team_id"] == "team-enclosure-1"


def test_a_building_of_700_households_is_one_document_per_household_and_round(
    dispatch: Pump,
) -> None:
    many = [
        d.order(f"p{home}-{n}", f"h{home}")
        for home in range(700)
        for n in range(3 if home < 600 else 2)
    ]
    d.say(dispatch, d.imposed(), *d.orders(many))
    dispatch.settle()
    assert len(many) == 2000
    found = d.rounds(dispatch, seal_id=d.SEAL)
    assert {r["planned"] for r in found} == {700}
    documents = dispatch.documents("dispatch")
    kept = {name: documents.raw(name).count_documents({}) for name in ("households", "stops")}
    assert kept == {"households": 700, "stops": 0}
    assert documents.raw("rounds").count_documents({"audit.shown": True}) == len(found) == 11
