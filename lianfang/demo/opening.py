"""The opening, 2 February: a district is loaded, 2,000 people declare, everybody gets a verdict."""

from __future__ import annotations

from collections import Counter

from lianfang.client.ledger import Ledger
from lianfang.demo.district import EVE
from lianfang.demo.divisions import Division
from lianfang.demo.loading import enlist, load, place_rows, resident_rows, send
from lianfang.demo.staff import organisations
from lianfang.demo.stage import Stage


def load_district(stage: Stage, divisions: list[Division]) -> None:
    """Places, teams and residents, by the doors that a real district uses."""
    screen, desk, district = stage.screen, stage.desk, stage.district
    screen.chapter("装载一个区", "Load a district")
    stage.clock(EVE, 8)
    places = list(place_rows(district, divisions))
    mark = f"demo.{district.edition}.{desk.run}"
    with screen.bar("地点（真实街道、社区编码）", "places, real codes", len(places)) as step:
        taken = load(desk, "declaration.import_places", f"{mark}.places", iter(places), step)
    stage.checks.equal("places rejected", 0, taken["refused"])
    units = list(organisations(district, divisions))
    with screen.bar("五级组织与队伍", "organisations, five levels", len(units)) as step:
        teams = enlist(desk, units, step)
    with screen.bar("居民名册（全部虚构）", "residents, all invented", district.residents) as step:
        rows = resident_rows(district)
        counts = load(desk, "declaration.import_residents", f"{mark}.residents", rows, step)
    stage.checks.equal(
        "residents imported",
        (stage.ledger.residents, 0, 0),
        (counts["imported"], counts["duplicates"], counts["refused"]),
    )
    desk.settle()
    stage.report |= {"places": len(places), "teams": teams, "residents": counts["imported"]}
    screen.good(
        f"{len(places)} 个地点、{len(units)} 个组织、{teams} 支队伍、"
        f"{counts['imported']:,} 名居民。",
        f"{len(places)} places, {len(units)} organisations with {teams} teams, "
        f"{counts['imported']:,} residents.",
    )


def declare(stage: Stage) -> None:
    """2,000 full forms through the door, and the verdict on each."""
    screen, desk = stage.screen, stage.desk
    screen.chapter("自主申报", "Residents declare")
    before = _outcomes(stage)
    stage.clock(EVE, 9, 5)
    with (
        Ledger(stage.witness.receipts) as receipts,
        screen.bar("申报", "declarations", len(stage.declarants)) as step,
    ):
        stage.declaration_ids = send(desk, stage.declarants, receipts, step)
    desk.settle()
    outcomes = {name: n - before.get(name, 0) for name, n in _outcomes(stage).items()}
    outcomes = {name: n for name, n in outcomes.items() if n}
    screen.counts(("审核结果", "Verdicts"), ("结果", "outcome"), outcomes, stage.ledger.outcomes)
    stage.checks.equal("outcomes", stage.ledger.outcomes, outcomes)
    stage.report |= {
        "declared": len(set(stage.declaration_ids)),
        "outcomes": outcomes,
    }
    _visit(stage)


def _outcomes(stage: Stage) -> Counter[str]:
    answer = stage.desk.ask("screening.count_outcomes", place=stage.district.path)
    return Counter(answer["outcomes"])


def _visit(stage: Stage) -> None:
    """The trinity teams visit whoever must stay at home or waits for a bed."""
    stage.clock(EVE, 14)
    kinds = ("trinity_visit", "fever_escort")
    tasks = [
        task
        for kind in kinds
        for task in stage.desk.all(
            "dispatch.find_tasks", "tasks", kind=kind, state="assigned", place=stage.district.path
        )
    ]
    with stage.screen.bar("三位一体上门", "visits by the trinity teams", len(tasks)) as step:
        for task in tasks:
            stage.teams.finish(task)
            step()
    stage.desk.settle()
