"""The first day of the story, 3 February: from a laboratory's result to the last evening round."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lianfang.days import SHANGHAI
from lianfang.demo.district import EVE
from lianfang.demo.fieldwork import EVENING, MORNING, NOON
from lianfang.demo.findings import found_of, served_households
from lianfang.demo.ledger import FIRST_ON
from lianfang.demo.stage import (
    APPROVER,
    AUTHORITY,
    FINISHED,
    LABORATORY,
    Stage,
    compare,
    confirm,
    record_result,
)


def laboratory(stage: Stage) -> None:
    """A preliminary positive seals nothing; the re-test and a medic's word do."""
    screen, desk, case = stage.screen, stage.desk, stage.cast.case
    screen.chapter("化验单到确诊", "From the laboratory to a case")
    stage.clock(FIRST_ON, 7, 30)
    sample = record_result(stage, case, "first", "positive_preliminary", FIRST_ON)
    seals = len(list(desk.all("isolation.find_seals", "seals", place=stage.district.sealed)))
    stage.checks.equal("seals after a preliminary positive", 0, seals)
    screen.good("初筛阳性：不封楼，等待复核。", "Preliminary positive: nothing is sealed.")
    stage.clock(FIRST_ON, 8, 40)
    record_result(stage, case, "first", "positive_confirmed", FIRST_ON)
    stage.clock(FIRST_ON, 9)
    stage.cases["first"] = confirm(stage, case, sample, FIRST_ON)
    desk.do(
        "screening.record_contacts",
        case_id=stage.cases["first"],
        contacts=[
            {
                "person_id": stage.person(stage.cast.colleague)["person_id"],
                "category": "close",
                "kind": "workplace",
                "first_exposure_on": EVE.isoformat(),
                "last_exposure_on": EVE.isoformat(),
                "basis": "shared desk on the weekend shift",
            }
        ],
    )
    desk.settle()
    screen.good(
        "复核阳性，医生签字确诊；流调员补录一名同事。",
        "Confirmed by re-test and a medic's word; the investigator adds a colleague.",
    )


def cascade(stage: Stage) -> None:
    """What the one confirmed case brought about, beside the ledger; when, and why."""
    screen = stage.screen
    screen.chapter("一例确诊，全链自动", "One case, and everything follows")
    case_id, expected = stage.cases["first"], stage.ledger.first_case
    found = found_of(stage.desk, case_id, stage.district.sealed)
    seal = stage.desk.ask("isolation.get_seal", building=stage.district.sealed)
    stage.seal_id = seal["seal_id"]
    compare(stage, "first case", found, expected)
    screen.say(
        f"封控：{seal['households']} 户 {seal['persons']} 人，"
        f"{seal['day_one_on']} 为第 1 天，{seal['due_on']} 24:00 期满，"
        f"{screen.word(seal['state'])}。",
        f"Sealed: {seal['households']} households, {seal['persons']} people, "
        f"day 1 {seal['day_one_on']}, due {seal['due_on']} 24:00; {seal['state']}.",
    )
    stage.report |= {
        "seals": found.seals,
        "orders": found.orders,
        "orders_by_measure": found.orders_by_measure,
        "households": found.households,
        "persons": found.persons,
        "contacts": found.contacts,
        "contacts_by_category": found.contacts_by_category,
        "contacts_by_kind": found.contacts_by_kind,
        "tasks": found.tasks,
        "tasks_by_kind": found.tasks_by_kind,
        "first_due_on": found.due_on,
        "day_one_on": seal["day_one_on"],
    }
    _rounds_of_first_day(stage)
    _timeline(stage, case_id)
    _chain(stage, case_id)


def _rounds_of_first_day(stage: Stage) -> None:
    rounds = list(
        stage.desk.all(
            "dispatch.find_rounds", "rounds", seal_id=stage.seal_id, on=FIRST_ON.isoformat()
        )
    )
    stage.report["rounds_first_day"] = len(rounds)
    stage.screen.table(
        ("当日服务轮次（每户一站）", "Rounds of the day, one stop per household"),
        [("轮次", "round"), ("时段", "slot"), ("应到户数", "households")],
        [
            (stage.screen.word(r["kind"]), stage.screen.word(r["slot"]), r["planned"])
            for r in sorted(rounds, key=lambda r: (r["ends_at"] or "", r["kind"]))
        ],
    )


def _timeline(stage: Stage, case_id: str) -> None:
    events = stage.desk.ask("journal.get_trace", correlation_id=case_id)["events"]
    first: dict[str, dict[str, Any]] = {}
    counts: dict[str, int] = {}
    for event in events:
        counts[event["type"]] = counts.get(event["type"], 0) + 1
        first.setdefault(event["type"], event)
    stage.report["cascade_events"] = len(events)
    stage.screen.table(
        ("何时、何事、谁发出", "When, what, by whom"),
        [("时刻", "time"), ("事件", "event"), ("服务", "service"), ("条数", "messages")],
        [
            (_time(event), stage.screen.word(kind), _service(stage, event), counts[kind])
            for kind, event in first.items()
        ],
    )


def _chain(stage: Stage, case_id: str) -> None:
    """Why does this task exist? Back to the laboratory."""
    tasks = stage.desk.all(
        "dispatch.find_tasks", "tasks", correlation_id=case_id, kind="serve_notice"
    )
    task = stage.desk.ask("dispatch.get_task", task_id=next(tasks)["task_id"])
    chain = stage.desk.ask("journal.get_chain", event_id=task["opened_by"])["events"]
    types = [event["type"] for event in chain]
    stage.checks.equal(
        "why a task exists", ["sample.resulted", "case.confirmed", "seal.imposed"], types
    )
    stage.report["why"] = {"task": task["kind"], "chain": types}
    stage.screen.table(
        ("为什么有“送达隔离告知书”这项任务", "Why does the task “serve notice” exist"),
        [("时刻", "time"), ("事件", "event"), ("服务", "service"), ("类型", "type")],
        [
            (_time(event), stage.screen.word(event["type"]), _service(stage, event), event["type"])
            for event in chain
        ],
    )


def _time(event: dict[str, Any]) -> str:
    """The wall clock in Shenzhen, to the millisecond."""
    at = datetime.fromisoformat(event["at"]).astimezone(SHANGHAI)
    return f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _service(stage: Stage, event: dict[str, Any]) -> str:
    return stage.screen.service(str(event["source"]).rpartition("/")[2])


def first_day(stage: Stage) -> None:
    """The authority orders, the teams count and serve, the case leaves for the hospital."""
    screen, desk, teams = stage.screen, stage.desk, stage.teams
    screen.chapter("第一天：清点、送达、服务", "The first day: count, serve, care")
    stage.clock(FIRST_ON, 9, 40)
    teams.learn()
    desk.do("isolation.order_seal", seal_id=stage.seal_id, decided_by=AUTHORITY)
    teams.hold_rounds(FIRST_ON, MORNING)
    stage.clock(FIRST_ON, 10, 30)
    teams.hold_rounds(FIRST_ON, ("head_count", "notice"), seal_id=stage.seal_id)
    desk.do("isolation.approve_seal", seal_id=stage.seal_id, decided_by=APPROVER)
    teams.start_tasks(("gate_post",), correlation_id=stage.cases["first"])
    desk.settle()
    served = served_households(desk, stage.seal_id)
    stage.report["households_served"] = served
    stage.checks.equal("households served", stage.ledger.first_case.households, served)
    screen.good(
        f"{served} 户告知书全部送达，91 人在册全部见到。",
        f"{served} households served, everybody on the roll seen.",
    )
    done = teams.finish_tasks(FINISHED, correlation_id=stage.cases["first"])
    desk.settle()
    screen.good(
        f"{done} 项任务完成，病例已转院；密接转运等床位，挂起不假装。",
        f"{done} tasks done, the case is in hospital; contact transfers wait for beds, openly.",
    )
    teams.learn()
    stage.clock(FIRST_ON, 12, 30)
    teams.hold_rounds(FIRST_ON, NOON)
    stage.clock(FIRST_ON, 18, 30)
    teams.hold_rounds(FIRST_ON, EVENING)
    teams.deliver_samples(f"day.{stage.district.edition}.{FIRST_ON}", LABORATORY)
    desk.settle()
