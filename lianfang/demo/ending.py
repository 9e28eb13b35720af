"""The end: the invariants of the whole run, and the report."""

from __future__ import annotations

from lianfang.demo.checks import FALLBACK, write
from lianfang.demo.findings import parked, waiting_by_level
from lianfang.demo.invariants import figures, show
from lianfang.demo.stage import Stage


def invariants(stage: Stage, parked_before: int) -> None:
    """Nothing lost, nothing twice, nothing parked, everything equal to the ledger."""
    screen, desk = stage.screen, stage.desk
    screen.chapter("核对不变量", "The invariants")
    desk.settle()
    findings = stage.witness.look()
    show(screen, findings)
    stage.report |= {
        **figures(findings),
        "parked": parked(desk) - parked_before,
        "rounds_held": stage.teams.rounds_held,
        "stops_recorded": stage.teams.stops_recorded,
        "tasks_done": stage.teams.tasks_done,
    }
    for name in ("lost", "duplicates", "parked"):
        stage.checks.equal(name, 0, stage.report[name])
    stage.checks.equal("audit", {}, stage.report["audit"]["broken"])
    waiting = waiting_by_level(desk, stage.district.path)
    stage.report["waiting_by_level"] = dict(waiting)
    screen.table(
        ("无床位可转运的任务，已逐级上提", "Tasks that wait for beds have climbed"),
        [("层级", "level"), ("任务", "tasks")],
        [(screen.word(level), n) for level, n in waiting.most_common()],
    )
    screen.table(
        ("全程", "The whole run"),
        [("项目", "what"), ("数", "figure")],
        [
            (screen.pick("申报丢失", "declarations lost"), stage.report["lost"]),
            (screen.pick("重复", "duplicates"), stage.report["duplicates"]),
            (screen.pick("滞留消息", "parked messages"), stage.report["parked"]),
            (screen.pick("已跑轮次", "rounds held"), stage.teams.rounds_held),
            (screen.pick("上门记录", "stops recorded"), stage.teams.stops_recorded),
            (screen.pick("完成任务", "tasks done"), stage.teams.tasks_done),
        ],
    )


def report(stage: Stage, seconds: float) -> bool:
    """Say what holds, write the report; whether all holds."""
    screen, failed = stage.screen, stage.checks.failed
    stage.report |= {
        "seconds": round(seconds, 1),
        "holds": not failed,
        "checks": stage.checks.document(),
    }
    for check in failed:
        screen.bad(
            f"{check.name}：应为 {check.expected}，实为 {check.found}",
            f"{check.name}: expected {check.expected}, found {check.found}",
        )
    folder = write(stage.report, stage.ledger.document(), FALLBACK)
    made = len(stage.checks.made)
    screen.say(f"报告：{folder}/report.json", f"Report: {folder}/report.json")
    if not failed:
        screen.good(
            f"{made} 项核对全部成立，用时 {seconds:.0f} 秒。",
            f"All {made} checks hold, in {seconds:.0f} seconds.",
        )
    return not failed
