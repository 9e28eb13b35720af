"""One person's order: quarantine for the exposed, isolation for the infected, at most one open.

    ordered -> served -> release_due -> released
    any open -> superseded | withdrawn | ended_by_death

An order stands on reasons. Its measure is the strictest of them, its last day the latest. A reason
that went stays on record, so an ended order shows the strictest it ever bore, in whatever order its
reasons went.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.errors import IllegalTransition
from lianfang.events.isolation import Cause, OrderSnapshot
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState
from services.isolation.domain.history import Step

#: States in which an order binds or is about to.
OPEN = (OrderState.ORDERED, OrderState.SERVED, OrderState.OBSERVING, OrderState.RELEASE_DUE)

#: Strictest first.
_STRICTNESS = (Measure.ISOLATION, Measure.FACILITY, Measure.SEALED, Measure.HOME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an order stands: what asks for which measure until when. `stands` falls when it goes."""

    kind: CauseKind
    id: str
    due_on: date
    measure: Measure
    exception_reason: str | None = None
    stands: bool = True

    @property
    def key(self) -> tuple[CauseKind, str]:
        """What identifies the reason while its day and measure change."""
        return self.kind, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """See the module. `episode` counts a person's orders; the id is natural in both."""

    order_id: str
    person_id: str
    episode: int
    household_id: str
    building: str
    measure: Measure
    state: OrderState
    start_on: date
    due_on: date
    reasons: tuple[Reason, ...]
    ordered_at: datetime
    seal_id: str | None = None
    needs: tuple[Need, ...] = ()
    guardian_id: str | None = None
    exception_reason: str | None = None
    waitlisted: bool = False
    at_home: bool = True
    served_by: str | None = None
    served_at: datetime | None = None
    notice: str | None = None
    is_open: bool = True
    revision: int = 1
    history: tuple[Step, ...] = ()

    @property
    def standing(self) -> tuple[Reason, ...]:
        """The reasons it still stands on."""
        return tuple(reason for reason in self.reasons if reason.stands)

    @property
    def is_isolation(self) -> bool:
        """Whether it is for the infected."""
        return self.measure == Measure.ISOLATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What should stand for one person, computed from facts."""

    person_id: str
    household_id: str
    building: str
    reasons: tuple[Reason, ...] = ()
    seal_id: str | None = None
    needs: tuple[Need, ...] = ()
    guardian_id: str | None = None
    at_home: bool = True
    is_dead: bool = False
    is_recovered: bool = False
    notice: tuple[datetime, str] | None = None

    @property
    def is_infected(self) -> bool:
        """Whether isolation is asked for."""
        return any(reason.measure == Measure.ISOLATION for reason in self.reasons)


def strictest(reasons: Iterable[Reason]) -> Measure:
    """The strictest measure that some reasons ask for."""
    return min((reason.measure for reason in reasons), key=_STRICTNESS.index)


def order_id(person_id: str, episode: int) -> str:
    """The id of a person's order."""
    return natural_id("order", person_id, episode)


def open_order(wanted: Wanted, episode: int, now: datetime) -> Order:
    """A new order for what is wanted."""
    return Order(
        order_id=order_id(wanted.person_id, episode),
        person_id=wanted.person_id,
        episode=episode,
        state=OrderState.ORDERED,
        start_on=day_of(now),
        reasons=wanted.reasons,
        ordered_at=now,
        history=(Step(at=now, what=OrderState.ORDERED),),
        **_shape(wanted.reasons, wanted),
    )


def _shape(standing: tuple[Reason, ...], wanted: Wanted) -> dict[str, Any]:
    """Where the order binds, how strictly and until when, as its standing reasons ask."""
    measure = strictest(standing)
    excepted = next((r.exception_reason for r in standing if r.exception_reason), None)
    return {
        "household_id": wanted.household_id,
        "building": wanted.building,
        "measure": measure,
        "due_on": max(reason.due_on for reason in standing),
        "seal_id": wanted.seal_id,
        "needs": wanted.needs,
        "guardian_id": wanted.guardian_id,
        "exception_reason": excepted if measure != Measure.FACILITY else None,
        "waitlisted": measure == Measure.FACILITY,
        "at_home": wanted.at_home,
    }


def revise(order: Order, wanted: Wanted, now: datetime) -> Order:
    """The open order as it should now be; the same order when nothing changed.

    A notice handed over since the order was given serves it. A later last day takes an order that
    was due for release back.
    """
    if wanted.reasons == order.reasons:
        merged = order.reasons
    else:
        merged = _merge(order.reasons, wanted.reasons)
    standing = tuple(reason for reason in merged if reason.stands)
    new = replace(order, reasons=merged, **_shape(standing, wanted))
    what = "revised"
    if order.state == OrderState.RELEASE_DUE and new.due_on > order.due_on:
        new = replace(new, state=OrderState.SERVED if order.served_at else OrderState.ORDERED)
    notice = wanted.notice
    if new.state == OrderState.ORDERED and notice is not None and notice[0] >= order.ordered_at:
        new = replace(
            new, state=OrderState.SERVED, served_at=notice[0], served_by=notice[1], notice="round"
        )
        what = OrderState.SERVED
    if new == order:
        return order
    return _aged(new, order, Step(at=now, what=what))


def _merge(before: tuple[Reason, ...], wanted: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Wanted reasons as they are, gone ones kept as fallen; ordered by key."""
    merged = {r.key: replace(r, stands=False) for r in before}
    merged |= {r.key: r for r in wanted}
    return tuple(merged[key] for key in sorted(merged))


def _aged(new: Order, old: Order, step: Step) -> Order:
    return replace(new, revision=old.revision + 1, history=(*old.history, step))


def end(order: Order, to: OrderState, now: datetime, why: str, by: str | None = None) -> Order:
    """The order ended: every reason fallen, measure and day the strictest and latest it ever bore.

    Raises:
        IllegalTransition: it has ended already.
    """
    if not order.is_open:
        raise IllegalTransition.of(f"order {order.order_id}", order.state, to)
    seals = [r.id for r in order.reasons if r.kind == CauseKind.SEAL]
    ended = replace(
        order,
        state=to,
        is_open=False,
        reasons=tuple(replace(reason, stands=False) for reason in order.reasons),
        measure=strictest(order.reasons),
        due_on=max(reason.due_on for reason in order.reasons),
        seal_id=max(seals, default=None),
        needs=(),
        guardian_id=None,
        exception_reason=None,
        waitlisted=False,
        at_home=False,
    )
    return _aged(ended, order, Step(at=now, what=to, by=by, why=why))


def serve(order: Order, at: datetime, by: str, notice: str | None, now: datetime) -> Order:
    """The order handed over; serving it again changes nothing.

    Raises:
        IllegalTransition: it has ended.
    """
    if not order.is_open:
        raise IllegalTransition.of(f"order {order.order_id}", order.state, OrderState.SERVED)
    if order.state != OrderState.ORDERED:
        return order
    served = replace(
        order, state=OrderState.SERVED, served_at=at, served_by=by, notice=notice or "handed over"
    )
    return _aged(served, order, Step(at=now, what=OrderState.SERVED, by=by))


def fall_due(order: Order, now: datetime) -> Order:
    """The order whose last day is over; it waits for somebody's decision."""
    due = replace(order, state=OrderState.RELEASE_DUE)
    return _aged(due, order, Step(at=now, what=OrderState.RELEASE_DUE))


def snapshot(order: Order) -> OrderSnapshot:
    """The order as others may see it; an ended one lists every cause it ever had."""
    reasons = order.standing if order.is_open else order.reasons
    return OrderSnapshot(
        order_id=order.order_id,
        person_id=order.person_id,
        household_id=order.household_id,
        building=order.building,
        measure=order.measure,
        state=order.state,
        start_on=order.start_on,
        due_on=order.due_on,
        causes=tuple(Cause(kind=r.kind, id=r.id, due_on=r.due_on) for r in reasons),
        revision=order.revision,
        seal_id=order.seal_id,
        needs=order.needs,
        guardian_id=order.guardian_id,
        exception_reason=order.exception_reason,
        waitlisted=order.waitlisted,
        at_home=order.at_home,
    )


def consumed(orders: Iterable[Order]) -> dict[tuple[CauseKind, str], date]:
    """Reasons that a release has settled, with the day they were settled for.

    A seal is never settled for one person: whoever is inside while it closes is bound by it, also
    somebody who comes home recovered.
    """
    settled: dict[tuple[CauseKind, str], date] = {}
    for order in orders:
        if order.state != OrderState.RELEASED:
            continue
        for reason in order.reasons:
            if reason.kind != CauseKind.SEAL:
                settled[reason.key] = max(reason.due_on, settled.get(reason.key, reason.due_on))
    return settled
