from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from lianfang.operations.tracing import Branch, Step, common_place, grow, step_of

START = datetime(2020, 2, 3, 1, tzinfo=UTC)
BUILDING = "4403.nanshan.440305001.440305001012.e03.b07"


def step(event_id: str, cause: str, kind: str = "seal.imposed", second: int = 0) -> Step:
    return Step(
        event_id=event_id,
        cause_id=cause,
        type=kind,
        at=START + timedelta(seconds=second),
        subject=f"s-{event_id}",
        place=BUILDING,
        service="isolation",
    )


def shape(branches: tuple[Branch, ...]) -> Any:
    return [(b.first.type, len(b.steps), shape(b.effects)) for b in branches]


def test_events_stand_below_their_cause_in_the_order_of_time() -> None:
    steps = [
        step("c", "b", "tasks.opened", 2),
        step("b", "a", "seal.imposed", 1),
        step("a", "a-command", "case.confirmed"),
        step("d", "a", "isolation.ordered", 3),
    ]
    assert shape(grow(steps)) == [
        (
            "case.confirmed",
            1,
            [
                ("seal.imposed", 1, [("tasks.opened", 1, [])]),
                ("isolation.ordered", 1, []),
            ],
        )
    ]


def test_an_event_whose_cause_is_not_in_the_log_is_a_root() -> None:
    assert len(grow([step("a", "a-command"), step("b", "another"), step("c", "c")])) == 3


def test_a_copy_is_shown_once() -> None:
    assert shape(grow([step("a", "x"), step("a", "x")])) == [("seal.imposed", 1, [])]


def test_many_effects_of_one_type_are_one_line_with_their_effects_together() -> None:
    orders = [step(f"o{n}", "a", "quarantine.ordered", n) for n in range(91)]
    tasks = [step(f"t{n}", f"o{n}", "tasks.opened", 100 + n) for n in range(91)]
    steps = [step("a", "x", "case.confirmed"), *orders, *tasks]
    told = [("quarantine.ordered", 91, [("tasks.opened", 91, [])])]
    assert shape(grow(steps)) == [("case.confirmed", 1, told)]
    ((_, _, each),) = shape(grow(steps, None))
    assert each == [("quarantine.ordered", 1, [("tasks.opened", 1, [])])] * 91


def test_a_few_effects_of_one_type_are_shown_each() -> None:
    steps = [step("a", "x", "case.confirmed"), *(step(f"o{n}", "a") for n in range(3))]
    assert shape(grow(steps)) == [("case.confirmed", 1, [("seal.imposed", 1, [])] * 3)]


def test_as_json_no_event_is_left_out() -> None:
    steps = [step("a", "x", "case.confirmed"), *(step(f"o{n}", "a") for n in range(9))]
    (document,) = (branch.document() for branch in grow(steps))
    (below,) = document["led_to"]
    assert below["count"] == 9
    assert [event["event_id"] for event in below["events"]] == [f"o{n}" for n in range(9)]


def test_a_row_of_the_journal_says_who_and_how_much() -> None:
    row = {
        "event_id": "e",
        "causation_id": "c",
        "type": "quarantine.ordered",
        "at": START.isoformat(),
        "subject": "s",
        "place": BUILDING,
        "source": "/4403/nanshan/isolation",
        "data": {"decided_by": "王工", "orders": [{}, {}], "scope": ["a", "b", "c"]},
    }
    read = step_of(row)
    assert (read.service, read.person, read.items) == ("isolation", "王工", 2)
    assert step_of({**row, "data": None}).person is None


def test_the_place_that_all_have_in_common() -> None:
    assert common_place([step("a", "x"), step("b", "x")]) == BUILDING
    elsewhere = Step(**{**_fields(step("c", "x")), "place": "4403.nanshan.440305001.b99"})
    assert common_place([step("a", "x"), elsewhere]) == "4403.nanshan.440305001"
    assert common_place([]) == ""


def _fields(each: Step) -> dict[str, Any]:
    return {name: getattr(each, name) for name in Step.__slots__}
