"""After the first day: a second case in the building, and a case in another that is none."""

from __future__ import annotations

from datetime import timedelta

from lianfang.demo.daily import hold_day, hold_days
from lianfang.demo.doorstep import count_heads
from lianfang.demo.fieldwork import EVENING, NOON
from lianfang.demo.findings import closing_seals, contacts_of, found_of, open_orders
from lianfang.demo.ledger import DISCARDED_ON, FIRST_ON, SECOND_ON
from lianfang.demo.stage import (
    FINISHED,
    MEDIC,
    SECOND_MEDIC,
    Stage,
    compare,
    confirm_by_sample,
)

_ENDED = ("cancelled", "completed", "over")


def second_case(stage: Stage) -> None:
    """Another case in the same building: one seal, extended."""
    screen = stage.screen
    hold_days(stage, FIRST_ON + timedelta(days=1), SECOND_ON - timedelta(days=1))
    screen.chapter("同楼第二例：只延长，不再封", "A second case there: extended, not sealed twice")
    hold_day(stage, SECOND_ON, parts=1)
    stage.clock(SECOND_ON, 10)
    case_id = confirm_by_sample(stage, stage.cast.second_case, "second", SECOND_ON)
    stage.cases["second"] = case_id
    found = found_of(stage.desk, case_id, stage.district.sealed)
    compare(stage, "second case", found, stage.ledger.second_case)
    stage.report |= {
        "second_due_on": found.due_on,
        "second_case": {
            "seals": found.seals,
            "orders_by_measure": found.orders_by_measure,
            "tasks_by_kind": found.tasks_by_kind,
            "due_on": found.due_on,
        },
    }
    screen.say(f"期满日顺延至 {found.due_on} 24:00。", f"Now due {found.due_on} 24:00.")
    stage.teams.finish_tasks(FINISHED, correlation_id=case_id)
    stage.desk.settle()
    stage.teams.learn()
    for hour, slots in ((12, NOON), (18, EVENING)):
        stage.clock(SECOND_ON, hour, 30)
        stage.teams.hold_rounds(SECOND_ON, slots)


def discarded_case(stage: Stage) -> None:
    """A case in another building: sealed, counted from door to door, and then it is none."""
    screen, desk, place = stage.screen, stage.desk, stage.district.discarded
    screen.chapter("另一楼：清点，再排除", "Another building: counted, then discarded")
    hold_day(stage, DISCARDED_ON, parts=1)
    stage.clock(DISCARDED_ON, 10)
    case_id = confirm_by_sample(stage, stage.cast.discarded_case, "none", DISCARDED_ON)
    stage.cases["discarded"] = case_id
    found = found_of(desk, case_id, place)
    compare(stage, "discarded case", found, stage.ledger.discarded_case)
    seal_id = desk.ask("isolation.get_seal", building=place)["seal_id"]
    stage.clock(DISCARDED_ON, 11)
    count_heads(stage, seal_id)
    stage.clock(DISCARDED_ON, 12, 30)
    stage.teams.hold_rounds(DISCARDED_ON, NOON)
    desk.settle()
    stage.clock(DISCARDED_ON, 15)
    desk.do(
        "screening.discard_case",
        case_id=case_id,
        reason="two negatives; the tubes were swapped in the laboratory",
        decided_by=MEDIC,
        second_signature=SECOND_MEDIC,
    )
    desk.settle()
    left = _what_is_left(stage, case_id, seal_id)
    none = dict.fromkeys(left, 0)
    stage.checks.equal("left of the discarded case", none, left)
    stage.report["discarded_case"] |= {"orders": found.orders, "tasks": found.tasks, "left": left}
    screen.counts(
        ("病例排除之后还剩", "Left after the case was discarded"), ("类别", "kind"), left, none
    )
    stage.teams.learn()
    stage.clock(DISCARDED_ON, 18, 30)
    stage.teams.hold_rounds(DISCARDED_ON, EVENING)
    desk.settle()


def _what_is_left(stage: Stage, case_id: str, seal_id: str) -> dict[str, int]:
    desk, place = stage.desk, stage.district.discarded
    tasks = desk.ask("dispatch.count_tasks", correlation_id=case_id)["by_state"]
    rounds = desk.all("dispatch.find_rounds", "rounds", seal_id=seal_id)
    contacts = contacts_of(desk, case_id)
    return {
        "seals": len(closing_seals(desk, place)),
        "orders": len(open_orders(desk, building=place)),
        "contacts": sum(1 for contact in contacts if contact["state"] != "dropped"),
        "tasks": sum(n for state, n in tasks.items() if state not in _ENDED),
        "rounds": sum(1 for r in rounds if r["state"] not in _ENDED),
    }
