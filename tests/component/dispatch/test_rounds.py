"""Rounds: what a team records at doors, what it completes, and what each day brings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload, NotFound
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Measure, OrderState
from tests.component.dispatch import district as d

PERSONS = {"h1": ["p1", "p2"], "h2": ["p3", "p4"], "h3": ["p5"]}


@pytest.fixture
def sealed(dispatch: Pump) -> Pump:
    d.say(dispatch, d.confirmed(), d.imposed(), *d.orders(d.building_orders()))
    dispatch.settle()
    return dispatch


def stop(household: str, outcome: str = "done", **facts: Any) -> dict[str, Any]:
    """A stop at which everybody was found."""
    persons = [{"person_id": person} for person in PERSONS.get(household, ())]
    return {"household_id": household, "outcome": outcome, "persons": persons, **facts}


def round_of(pump: Pump, kind: str, slot: str | None = None, **where: Any) -> dict[str, Any]:
    """The one round of a kind (and slot)."""
    where.setdefault("seal_id", d.SEAL)
    found = [r for r in d.rounds(pump, kind=kind, **where) if slot in (None, r["slot"])]
    (only,) = found
    return only


def record(pump: Pump, kind: str, *stops: dict[str, Any], **where: Any) -> dict[str, int]:
    """A team's record in the round of a kind."""
    answer: dict[str, int] = pump.call(
        "dispatch.record_stops",
        round_id=round_of(pump, kind, **where)["round_id"],
        recorded_by="Worker Invented",
        stops=list(stops),
    )
    return answer


def test_the_last_stop_of_the_head_count_completes_its_task(sealed: Pump) -> None:
    assert record(sealed, "head_count", stop("h1"), stop("h2")) == {"recorded": 2, "corrected": 0}
    (task,) = d.tasks(sealed, kind="head_count")
    assert task["state"] == "assigned"
    record(sealed, "head_count", stop("h3"))
    (task,) = d.tasks(sealed, kind="head_count")
    assert task["state"] == "completed"
    (completed,) = sealed.events("task.completed")
    assert (completed.kind, completed.cause_id) == ("head_count", d.SEAL)
    assert round_of(sealed, "head_count")["state"] == "completed"


def test_notices_complete_their_own_task(sealed: Pump) -> None:
    record(sealed, "notice", *(stop(household) for household in PERSONS))
    (task,) = d.tasks(sealed, kind="serve_notice")
    assert task["state"] == "completed"


def test_a_head_count_is_not_completed_by_hand_while_doors_are_left(sealed: Pump) -> None:
    (task,) = d.tasks(sealed, kind="head_count")
    for name in ("accept", "start"):
        sealed.call(f"dispatch.{name}_task", task_id=task["task_id"], by="W")
    with pytest.raises(IllegalTransition):
        sealed.call("dispatch.complete_task", task_id=task["task_id"], by="W")


def test_what_a_stop_found_is_published_with_the_persons(sealed: Pump) -> None:
    ill = {"person_id": "p5", "temperature": 38.4, "symptoms": ["fever"]}
    record(sealed, "temperature", stop("h3") | {"persons": [ill]}, slot="am")
    sealed.settle()
    (event,) = sealed.events("stops.recorded")
    (said,) = event.stops
    assert (event.kind, event.building, said.household_id) == ("temperature", d.BUILDING, "h3")
    assert [(p.person_id, p.temperature) for p in said.persons] == [("p5", 38.4)]


def test_many_stops_are_published_in_chunks(dispatch: Pump) -> None:
    many = [d.order(f"q{n}", f"k{n}") for n in range(450)]
    d.say(dispatch, d.imposed(), *d.orders(many))
    dispatch.settle()
    stops = [stop(f"k{n}", persons=[{"person_id": f"q{n}"}]) for n in range(450)]
    assert record(dispatch, "head_count", *stops)["recorded"] == 450
    events = dispatch.events("stops.recorded")
    assert [(e.chunk, e.chunks, len(e.stops)) for e in events] == [
        (1, 3, 200),
        (2, 3, 200),
        (3, 3, 50),
    ]
    assert round_of(dispatch, "head_count")["state"] == "completed"


def test_the_same_request_records_once(sealed: Pump) -> None:
    facts = {
        "round_id": round_of(sealed, "waste")["round_id"],
        "recorded_by": "W",
        "stops": [stop("h1")],
        "request_id": "r-1",
    }
    first = sealed.call("dispatch.record_stops", **facts)
    assert sealed.call("dispatch.record_stops", **facts) == first
    with pytest.raises(Conflict):
        sealed.call("dispatch.record_stops", **facts | {"recorded_by": "X"})
    assert len(sealed.events("stops.recorded")) == 1
    assert record(sealed, "waste", stop("h1")) == {"recorded": 0, "corrected": 0}


def test_a_missed_stop_may_be_done_within_the_round(sealed: Pump) -> None:
    record(sealed, "meal", stop("h1", "missed", reason="no_access"), slot="lunch")
    assert record(sealed, "meal", stop("h1"), slot="lunch") == {"recorded": 1, "corrected": 0}
    with pytest.raises(IllegalTransition):
        record(sealed, "meal", stop("h1", "missed", reason="absent"), slot="lunch")
    revisions = [e.stops[0].revision for e in sealed.events("stops.recorded")]
    assert revisions == [1, 2]


def test_after_the_round_only_a_correction_with_its_revision_is_taken(sealed: Pump) -> None:
    where = {"slot": "lunch", "on": "2020-02-03"}
    record(sealed, "meal", stop("h1", "missed", reason="no_access"), slot="lunch")
    sealed.now = d.at(days=1)
    sealed.tick()
    with pytest.raises(IllegalTransition):
        record(sealed, "meal", stop("h1"), **where)
    with pytest.raises(IllegalTransition):
        record(sealed, "meal", stop("h2"), **where)
    with pytest.raises(Conflict):
        record(sealed, "meal", stop("h1", revision=7), **where)
    answer = record(sealed, "meal", stop("h1", revision=1), **where)
    assert answer == {"recorded": 0, "corrected": 1}


def test_a_record_made_in_time_is_taken_when_it_arrives_late(sealed: Pump) -> None:
    sealed.now = d.at(days=1)
    sealed.tick()
    late = stop("h1", recorded_at=d.at(hours=4).isoformat())
    assert record(sealed, "meal", late, slot="lunch", on="2020-02-03")["recorded"] == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (stop("nobody"), "stops.0.household_id"),
        (stop("h1", persons=[{"person_id": "p5"}]), "stops.0.persons.0.person_id"),
        (stop("h1", "missed"), "stops.0.reason"),
        (stop("h1", recorded_at=d.at(days=2).isoformat()), "recorded_at"),
        (stop("h1", persons=[{"person_id": "p1", "temperature": 99}]), None),
        (stop("h1", colour="red"), "stops.0.colour"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_of_the_record_is_kept(
    sealed: Pump, wrong: dict[str, Any], field: str | None
) -> None:
    with pytest.raises(InvalidPayload) as refused:
        record(sealed, "waste", wrong, stop("h2"))
    assert field is None or field in refused.value.context["fields"]
    assert round_of(sealed, "waste")["recorded"] == 0


def test_an_unknown_round_is_not_found(sealed: Pump) -> None:
    with pytest.raises(NotFound):
        sealed.call("dispatch.record_stops", round_id="none", recorded_by="W", stops=[])
    with pytest.raises(NotFound):
        sealed.call("dispatch.get_round", round_id="none")


def test_a_household_that_leaves_the_plan_lets_the_rest_be_complete(sealed: Pump) -> None:
    record(sealed, "head_count", stop("h1"), stop("h2"))
    gone = d.order("p5", "h3", state=OrderState.WITHDRAWN, revision=2)
    d.say(sealed, *d.ended([gone]))
    sealed.settle()
    assert round_of(sealed, "head_count")["state"] == "open"
    sealed.tick()
    assert round_of(sealed, "head_count")["state"] == "completed"
    (task,) = d.tasks(sealed, kind="head_count")
    assert task["state"] == "completed"


def test_a_newcomer_joins_the_rounds_that_last(sealed: Pump) -> None:
    record(sealed, "head_count", *(stop(household) for household in PERSONS))
    d.say(sealed, *d.extended([d.order("p7", "h7")]))
    sealed.settle()
    found = round_of(sealed, "head_count")
    assert (found["state"], found["planned"], found["recorded"]) == ("open", 4, 3)
    lines = sealed.call("dispatch.get_round", round_id=found["round_id"])["stops"]
    assert {line["household_id"]: line["state"] for line in lines} == {
        "h1": "done",
        "h2": "done",
        "h3": "done",
        "h7": "due",
    }


def test_midnight_opens_the_day_and_leaves_the_former_undone(sealed: Pump) -> None:
    sealed.now = d.at(days=1)
    sealed.tick()
    today = d.rounds(sealed, seal_id=d.SEAL, on="2020-02-04")
    assert {r["kind"] for r in today} == {
        "temperature",
        "meal",
        "shopping",
        "waste",
        "disinfection",
        "medicine",
        "care",
    }
    assert {r["state"] for r in today} == {"open"}
    yesterday = d.rounds(sealed, seal_id=d.SEAL, on="2020-02-03")
    assert {r["kind"]: r["state"] for r in yesterday}["meal"] == "over"
    assert {r["kind"]: r["state"] for r in yesterday}["head_count"] == "open"


def test_a_late_clock_opens_todays_rounds_only_and_notes_the_gap(sealed: Pump) -> None:
    sealed.now = d.at(days=4)
    sealed.tick()
    days = {r["on"] for r in d.rounds(sealed, seal_id=d.SEAL)}
    assert days == {"2020-02-03", "2020-02-07"}
    (scope,) = sealed.documents("dispatch").raw("scopes").find()
    assert scope["gaps"] == ["2020-02-04", "2020-02-05", "2020-02-06"]


def test_a_round_whose_hour_is_over_is_not_opened_any_more(dispatch: Pump) -> None:
    dispatch.now = d.at(hours=6)
    d.say(dispatch, d.imposed(), *d.orders(d.building_orders()))
    dispatch.settle()
    meals = {r["slot"] for r in d.rounds(dispatch, seal_id=d.SEAL, kind="meal")}
    assert meals == {"dinner"}


def test_home_quarantine_outside_seals_is_served_by_community(dispatch: Pump) -> None:
    homes = [
        d.order("p1", "h1", Measure.HOME, seal_id=None),
        d.order("p2", "h2", Measure.HOME, seal_id=None),
    ]
    d.say(dispatch, *d.orders(homes))
    dispatch.settle()
    found = {(r["kind"], r["slot"]): r for r in d.rounds(dispatch, place=d.COMMUNITY)}
    assert set(found) == {("temperature", "am"), ("temperature", "pm")}
    assert {(r["building"], r["planned"], r["scope"]) for r in found.values()} == {
        (d.COMMUNITY, 2, "home")
    }
    assert d.counted(dispatch) == {"trinity_visit": 2}


def test_from_12_february_everybody_in_home_quarantine_is_tested_once(dispatch: Pump) -> None:
    d.say(dispatch, *d.orders([d.order("p1", "h1", Measure.HOME, seal_id=None)]))
    dispatch.settle()
    tested = []
    for days in range(1, 13):
        dispatch.now = d.at(days=days)
        dispatch.tick()
        tested += [r["on"] for r in d.rounds(dispatch, kind="sampling", on=d.day(days))]
    assert tested == ["2020-02-12"]


def test_a_cancelled_round_takes_no_record(sealed: Pump) -> None:
    d.say(sealed, d.withdrawn())
    sealed.settle()
    with pytest.raises(IllegalTransition):
        record(sealed, "waste", stop("h1"))


def test_the_clock_of_a_round_stands_in_its_answer(sealed: Pump) -> None:
    found = round_of(sealed, "meal", "lunch")
    assert found["ends_at"] == (d.START + timedelta(hours=5)).isoformat()


def test_a_withdrawn_seal_leaves_no_round_of_the_day_open(sealed: Pump) -> None:
    sealed.now = d.at(hours=6)
    d.say(sealed, d.withdrawn())
    sealed.settle()
    assert {r["state"] for r in d.rounds(sealed, seal_id=d.SEAL)} == {"cancelled"}
