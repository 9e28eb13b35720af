"""The log and the parked messages, with the indexes beside the queries that need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from lianfang.envelope import Envelope
from lianfang.runtime import replays
from lianfang.runtime.documents import Collection, Index, Page, Reader
from lianfang.runtime.work import Work
from services.journal.domain.entry import LogEntry
from services.journal.domain.masking import masked_log
from services.journal.domain.parked import (
    AUTOMATIC,
    DELIVERY_LIMIT,
    PATIENCE,
    ParkedMessage,
    ParkedState,
    is_victim,
)

#: Every list is in the order of time; `_id` at the end lets a page go on from any entry.
EVENTS = Collection(
    "events",
    LogEntry,
    "event_id",
    [
        Index("at", "_id"),
        Index("correlation_id", "at", "_id"),
        Index("causation_id"),
        Index("place", "at", "_id"),
        Index("type", "at", "_id"),
        Index("subject", "at", "_id"),
    ],
)
PARKED = Collection(
    "parked",
    ParkedMessage,
    "parked_id",
    [
        Index("parked_at", "_id"),
        Index("state", "parked_at", "_id"),
        Index("state", "reason", "attempt", "parked_at", "_id"),
    ],
)

#: How far a chain of causes is followed; real ones have fewer than ten links.
_CHAIN_LIMIT = 100
_FLOW_SPAN = timedelta(hours=1)
_MOST_CAUSES = 500


# -- the log ----------------------------------------------------------------------------------


def load_known(work: Work, envelopes: Sequence[Envelope]) -> None:
    """Look up in one round trip which of a batch the log has already."""
    work.load(EVENTS, [envelope.id for envelope in envelopes])


def keep(work: Work, envelope: Envelope) -> None:
    """Write an event once; a second copy changes nothing."""
    if work.get(EVENTS, envelope.id) is not None:
        return
    work.save(
        EVENTS,
        LogEntry(
            event_id=envelope.id,
            type=envelope.type,
            dataschema=envelope.dataschema,
            source=envelope.source,
            subject=envelope.subject,
            at=envelope.time,
            recorded_at=work.now,
            correlation_id=envelope.correlationid,
            causation_id=envelope.causationid,
            place=envelope.place,
            data=orjson.dumps(masked_log(envelope.type, envelope.data)),
            traceparent=envelope.traceparent,
        ),
    )


def page_of_events(
    reader: Reader, where: Mapping[str, Any], after: str | None, limit: int
) -> Page[LogEntry]:
    """The newest first."""
    return reader.page(EVENTS, where, "-at", after, limit)


def trace(reader: Reader, correlation_id: str, after: str | None, limit: int) -> Page[LogEntry]:
    """All that one beginning started, in the order of time."""
    return reader.page(EVENTS, {"correlation_id": correlation_id}, "at", after, limit)


def chain(reader: Reader, event: LogEntry) -> list[LogEntry]:
    """The events that led to this one, the first cause first.

    It begins where the cause is no event of the log: a command or a timer.
    """
    links, seen = [event], {event.event_id}
    while len(links) < _CHAIN_LIMIT and links[-1].causation_id not in seen:
        cause = reader.get(EVENTS, links[-1].causation_id)
        if cause is None:
            break
        seen.add(cause.event_id)
        links.append(cause)
    return links[::-1]


def effects(reader: Reader, event_id: str, limit: int) -> list[LogEntry]:
    """The events that this one led to directly."""
    where = {"causation_id": event_id, "_id": {"$ne": event_id}}
    return reader.find(EVENTS, where, [("at", 1), ("_id", 1)], limit)


def flow(
    reader: Reader, place: str | None, from_at: datetime | None, until_at: datetime | None
) -> dict[str, Any]:
    """Counts by type and by minute; without a beginning, the last hour in which anything came."""
    where: dict[str, Any] = {} if place is None else {"place": under(place)}
    if from_at is None:
        newest = reader.find(EVENTS, {**where, **span(None, until_at)}, [("at", -1)], 1)
        if not newest:
            return {"types": [], "minutes": []}
        from_at = newest[0].at - _FLOW_SPAN
    match = {"$match": {**where, **span(from_at, until_at)}}
    minute = {"$dateTrunc": {"date": "$at", "unit": "minute"}}
    group = {"_id": {"type": "$type", "minute": minute}, "count": {"$sum": 1}}
    types: dict[str, int] = {}
    minutes: dict[datetime, int] = {}
    for row in reader.aggregate(EVENTS, [match, {"$group": group}]):
        key, count = row["_id"], row["count"]
        types[key["type"]] = types.get(key["type"], 0) + count
        minutes[key["minute"]] = minutes.get(key["minute"], 0) + count
    return {
        "types": [{"type": name, "count": types[name]} for name in sorted(types)],
        "minutes": [{"minute": at, "count": minutes[at]} for at in sorted(minutes)],
    }


def under(place: str) -> dict[str, str]:
    """A place and all below it: a range of the index, because `/` follows `.`."""
    return {"$gte": place, "$lt": f"{place}/"}


def span(from_at: datetime | None, until_at: datetime | None) -> dict[str, Any]:
    """From an instant on and before another; nothing where neither is given."""
    bounds = {"$gte": from_at, "$lt": until_at}
    given = {operator: instant for operator, instant in bounds.items() if instant is not None}
    return {"at": given} if given else {}


# -- parked messages --------------------------------------------------------------------------


def page_of_parked(
    reader: Reader, where: Mapping[str, Any], after: str | None, limit: int
) -> Page[ParkedMessage]:
    """What was parked last first."""
    return reader.page(PARKED, where, "-parked_at", after, limit)


def causes_of_parked(reader: Reader, state: ParkedState) -> list[dict[str, Any]]:
    """What went wrong where, the most frequent first, with the newest message of each cause."""
    cause = {name: f"${name}" for name in ("reason", "origin", "stack")}
    newest = {name: {"$last": f"${name}"} for name in ("type", "error")}
    group = {
        "_id": cause,
        "count": {"$sum": 1},
        "first_at": {"$first": "$parked_at"},
        "last_at": {"$last": "$parked_at"},
        "parked_id": {"$last": "$_id"},
        **newest,
    }
    pipeline = [
        {"$match": {"state": state}},
        {"$sort": {"parked_at": 1, "_id": 1}},
        {"$group": group},
        {"$sort": {"count": -1, "_id": 1}},
        {"$limit": _MOST_CAUSES},
    ]
    return [{**row, **row["_id"]} for row in reader.aggregate(PARKED, pipeline)]


def count_parked(reader: Reader, state: ParkedState) -> int:
    """How many messages are in a state."""
    return reader.count(PARKED, {"state": state})


def refused_replays(reader: Any, _now: datetime, limit: int) -> list[str]:
    """Replays that found no queue."""
    return replays.refused(reader, limit)


def next_victim(reader: Reader, now: datetime, _limit: int) -> list[str]:
    """The one to replay next by itself; nobody while another is under way."""
    under_way = {
        "state": ParkedState.REPLAYING,
        "replayed_by": AUTOMATIC,
        "replayed_at": {"$gt": now - PATIENCE},
    }
    if reader.find(PARKED, under_way, None, 1):
        return []
    died = {"state": ParkedState.PARKED, "reason": DELIVERY_LIMIT, "attempt": 1}
    oldest = reader.find(PARKED, died, [("parked_at", 1), ("_id", 1)], 1)
    return [message.parked_id for message in oldest if is_victim(message)]
