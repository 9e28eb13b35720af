"""The release: refused while something stands in the way, decided when nothing does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from lianfang.demo.daily import hold_days
from lianfang.demo.findings import open_orders
from lianfang.demo.ledger import DISCARDED_ON
from lianfang.demo.stage import LABORATORY, MEDIC, Stage
from lianfang.errors import Rejected


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
    conditions = _seal(stage)["conditions"]
    _show(stage, conditions)
    stage.clock(last_due + timedelta(days=1), 0, 20)
    stage.teams.finish_tasks(("release_check",), seal_id=stage.seal_id)
    desk.do("isolation.release_seal", seal_id=stage.seal_id, decided_by=MEDIC)
    desk.settle()
    _after_release(stage, last_due, conditions)


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


def _after_release(stage: Stage, due_on: date, conditions: list[dict[str, Any]]) -> None:
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
            {"name": c["name"], "met": c["met"], "owner": c.get("owner")} for c in conditions
        ],
    }
    stage.screen.good(
        f"{due_on} 24:00 期满，医生按清单签字，开门。",
        f"{due_on} 24:00: due; a medic decides with the checklist attached; the gate opens.",
    )
