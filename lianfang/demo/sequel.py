"""After the first day: a second case, a case that is none, day after day, and the release."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lianfang.demo.fieldwork import EVENING, MORNING, NOON
from lianfang.demo.findings import closing_seals, contacts_of, found_of, open_orders
from lianfang.demo.ledger import DISCARDED_ON, FIRST_ON, SECOND_ON
from lianfang.demo.stage import (
    FINISHED,
    LABORATORY,
    MEDIC,
    SECOND_MEDIC,
    Stage,
    compare,
    confirm_by_sample,
)
from lianfang.errors import Rejected

FEVER_ON = date(2020, 2, 8)
_ENDED = ("cancelled", "completed", "over")


def hold_days(stage: Stage, first: date, last: date) -> None:
    """Every round of every day, morning, noon and evening."""
    days = (last - first).days + 1
    with stage.screen.bar(f"逐日服务至 {last}", f"rounds until {last}", days) as step:
        for n in range(days):
            hold_day(stage, first + timedelta(days=n))
            step()


def hold_day(stage: Stage, day: date, parts: int = 3) -> None:
    """The rounds of one day; `parts` 1 ends before noon."""
    stage.clock(day, 8)
    stage.desk.wait_until(lambda: _has_rounds(stage, day), f"the rounds of {day}")
    stage.desk.settle()
    if day == FEVER_ON:
        _somebody_has_a_fever(stage)
    for hour, slots in ((9, MORNING), (12, NOON), (18, EVENING))[:parts]:
        stage.clock(day, hour, 30)
        stage.teams.hold_rounds(day, slots)
    stage.teams.deliver_samples(f"day.{stage.district.edition}.{day}", LABORATORY)
    stage.desk.settle()
    if day == FEVER_ON:
        _fever_is_escorted(stage)


def _has_rounds(stage: Stage, day: date) -> bool:
    found = stage.desk.ask(
        "dispatch.find_rounds", seal_id=stage.seal_id, on=day.isoformat(), limit=1
    )
    return bool(found["rounds"])


def _somebody_has_a_fever(stage: Stage) -> None:
    orders = open_orders(stage.desk, seal_id=stage.seal_id)
    sealed = next(order for order in orders if order["measure"] == "sealed" and order["at_home"])
    stage.teams.fevers[sealed["person_id"]] = 38.2


def _fever_is_escorted(stage: Stage) -> None:
    tasks = stage.desk.all(
        "dispatch.find_tasks",
        "tasks",
        kind="fever_escort",
        state="assigned",
        place=stage.district.sealed,
    )
    done = 0
    for task in list(tasks):
        stage.teams.finish(task)
        done += 1
    stage.desk.settle()
    stage.checks.equal("fever escorts", 1, done)
    stage.screen.good(
        f"{FEVER_ON} 测温发现一人发热，自动生成陪诊任务并完成。",
        f"{FEVER_ON}: a round measured a fever; an escort was opened and done.",
    )


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
    for hour, slots in ((12, NOON), (18, EVENING)):
        stage.clock(SECOND_ON, hour, 30)
        stage.teams.hold_rounds(SECOND_ON, slots)


def discarded_case(stage: Stage) -> None:
    """A case in another building that is none: everything withdraws."""
    screen, desk, place = stage.screen, stage.desk, stage.district.discarded
    screen.chapter("另一楼病例被排除：全部撤回", "A discarded case: everything withdraws")
    hold_day(stage, DISCARDED_ON, parts=1)
    stage.clock(DISCARDED_ON, 10)
    case_id = confirm_by_sample(stage, stage.cast.discarded_case, "none", DISCARDED_ON)
    stage.cases["discarded"] = case_id
    found = found_of(desk, case_id, place)
    compare(stage, "discarded case", found, stage.ledger.discarded_case)
    seal_id = desk.ask("isolation.get_seal", building=place)["seal_id"]
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
    stage.checks.equal("left of the discarded case", dict.fromkeys(left, 0), left)
    stage.report["discarded_case"] = {"before": found.orders, "tasks": found.tasks, "left": left}
    screen.counts(
        ("排除之后还剩", "Left after the discard"), ("类别", "kind"), left, dict.fromkeys(left, 0)
    )
    stage.clock(DISCARDED_ON, 18, 30)
    stage.teams.hold_rounds(DISCARDED_ON, (*NOON, *EVENING))


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


def release(stage: Stage) -> None:
    """Too early is refused with the reasons; on the due day the gate opens."""
    screen, desk = stage.screen, stage.desk
    first_due = date.fromisoformat(stage.ledger.first_case.due_on)
    last_due = date.fromisoformat(stage.ledger.second_case.due_on)
    hold_days(stage, DISCARDED_ON + timedelta(days=1), first_due)
    screen.chapter("解除：算出来，不是记出来", "Release is computed, not remembered")
    stage.clock(first_due + timedelta(days=1), 0, 10)
    refused = _try_release(stage)
    unmet = sorted(c["name"] for c in refused if not c["met"])
    stage.checks.equal("an early release is refused", True, "days_completed" in unmet)
    stage.report["release"] = {"refused_early": unmet}
    screen.say(
        f"{first_due} 24:00 首次期满，因第二例已顺延，申请解除被拒：",
        f"{first_due} 24:00 was the first due day; the second case moved it, so it is refused:",
    )
    _show(stage, refused)
    hold_days(stage, first_due + timedelta(days=1), last_due)
    _sample_blockers(stage, last_due)
    stage.clock(last_due + timedelta(days=1), 0, 10)
    desk.wait_until(
        lambda: _seal(stage)["state"] in ("release_due", "released"), "the seal to fall due"
    )
    desk.settle()
    _show(stage, _seal(stage)["conditions"])
    stage.clock(last_due + timedelta(days=1), 0, 20)
    stage.teams.finish_tasks(("release_check",), seal_id=stage.seal_id)
    desk.do("isolation.release_seal", seal_id=stage.seal_id, decided_by=MEDIC)
    desk.settle()
    _after_release(stage, last_due)


def _try_release(stage: Stage) -> list[dict[str, Any]]:
    """The conditions that an attempt to release was refused with; none when it was not."""
    try:
        stage.desk.do("isolation.release_seal", seal_id=stage.seal_id, decided_by=MEDIC)
    except Rejected as refused:
        conditions: list[dict[str, Any]] = refused.context.get("conditions", [])
        return conditions
    return []


def _seal(stage: Stage) -> dict[str, Any]:
    return stage.desk.ask("isolation.get_seal", seal_id=stage.seal_id)


def _show(stage: Stage, conditions: list[dict[str, Any]]) -> None:
    screen = stage.screen
    screen.table(
        ("解除条件", "Release conditions"),
        [("条件", "condition"), ("满足", "met"), ("受阻于", "blocked by"), ("责任人", "owner")],
        [
            (
                screen.word(condition["name"]),
                "[green]✓[/green]" if condition["met"] else "[red]✗[/red]",
                len(condition["blocked_by"]) or "",
                screen.word(condition.get("owner") or ""),
            )
            for condition in conditions
        ],
    )


def _sample_blockers(stage: Stage, day: date) -> None:
    """Swabs for exactly those who block the release."""
    conditions = {c["name"]: c for c in _seal(stage)["conditions"]}
    blockers = conditions.get("negative_sample", {}).get("blocked_by", [])
    if not blockers:
        return
    stage.clock(day, 19)
    for person in blockers:
        stage.teams.sample(person, f"release.{stage.district.edition}")
    stage.desk.do("screening.record_samples", samples=stage.teams.samples)
    stage.clock(day, 22)
    taken = stage.teams.deliver_samples(f"release.{stage.district.edition}", LABORATORY)
    stage.desk.settle()
    stage.screen.good(
        f"补采挡住解除的 {taken} 人，全部阴性。",
        f"{taken} people whose missing sample blocked the release: swabbed, all negative.",
    )


def _after_release(stage: Stage, due_on: date) -> None:
    seal = _seal(stage)
    orders = open_orders(stage.desk, seal_id=stage.seal_id)
    sealed = sum(1 for order in orders if order["measure"] == "sealed")
    rounds = stage.desk.all("dispatch.find_rounds", "rounds", seal_id=stage.seal_id, state="open")
    stage.checks.equal("the seal is released", "released", seal["state"])
    stage.checks.equal("sealed orders left", 0, sealed)
    stage.checks.equal("rounds left", 0, sum(1 for _ in rounds))
    stage.report["release"] |= {
        "due_on": due_on.isoformat(),
        "due_at": f"{due_on.isoformat()}T24:00+08:00",
        "state": seal["state"],
        "conditions": [
            {"name": c["name"], "met": c["met"], "owner": c.get("owner")}
            for c in seal["conditions"]
        ],
    }
    stage.screen.good(
        f"{due_on} 24:00 期满，医生按清单签字，开门。",
        f"{due_on} 24:00: due; a medic decides with the checklist attached; the gate opens.",
    )
