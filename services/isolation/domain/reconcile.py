"""Compares what should stand with what does, and says what has to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from lianfang.vocabulary import CauseKind, OrderState
from services.isolation.domain.orders import (
    OPEN,
    Order,
    Reason,
    Wanted,
    consumed,
    end,
    open_order,
    revise,
)


class Change(StrEnum):
    """What happened to an order, as it will be said."""

    ORDERED = "ordered"
    SERVED = "served"
    EXTENDED = "extended"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """An order that changed, and how."""

    order: Order
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When this is decided, and which seals were released by this very decision."""

    now: datetime
    today: date
    released_seals: frozenset[str] = frozenset()


def reconcile(wanted: Wanted, orders: Iterable[Order], moment: Moment) -> tuple[Changed, ...]:
    """The changes that make the person's orders what they should be; none when they already are.

    `orders` are all the person ever had.
    """
    had = tuple(orders)
    current = next((order for order in had if order.state in OPEN), None)
    reasons = _unsettled(wanted.reasons, had)
    if wanted.is_dead:
        return _ended(current, OrderState.ENDED_BY_DEATH, "died", moment)
    if not reasons or _is_released(current, reasons, moment):
        return _over(current, wanted, reasons, moment)
    if reasons != wanted.reasons:
        wanted = replace(wanted, reasons=reasons)
    if current is None:
        new = open_order(wanted, len(had) + 1, moment.now)
        return (Changed(order=new, change=Change.ORDERED),)
    if current.is_isolation != wanted.is_infected:
        return _replaced(current, wanted, had, moment)
    revised = revise(current, wanted, moment.now)
    if revised is current:
        return ()
    return (Changed(order=revised, change=_word(current, revised)),)


def _unsettled(reasons: tuple[Reason, ...], had: tuple[Order, ...]) -> tuple[Reason, ...]:
    """The reasons that no release of these orders has settled."""
    settled = consumed(had) if had else {}
    return tuple(r for r in reasons if r.key not in settled or r.due_on > settled[r.key])


def _is_released(current: Order | None, reasons: tuple[Reason, ...], moment: Moment) -> bool:
    """Whether a seal's release ends this order: all that is left is past its own last day."""
    return (
        current is not None
        and not current.is_isolation
        and _stood_on_released(current, moment)
        and all(r.kind != CauseKind.SEAL and r.due_on < moment.today for r in reasons)
    )


def _stood_on_released(current: Order, moment: Moment) -> bool:
    return any(r.kind == CauseKind.SEAL and r.id in moment.released_seals for r in current.standing)


def _over(
    current: Order | None, wanted: Wanted, reasons: tuple[Reason, ...], moment: Moment
) -> tuple[Changed, ...]:
    if current is None:
        return ()
    if current.is_isolation and wanted.is_recovered:
        return _ended(current, OrderState.RELEASED, "recovered", moment)
    if _is_released(current, reasons, moment):
        return _ended(current, OrderState.RELEASED, "the seal was released", moment)
    return _ended(current, OrderState.WITHDRAWN, "no reason is left", moment)


def _ended(current: Order | None, to: OrderState, why: str, moment: Moment) -> tuple[Changed, ...]:
    if current is None:
        return ()
    change = Change.RELEASED if to == OrderState.RELEASED else Change.WITHDRAWN
    return (Changed(order=end(current, to, moment.now, why), change=change),)


def _replaced(
    current: Order, wanted: Wanted, had: tuple[Order, ...], moment: Moment
) -> tuple[Changed, ...]:
    """One order gives way to one of the other family: became a case, or never was one.

    A recovery's release settles what the isolation stood on beside the case too.
    """
    if wanted.is_infected:
        ended = _ended(current, OrderState.SUPERSEDED, "became a case", moment)
    elif wanted.is_recovered:
        ended = _ended(current, OrderState.RELEASED, "recovered", moment)
    else:
        ended = _ended(current, OrderState.WITHDRAWN, "is no case any more", moment)
    left = _unsettled(wanted.reasons, tuple(changed.order for changed in ended))
    if not left:
        return ended
    new = open_order(replace(wanted, reasons=left), len(had) + 1, moment.now)
    return (*ended, Changed(order=new, change=Change.ORDERED))


def _word(before: Order, after: Order) -> Change:
    just_served = before.state != OrderState.SERVED and after.state == OrderState.SERVED
    return Change.SERVED if just_served and before.reasons == after.reasons else Change.EXTENDED
