"""Puts decisions about many people into events: per building, in chunks, households kept whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from lianfang.envelope import natural_id
from lianfang.events import CHUNK
from lianfang.events.isolation import (
    IsolationEnded,
    IsolationOrdered,
    OrdersEvent,
    QuarantineExtended,
    QuarantineOrdered,
    QuarantineReleased,
    QuarantineServed,
    QuarantineWithdrawn,
    RollAmended,
    RollEntry,
)
from services.isolation.domain.orders import snapshot
from services.isolation.domain.reconcile import Change, Changed
from services.isolation.domain.roll import Entry

T = TypeVar("T")

_QUARANTINE: dict[Change, type[OrdersEvent]] = {
    Change.ORDERED: QuarantineOrdered,
    Change.SERVED: QuarantineServed,
    Change.EXTENDED: QuarantineExtended,
    Change.RELEASED: QuarantineReleased,
    Change.WITHDRAWN: QuarantineWithdrawn,
}
_ISOLATION: dict[Change, type[OrdersEvent]] = {
    Change.ORDERED: IsolationOrdered,
    Change.SERVED: IsolationOrdered,
    Change.EXTENDED: IsolationOrdered,
    Change.RELEASED: IsolationEnded,
    Change.WITHDRAWN: IsolationEnded,
}
#: Ends are said before beginnings, so that a reader rarely sees two open orders of a person.
_SEQUENCE = (
    QuarantineWithdrawn,
    QuarantineReleased,
    IsolationEnded,
    IsolationOrdered,
    QuarantineOrdered,
    QuarantineExtended,
    QuarantineServed,
)


def in_chunks(
    items: Iterable[T], household: Callable[[T], str], size: int = CHUNK
) -> Iterator[tuple[T, ...]]:
    """The items in chunks of at most `size`, ordered so that no household spans two of them.

    A household larger than a chunk, which no flat is, fills chunks of its own.
    """
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(household(item), []).append(item)
    chunk: list[T] = []
    for key in sorted(groups):
        group = groups[key]
        if chunk and len(chunk) + len(group) > size:
            yield tuple(chunk)
            chunk = []
        chunk += group
        while len(chunk) > size:
            yield tuple(chunk[:size])
            chunk = chunk[size:]
    if chunk:
        yield tuple(chunk)


def order_events(
    changes: Sequence[Changed], decision: str, policy_version: str, reason: str | None = None
) -> Iterator[OrdersEvent]:
    """The events that tell these changes. `decision` is natural in what was decided."""
    groups: dict[tuple[int, str], list[Changed]] = {}
    for changed in changes:
        words = _ISOLATION if changed.order.is_isolation else _QUARANTINE
        rank = _SEQUENCE.index(words[changed.change])
        groups.setdefault((rank, changed.order.building), []).append(changed)
    for rank, building in sorted(groups):
        kind = _SEQUENCE[rank]
        chunks = list(in_chunks(groups[rank, building], lambda c: c.order.household_id))
        for number, chunk in enumerate(chunks, 1):
            yield kind(
                decision_id=natural_id("decision", decision, kind.TYPE, building),
                building=building,
                orders=tuple(snapshot(changed.order) for changed in chunk),
                policy_version=policy_version,
                reason=reason,
                chunk=number,
                chunks=len(chunks),
            )


def roll_events(
    seal_id: str,
    building: str,
    entries: Iterable[tuple[str, Entry]],
    decision: str,
    policy_version: str,
) -> Iterator[RollAmended]:
    """The events that tell what became of people on a roll; entries come with their household."""
    chunks = list(in_chunks(entries, lambda pair: pair[0]))
    for number, chunk in enumerate(chunks, 1):
        yield RollAmended(
            decision_id=natural_id("decision", decision, RollAmended.TYPE, seal_id),
            seal_id=seal_id,
            building=building,
            entries=tuple(
                RollEntry(
                    person_id=entry.person_id,
                    household_id=household_id,
                    status=entry.status,
                    reason=entry.reason,
                    revision=entry.revision,
                    order_id=entry.order_id,
                )
                for household_id, entry in chunk
            ),
            policy_version=policy_version,
            chunk=number,
            chunks=len(chunks),
        )
