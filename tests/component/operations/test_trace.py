"""`lianfang trace` at a terminal, for whatever id somebody has."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from lianfang.testing.pace import wait_until_idle
from tests.component.operations.conftest import Operator

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def case(operator: Operator) -> dict[str, Any]:
    """A case in a building of one household, with all that follows from it."""
    street = f"4403.{operator.district.name}.440305002"
    community = f"{street}.440305002011"
    building = f"{community}.e01.b01"
    places = [{"path": street, "name": "街道"}]
    places += [{"path": community, "name": "社区", "community_type": "commodity_housing"}]
    places += [{"path": f"{community}.e01", "name": "花园"}]
    places += [{"path": f"{community}.e01.g1", "name": "1号门"}]
    places += [{"path": building, "name": "1栋", "exits": [f"{community}.e01.g1"]}]
    caller = operator.caller
    caller.command("declaration.register_place", places=places)
    residents = [
        {
            "room": "r0101",
            "household": f"{building}/r0101",
            "name": "住户",
            "document_type": "passport",
            "document_number": f"E{uuid4().int % 10**8:08d}",
            "stays_since": "2019-10-01T00:00:00+00:00",
        }
        for _ in range(2)
    ]
    method = "declaration.register_residents"
    (first, _) = caller.command(method, building=building, residents=residents)["residents"]
    wait_until_idle(caller)
    confirmed = caller.command(
        "screening.confirm_case",
        person_id=first["person_id"],
        classification="confirmed",
        basis="positive by RT-PCR, twice",
        decided_by="Dr Invented",
        decided_at="2020-02-03T01:00:00+00:00",
        onset_on="2020-02-02",
    )
    wait_until_idle(caller)
    return dict(confirmed)


def types(tree: dict[str, Any]) -> set[str]:
    return {tree["type"]}.union(*(types(below) for below in tree["led_to"]))


def test_a_case_is_a_tree_of_cause_and_effect(operator: Operator, case: dict[str, Any]) -> None:
    told = operator.reads(f"trace {case['case_id']}")
    assert told["trees"][0]["type"] == "case.confirmed"
    assert {"seal.imposed", "isolation.ordered", "tasks.opened"} <= types(told["trees"][0])
    said = operator.says(f"trace {case['case_id']}").stdout.splitlines()
    (seal,) = (line for line in said if "seal.imposed" in line)
    assert "楼栋封控" in seal
    assert seal.startswith("│   ")
    english = operator.says(f"trace {case['case_id']} --lang en").stdout
    assert "case.confirmed screening Dr Invented" in english
    assert f"4403.{operator.district.name}.440305002.440305002011.e01.b01" in english


def test_any_id_of_the_story_leads_to_it(operator: Operator, case: dict[str, Any]) -> None:
    whole = operator.reads(f"trace {case['case_id']}")
    event = whole["trees"][0]["events"][0]
    (task, *_) = operator.caller.query("dispatch.find_tasks", limit=1)["tasks"]
    by_event = operator.reads(f"trace {event['event_id']}")
    assert by_event["events"] == whole["events"]
    assert by_event["marked"] == [event["event_id"]]
    assert operator.reads(f"trace {task['task_id']}")["trees"] == whole["trees"]


def test_an_id_that_nobody_knows_says_where_to_look(operator: Operator) -> None:
    for lang, word in (("zh", "可能还没传到"), ("en", "It may be on its way")):
        done = operator.says(f"trace nothing-of-that-name --lang {lang}")
        assert done.returncode == 1
        assert word in done.stdout
