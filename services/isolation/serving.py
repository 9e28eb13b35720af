"""What people decide about single orders: serving and releasing them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianfang.errors import IllegalTransition, NotFound
from lianfang.runtime.work import Work
from lianfang.vocabulary import OrderState
from services.isolation import store
from services.isolation.answering import order_document
from services.isolation.domain import orders
from services.isolation.domain.announce import order_events
from services.isolation.domain.orders import Order
from services.isolation.domain.reconcile import Change, Changed
from services.isolation.domain.rules import Rules


def serve_order(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Somebody handed the notices over; the orders bind.

    Raises:
        NotFound: no such order; IllegalTransition: it has ended.
    """
    found = _orders(work, request["order_ids"])
    at = request.get("served_at") or work.now
    served = [
        orders.serve(order, at, request["served_by"], request.get("notice"), work.now)
        for order in found
    ]
    changed = [new for old, new in zip(found, served, strict=True) if new is not old]
    say_orders(work, [(order, Change.SERVED) for order in changed], rules)
    return {"orders": [order_document(order) for order in served]}


def release_order(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """Somebody decides that single orders are over.

    Raises:
        NotFound: no such order; IllegalTransition: its last day is not over, it hangs on a seal, or
            it is isolation, which ends with the case.
    """
    found = _orders(work, request["order_ids"])
    released = []
    for order in found:
        over = order.is_open and order.due_on < work.today
        if not over or order.is_isolation or order.seal_id is not None:
            subject = f"order {order.order_id}"
            raise IllegalTransition.of(subject, order.state, OrderState.RELEASED)
        why = "its last day is over"
        released.append(
            orders.end(order, OrderState.RELEASED, work.now, why, request["decided_by"])
        )
    say_orders(work, [(order, Change.RELEASED) for order in released], rules)
    return {"orders": [order_document(order) for order in released]}


def _orders(work: Work, order_ids: Iterable[str]) -> list[Order]:
    wanted = list(dict.fromkeys(order_ids))
    found = work.load(store.ORDERS, wanted)
    for order_id in wanted:
        if order_id not in found:
            raise NotFound.of("order", order_id)
    return [found[order_id] for order_id in wanted]


def say_orders(work: Work, changes: Iterable[tuple[Order, Change]], rules: Rules) -> None:
    """Save these orders and say how they changed."""
    changed = [Changed(order=order, change=change) for order, change in changes]
    for one in changed:
        work.save(store.ORDERS, one.order)
    for event in order_events(changed, work.causation_id, rules.version):
        work.publish(event, place=event.building)
