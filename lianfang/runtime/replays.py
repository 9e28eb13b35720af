"""Replays: stored bytes on their way back to the subscription they came from, and its word.

A subscription that has a replayed message behind it says so in `parking`, confirmed before the
message is acknowledged. So whoever replays knows what became of it, and does not guess from
silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lianfang.envelope import natural_id
from lianfang.runtime.door import Incoming, Message
from lianfang.runtime.publisher import Outgoing
from lianfang.runtime.work import OUTBOX, Work
from lianfang.topology import PARKING

#: Under which id somebody replays this message.
REPLAY = "x-replay"
_OUTCOME, _ORIGIN = "x-outcome", "x-origin"
_ID_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A message as it was kept."""

    origin: str
    body: bytes
    headers: Mapping[str, Any]
    message_id: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the subscription `origin` has behind it."""

    replay_id: str
    origin: str


def replay(work: Work, replay_id: str, stored: Stored) -> None:
    """Send stored bytes to their stored origin queue again when this unit commits."""
    headers = {**stored.headers, "x-message-id": stored.message_id, REPLAY: replay_id}
    row_id = natural_id("replay", replay_id, work.causation_id, len(work.rows))
    work.send_to_queue(
        row_id, stored.origin, stored.body, headers=headers, content_type=stored.content_type
    )


def refused(reader: Any, limit: int) -> list[str]:
    """The replays that the broker takes for no queue."""
    rows = reader.raw(OUTBOX).find({"stuck": True, "exchange": ""}, {"headers": 1}).limit(limit)
    return [row["headers"][REPLAY] for row in rows]


def take_back(work: Work, replay_id: str) -> str | None:
    """Forget a replay that the broker refuses; returns what it said, None where it refuses none."""
    where = {"stuck": True, "exchange": "", f"headers.{REPLAY}": replay_id}
    row = work.raw(OUTBOX).find_one_and_delete(where, session=work.session)
    return None if row is None else str(row["error"])


def replay_id_of(raw: Incoming) -> str | None:
    """Under which id this message is being replayed; None where nobody replays it."""
    value = raw.headers.get(REPLAY)
    return value if isinstance(value, str) and 0 < len(value) <= _ID_LENGTH else None


def word_of(message: Message, queue: str) -> Outgoing | None:
    """What to say of a message that is done; None where nobody waits for a word."""
    replay_id = replay_id_of(message.raw)
    if replay_id is None:
        return None
    return Outgoing(
        id=natural_id("word", queue, replay_id, message.raw.tag),
        exchange=PARKING,
        routing_key=queue,
        body=b"",
        headers={REPLAY: replay_id, _ORIGIN: queue, _OUTCOME: message.outcome},
    )


def read_word(raw: Incoming) -> Word | None:
    """A subscription's word; None for a message that was parked.

    What the broker itself parks has the headers of whoever sent it, and its own `x-death`.
    """
    replay_id, origin = replay_id_of(raw), raw.headers.get(_ORIGIN)
    if raw.body or "x-death" in raw.headers or _OUTCOME not in raw.headers or replay_id is None:
        return None
    return Word(replay_id=replay_id, origin=str(origin))
