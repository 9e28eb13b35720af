"""What the clock brings: climbs, lapses and last days. A clock decides no release."""

from __future__ import annotations

from lianfang.events.isolation import ReleaseDue, SealLapsed
from lianfang.runtime.work import Work
from lianfang.vocabulary import OrderState, SealState
from services.isolation import store
from services.isolation.answering import readiness, the_seal
from services.isolation.domain import orders, seals
from services.isolation.domain.conditions import shown
from services.isolation.domain.reconcile import Change
from services.isolation.domain.rules import Rules
from services.isolation.domain.turns import Turn
from services.isolation.serving import say_orders
from services.isolation.settling import guard_buildings, settle_people


def on_clock(work: Work, seal_id: str, rules: Rules) -> None:
    """An unordered seal lapses when its time is over, and climbs by the hour until then."""
    seal = the_seal(work, seal_id)
    if seal.state not in (SealState.PROPOSED, SealState.PROVISIONAL):
        return
    guard_buildings(work, seal.buildings)
    if seal.state == SealState.PROVISIONAL and seal.lapses_at <= work.now:
        why = "nobody ordered it in time"
        lapsed = seals.move(seal, SealState.LAPSED, work.now, why=why)
        turn = Turn(before=seal, after=lapsed, word=SealLapsed, why=why)
        settle_people(work, rules, turns=[turn])
    elif seal.climbs_at <= work.now:
        work.save(store.SEALS, seals.climb(seal, work.now, rules))


def on_last_day(work: Work, seal_id: str, rules: Rules) -> None:
    """The last day is over: the seal waits for a medic, who is told what still stands between."""
    seal = the_seal(work, seal_id)
    if seal.state not in (SealState.ORDERED, SealState.APPROVED) or seal.due_on >= work.today:
        return
    due = seals.move(seal, SealState.RELEASE_DUE, work.now, why="the last day is over")
    work.save(store.SEALS, due)
    event = ReleaseDue(
        seal_id=due.seal_id,
        building=due.building,
        due_on=due.due_on,
        conditions=shown(readiness(work, due, work.today, rules)),
        revision=due.revision,
    )
    work.publish(event, place=due.building, correlation_id=due.correlation_id)


def on_order_over(work: Work, order_id: str, rules: Rules) -> None:
    """An order outside any seal whose last day is over waits for somebody's decision."""
    order = work.get(store.ORDERS, order_id)
    over = order is not None and order.is_open and order.due_on < work.today
    if order is None or not over or order.state == OrderState.RELEASE_DUE:
        return
    say_orders(work, [(orders.fall_due(order, work.now), Change.EXTENDED)], rules)
