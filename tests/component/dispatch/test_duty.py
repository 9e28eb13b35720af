"""Organisations, teams, rosters and responsibility, as they are registered and refused."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.errors import Conflict, InvalidPayload, NotFound
from lianfang.testing.pump import Pump
from tests.component.dispatch import district as d


def shift(first: float, last: float) -> dict[str, Any]:
    return {"from_at": d.at(hours=first).isoformat(), "until_at": d.at(hours=last).isoformat()}


def test_overlapping_shifts_are_refused_and_adjoining_ones_taken(dispatch: Pump) -> None:
    team = {"team_id": "team-enclosure-1"}
    answer = dispatch.call("dispatch.set_roster", **team, shifts=[shift(8, 16), shift(0, 8)])
    assert [s["from_at"] for s in answer["shifts"]] == [
        d.at(hours=hours).isoformat() for hours in (0, 8)
    ]
    with pytest.raises(Conflict):
        dispatch.call("dispatch.set_roster", **team, shifts=[shift(0, 8), shift(7, 15)])
    with pytest.raises(InvalidPayload):
        dispatch.call("dispatch.set_roster", **team, shifts=[shift(8, 8)])


def test_a_team_needs_its_organisation_and_a_roster_its_team(dispatch: Pump) -> None:
    facts = {"name": "n", "kind": "aid", "roles": ["police"]}
    with pytest.raises(NotFound):
        dispatch.call("dispatch.register_team", team_id="t", org_id="none", **facts)
    with pytest.raises(NotFound):
        dispatch.call("dispatch.set_roster", team_id="none", shifts=[])
    facts["roles"] = []
    with pytest.raises(InvalidPayload):
        dispatch.call("dispatch.register_team", team_id="t", org_id="org-enclosure", **facts)


@pytest.mark.parametrize(
    ("level", "place"),
    [("street", d.COMMUNITY), ("community", d.BUILDING), ("building", d.BUILDING)],
)
def test_an_organisation_stands_on_one_of_the_five_levels(
    dispatch: Pump, level: str, place: str
) -> None:
    with pytest.raises(InvalidPayload):
        dispatch.call(
            "dispatch.register_organisation", org_id="x", name="x", level=level, place=place
        )


def test_nobody_answers_for_a_place_outside_its_own(dispatch: Pump) -> None:
    with pytest.raises(InvalidPayload):
        dispatch.call(
            "dispatch.set_responsibility", place=f"{d.COMMUNITY}.e02", org_id="org-enclosure"
        )
    with pytest.raises(NotFound):
        dispatch.call("dispatch.set_responsibility", place=d.ENCLOSURE, org_id="none")


def test_the_nearest_place_above_a_task_decides_who_is_responsible(dispatch: Pump) -> None:
    d.staff(dispatch, "street")
    d.say(dispatch, d.confirmed(), d.confirmed("case-2", "p9", stays=(), revision=2))
    dispatch.settle()
    (near,) = d.tasks(dispatch, cause_id="case-1", kind="network_report")
    assert (near["responsible_org_id"], near["level"]) == ("org-enclosure", "enclosure")


def test_a_place_without_anybody_responsible_still_has_its_tasks(pump: Pump) -> None:
    pump.use("dispatch")
    pump.now = d.START
    d.say(pump, d.imposed())
    pump.settle()
    assert {task["state"] for task in d.tasks(pump)} == {"open"}
    pump.now = d.at(minutes=15)
    pump.tick()
    reasons = {(e.reason, e.told_org_id) for e in pump.events("task.escalated")}
    assert reasons == {("no_team", None)}


def test_a_team_whose_shift_begins_gets_what_waited(pump: Pump) -> None:
    pump.use("dispatch")
    pump.now = d.START
    d.staff(pump, "enclosure")
    pump.call("dispatch.set_roster", team_id="team-enclosure-1", shifts=[shift(0.1, 9)])
    d.say(pump, d.imposed())
    pump.settle()
    pump.now = d.at(minutes=15)
    pump.tick()
    assert {task["team_id"] for task in d.tasks(pump)} == {"team-enclosure-1"}
    assert pump.events("task.escalated") == []
    assert len(pump.events("task.assigned")) == 3


def test_registering_again_amends_and_keeps_the_roster(dispatch: Pump) -> None:
    answer = dispatch.call(
        "dispatch.register_team",
        team_id="team-enclosure-1",
        org_id="org-enclosure",
        name="renamed",
        kind="reserve",
        roles=["police", "police"],
    )
    assert (answer["name"], answer["roles"], len(answer["shifts"])) == ("renamed", ["police"], 1)
    assert answer["revision"] == 3
