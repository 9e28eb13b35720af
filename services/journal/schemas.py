"""What the journal is asked and what it answers."""

from __future__ import annotations

from typing import Any

import orjson
from marshmallow import fields, validate

from lianfang.schemas.fields import (
    Answer,
    Count,
    EnumField,
    Id,
    Instant,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from services.journal.domain.entry import LogEntry
from services.journal.domain.masking import masked_parked
from services.journal.domain.parked import ParkedMessage, ParkedState

#: An answer shows the data of its events up to this many bytes together; `get_event` shows any.
DATA_BUDGET = 512 * 1024
_REASON = 500


def _after() -> Text:
    return Text(max=500, load_default=None)


def _limit() -> Count:
    return Count(min=1, max=500, load_default=50)


def _type() -> Text:
    return Text(load_default=None, max=60, validate=validate.Regexp(r"[a-z]+\.[a-z_]+\Z"))


class FindEventsRequest(Request):
    """Events that match all that is given; `place` means it and all below."""

    type = _type()
    place = PlacePath(load_default=None)
    correlation_id = Text(load_default=None)
    subject = Text(load_default=None)
    from_at = Instant(load_default=None)
    until_at = Instant(load_default=None)
    after = _after()
    limit = _limit()


class GetEventRequest(Request):
    """One event by its id."""

    event_id = Id(required=True)


class GetTraceRequest(Request):
    """What one case, declaration or command started."""

    correlation_id = Text(required=True, min=1)
    after = _after()
    limit = Count(min=1, max=500, load_default=500)


class GetFlowRequest(Request):
    """What flowed at a place in a span of time; by default the last hour in which anything came."""

    place = PlacePath(load_default=None)
    from_at = Instant(load_default=None)
    until_at = Instant(load_default=None)


class EventAnswer(Answer):
    """One event of the log; `data` is null when the answer would become too large with it."""

    event_id = Text()
    type = Text()
    dataschema = Text()
    source = Text()
    subject = Text()
    at = Instant()
    recorded_at = Instant()
    correlation_id = Text()
    causation_id = Text()
    place = Text()
    traceparent = Text()
    data_bytes = Count()
    data = fields.Raw()


class EventsAnswer(Answer):
    """Events, and where the next page begins."""

    events = ListOf(EventAnswer)
    next = Text()


class OneEventAnswer(Answer):
    """One event, its data whatever its size, and the ids of what it led to."""

    event = fields.Nested(EventAnswer)
    led_to = ListOf(EventAnswer)


class TypeCount(Answer):
    """How many of one type."""

    type = Text()
    count = Count()


class MinuteCount(Answer):
    """How many in the minute that begins at `minute`."""

    minute = Instant()
    count = Count()


class FlowAnswer(Answer):
    """What flowed."""

    types = ListOf(TypeCount)
    minutes = ListOf(MinuteCount)


class FindParkedRequest(Request):
    """Parked messages that match all that is given."""

    state = EnumField(ParkedState, load_default=None)
    reason = Text(load_default=None)
    origin = Text(load_default=None)
    stack = Text(load_default=None)
    after = _after()
    limit = _limit()


class CountParkedRequest(Request):
    """Those in one state."""

    state = EnumField(ParkedState, load_default=ParkedState.PARKED)


class ParkedRequest(Request):
    """One parked message."""

    parked_id = Id(required=True)


class DiscardParkedRequest(ParkedRequest):
    """Give one up; the actor or the caller answers for it."""

    reason = Text(required=True, min=1, max=_REASON)


class ParkedAnswer(Answer):
    """A parked message without its content."""

    parked_id = Text()
    origin = Text()
    reason = Text()
    error = Text()
    stack = Text()
    tries = Count()
    type = Text()
    message_id = Text()
    size = Count()
    state = EnumField(ParkedState)
    attempt = Count()
    revision = Count()
    parked_at = Instant()
    replayed_at = Instant()
    replayed_by = Text()
    discarded_at = Instant()
    discarded_by = Text()
    discard_reason = Text()


class ParkedListAnswer(Answer):
    """Parked messages, and where the next page begins."""

    parked = ListOf(ParkedAnswer)
    next = Text()


class ParkedCause(Answer):
    """Messages that one subscription could not handle for one reason, with the newest of them."""

    reason = Text()
    origin = Text()
    stack = Text()
    count = Count()
    first_at = Instant()
    last_at = Instant()
    parked_id = Text()
    type = Text()
    error = Text()


class ParkedCausesAnswer(Answer):
    """The causes (at most 500), the most frequent first, and how many messages there are."""

    causes = ListOf(ParkedCause)
    count = Count()


class ParkedContentAnswer(ParkedAnswer):
    """A parked message with its content, masked: `body` is null where it is no JSON."""

    body = fields.Raw()
    headers = fields.Raw()
    content_type = Text()


def event_documents(entries: list[LogEntry], budget: int = DATA_BUDGET) -> list[dict[str, Any]]:
    """Events with their data as long as it fits into one answer."""
    documents = []
    for entry in entries:
        budget -= len(entry.data)
        data = orjson.loads(entry.data) if budget >= 0 else None
        documents.append({**_plain(entry), "data": data, "data_bytes": len(entry.data)})
    return documents


def content_document(message: ParkedMessage, opened: dict[str, Any]) -> dict[str, Any]:
    """A parked message with what can be shown of its content."""
    return {
        **_plain(message),
        "body": masked_parked(_json(bytes(opened["body"]))),
        "headers": masked_parked(_json(bytes(opened["headers"]))),
        "content_type": opened["content_type"][:100],
    }


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _plain(record: LogEntry | ParkedMessage) -> dict[str, Any]:
    hidden = {"data", "sealed"}
    return {name: getattr(record, name) for name in record.__slots__ if name not in hidden}
