"""The copies of messages that failed: to a step of the retry ladder, or to parking.

A copy carries the body unchanged and the sender's own headers. Everything beginning with `x-` is
written anew: kept, `x-death` would make the broker drop or poison later retries and replays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from amqp.serialization import dumps

from lianfang.envelope import natural_id
from lianfang.errors import LianfangError, Retryable
from lianfang.runtime.door import STEPS, Message
from lianfang.runtime.publisher import Outgoing
from lianfang.runtime.replays import REPLAY, replay_id_of
from lianfang.topology import PARKING, retry_exchange

_BUG_RETRIES = 1
_HEADER_TEXT = 500
#: Larger tables of foreign headers are left behind: with ours they would not fit into a frame.
_HEADERS_LIMIT = 32 * 1024


def copy_of(message: Message, queue: str) -> Outgoing:
    """The copy of a failed message; sets the outcome to `retried` or `parked`."""
    error, raw = message.error, message.raw
    attempt = raw.attempt
    retry = (isinstance(error, Retryable) and attempt < STEPS) or (
        message.trace != "" and attempt < _BUG_RETRIES
    )
    message.outcome = "retried" if retry else "parked"
    headers = _carried(raw.headers)
    headers["x-message-id"] = _message_id(message)
    if retry:
        headers["x-attempt"] = attempt + 1
        if (replay_id := replay_id_of(raw)) is not None:
            headers[REPLAY] = replay_id
        exchange = retry_exchange(attempt + 1)
    else:
        headers |= _reasons(message, queue)
        exchange = PARKING
    content_type = str(raw.properties.get("content_type") or "application/octet-stream")
    return Outgoing(
        id=natural_id("copy", queue, message.id, raw.tag, exchange),
        exchange=exchange,
        routing_key=queue,
        body=raw.body,
        headers=headers,
        content_type=content_type,
    )


def _message_id(message: Message) -> str:
    """The id under which the message first came: a copy has one of its own as its property."""
    raw = message.raw
    first = raw.headers.get("x-message-id")
    if not isinstance(first, str):
        first = raw.properties.get("message_id") or message.id
    return str(first)[:_HEADER_TEXT]


def _carried(headers: Mapping[Any, Any]) -> dict[Any, Any]:
    """The sender's own headers, as far as they can be written again."""
    own = {k: v for k, v in headers.items() if not str(k).startswith("x-")}
    try:
        fits = len(dumps("F", [own])) <= _HEADERS_LIMIT
    except Exception:
        # py-amqp reads tables that it cannot write, and says so in many ways.
        fits = False
    return own if fits else {"x-headers-dropped": len(own)}


def _reasons(message: Message, queue: str) -> dict[str, Any]:
    error = message.error or LianfangError()
    return {
        "x-origin": queue,
        "x-reason": error.code,
        "x-error": str(error)[:_HEADER_TEXT],
        "x-attempt": message.raw.attempt,
        "x-stack": message.trace,
        "x-type": message.type[:_HEADER_TEXT],
        "x-parked-at": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }
