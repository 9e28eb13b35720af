"""A parked message and what may become of it.

parked → replaying → replayed | parked (attempt + 1); parked → discarded (who, why). The stored
bytes never change. A message that died of the broker's delivery limit may have done no harm: it was
only in the hands of processes that were killed. It is replayed once by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import Conflict, IllegalTransition
from lianfang.events.journal import MessageDiscarded, MessageReplayed

#: The broker's own word for a message that too many processes died with.
DELIVERY_LIMIT = "delivery_limit"
#: The origin queue is gone: somebody retired the subscription.
ORIGIN_GONE = "origin_gone"
#: Who replays a victim of the delivery limit.
AUTOMATIC = "journal"
#: One victim is replayed at a time; a word that takes longer than this is waited for no more.
PATIENCE = timedelta(minutes=10)
_SUBSCRIPTION = re.compile(r"q\.[a-z]+\.[a-z0-9_.\-]+")
_TEXT = 500


class ParkedState(StrEnum):
    """Where a parked message stands."""

    PARKED = "parked"
    REPLAYING = "replaying"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the headers of a message in `parking` say about why it is there."""

    origin: str
    reason: str
    error: str
    stack: str
    tries: int
    type: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message that its subscription could not handle.

    `attempt` counts how often it was parked, `tries` how often its subscription tried before that.
    `sealed` holds body, headers and content type, encrypted; `size` is the body's.
    """

    parked_id: str
    origin: str
    reason: str
    error: str
    stack: str
    tries: int
    type: str
    message_id: str
    size: int
    sealed: bytes
    parked_at: datetime
    state: ParkedState = ParkedState.PARKED
    attempt: int = 1
    revision: int = 1
    replayed_at: datetime | None = None
    replayed_by: str | None = None
    discarded_at: datetime | None = None
    discarded_by: str | None = None
    discard_reason: str | None = None


def arrival_of(headers: Mapping[str, Any], fallback_id: str) -> Arrival:
    """Why a message was parked.

    Our own subscriptions say it in headers. A message without them died of the broker's delivery
    limit (it was in the hands of too many processes that were killed) and the broker says where.
    """
    origin, reason = _text(headers, "x-origin"), _text(headers, "x-reason")
    error = _text(headers, "x-error")
    if not origin:
        origin, reason = _death(headers)
        error = f"dead-lettered by the broker: {reason}"
    tries = headers.get("x-attempt")
    return Arrival(
        origin=origin,
        reason=reason or "unknown",
        error=error,
        stack=_text(headers, "x-stack"),
        tries=tries if isinstance(tries, int) else 0,
        type=_text(headers, "x-type") or "unknown",
        message_id=_text(headers, "x-message-id") or fallback_id,
    )


def _death(headers: Mapping[str, Any]) -> tuple[str, str]:
    deaths = headers.get("x-death")
    first = deaths[0] if isinstance(deaths, list) and deaths else {}
    if not isinstance(first, Mapping):
        first = {}
    return _text(first, "queue") or "unknown", _text(first, "reason") or "unknown"


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key)
    return value[:_TEXT] if isinstance(value, str) else ""


def parked_id_of(arrival: Arrival, body_digest: str) -> str:
    """The same bytes of the same message, parked by the same subscription, are one record."""
    return natural_id("parked", arrival.origin, arrival.message_id, body_digest)


def park(
    known: ParkedMessage | None,
    arrival: Arrival,
    *,
    parked_id: str,
    sealed: bytes,
    size: int,
    at: datetime,
) -> ParkedMessage:
    """The record after this arrival.

    A copy of what is parked already changes nothing, nor does one of a discarded message: that
    decision was about these bytes. What was replayed and comes back is parked once more.
    """
    if known is None:
        return ParkedMessage(
            parked_id=parked_id,
            origin=arrival.origin,
            reason=arrival.reason,
            error=arrival.error,
            stack=arrival.stack,
            tries=arrival.tries,
            type=arrival.type,
            message_id=arrival.message_id,
            size=size,
            sealed=sealed,
            parked_at=at,
        )
    if known.state not in (ParkedState.REPLAYING, ParkedState.REPLAYED):
        return known
    return replace(
        known,
        state=ParkedState.PARKED,
        attempt=known.attempt + 1,
        revision=known.revision + 1,
        reason=arrival.reason,
        error=arrival.error,
        stack=arrival.stack,
        tries=arrival.tries,
        parked_at=at,
    )


def replay(message: ParkedMessage, *, by: str, at: datetime) -> tuple[ParkedMessage, list[Any]]:
    """Send it to its subscription once more; one whose replay seems lost may be replayed again.

    Raises:
        IllegalTransition: it is done or discarded.
        Conflict: nobody knows the queue it came from.
    """
    _must_be(message, (ParkedState.PARKED, ParkedState.REPLAYING), ParkedState.REPLAYING)
    if not _SUBSCRIPTION.fullmatch(message.origin):
        raise Conflict(f"origin {message.origin!r} is no subscription's queue")
    changed = replace(
        message,
        state=ParkedState.REPLAYING,
        revision=message.revision + 1,
        replayed_at=at,
        replayed_by=by,
    )
    said = MessageReplayed(
        parked_id=message.parked_id,
        origin=message.origin,
        by=by,
        at=at,
        revision=changed.revision,
    )
    return changed, [said]


def is_victim(message: ParkedMessage) -> bool:
    """Whether it is replayed without anybody's word: it died of the delivery limit, and once."""
    return (
        message.state is ParkedState.PARKED
        and message.reason == DELIVERY_LIMIT
        and message.attempt == 1
        and _SUBSCRIPTION.fullmatch(message.origin) is not None
    )


def settle(message: ParkedMessage) -> ParkedMessage:
    """Its subscription has it behind it."""
    if message.state not in (ParkedState.PARKED, ParkedState.REPLAYING):
        return message
    return replace(message, state=ParkedState.REPLAYED, revision=message.revision + 1)


def refuse(message: ParkedMessage, why: str) -> ParkedMessage:
    """Its replay found no queue: it is parked as it was, and says so."""
    if message.state is not ParkedState.REPLAYING:
        return message
    return replace(
        message,
        state=ParkedState.PARKED,
        revision=message.revision + 1,
        reason=ORIGIN_GONE,
        error=why[:_TEXT],
    )


def discard(
    message: ParkedMessage, *, by: str, reason: str, at: datetime
) -> tuple[ParkedMessage, list[Any]]:
    """Give it up, by name and with a reason; it stays readable.

    Raises:
        IllegalTransition: it is not parked.
    """
    _must_be(message, (ParkedState.PARKED,), ParkedState.DISCARDED)
    changed = replace(
        message,
        state=ParkedState.DISCARDED,
        revision=message.revision + 1,
        discarded_at=at,
        discarded_by=by,
        discard_reason=reason,
    )
    said = MessageDiscarded(
        parked_id=message.parked_id,
        origin=message.origin,
        by=by,
        reason=reason,
        at=at,
        revision=changed.revision,
    )
    return changed, [said]


def _must_be(message: ParkedMessage, allowed: tuple[ParkedState, ...], wanted: ParkedState) -> None:
    if message.state not in allowed:
        raise IllegalTransition.of("parked message", message.state, wanted)
