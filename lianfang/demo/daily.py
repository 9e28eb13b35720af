"""Day after day in a sealed building: every round of every household, and one fever."""

from __future__ import annotations

from datetime import date, timedelta

from lianfang.demo.fieldwork import EVENING, MORNING, NOON
from lianfang.demo.findings import open_orders
from lianfang.demo.stage import LABORATORY, Stage

FEVER_ON = date(2020, 2, 8)


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
    stage.teams.learn()
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
