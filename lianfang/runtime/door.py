"""The event door: what is looked at before any handler sees a message.

A message that is wrong carries its error from here on and touches nothing else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from lianfang.envelope import Envelope, natural_id
from lianfang.errors import InvalidPayload, LianfangError, TooLarge
from lianfang.runtime.bugs import bug_of
from lianfang.runtime.handlers import Handler
from lianfang.schemas.envelope import BODY_LIMIT, decode
from lianfang.schemas.events import load_event
from lianfang.topology import RETRY_DELAYS_MS

#: Steps of the retry ladder.
STEPS = len(RETRY_DELAYS_MS)
_JSON_TYPES = {"application/cloudevents+json", "application/json"}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the broker handed it over, before anything looked inside."""

    body: bytes
    properties: dict[str, Any]
    headers: dict[str, Any]
    tag: int = 0
    redelivered: bool = False

    @property
    def attempt(self) -> int:
        """How often this message was retried; a header that is no such count means never."""
        value = self.headers.get("x-attempt", 0)
        return value if type(value) is int and 0 <= value <= STEPS else 0


@dataclass(slots=True, eq=False)
class Message:
    """A parsed message and what became of it."""

    raw: Incoming
    envelope: Envelope | None = None
    event: Any = None
    error: LianfangError | None = None
    outcome: str = "pending"
    #: Hash of the stack of a bug; empty for every other error.
    trace: str = ""

    @property
    def id(self) -> str:
        """The event's id; for what has none, one computed from the bytes."""
        if self.envelope is not None:
            return self.envelope.id
        return natural_id("bytes", hashlib.sha256(self.raw.body).hexdigest())

    @property
    def type(self) -> str:
        """The event's type."""
        return self.envelope.type if self.envelope else "unknown"

    @property
    def correlation_id(self) -> str:
        """What started it all."""
        return self.envelope.correlationid if self.envelope else self.id

    @property
    def place(self) -> str:
        """The place of the envelope."""
        return self.envelope.place if self.envelope else ""

    def fail(self, error: LianfangError, trace: str = "") -> None:
        """Remember why this message cannot be done now."""
        self.error, self.trace = error, trace


def read_door(raw: Incoming, handler: Handler) -> Message:
    """Parse one message; a wrong one carries its error.

    What comes from `parking` is not looked at: it is there because it is wrong.
    """
    message = Message(raw)
    if handler.reads == "parked":
        message.event = raw
        return message
    try:
        _check_properties(raw)
        envelope = decode(raw.body)
        message.envelope = envelope
        message.event = envelope
        if handler.reads == "events":
            message.event = load_event(envelope.type, envelope.version, envelope.data)
    except LianfangError as error:
        message.fail(error)
    except Exception as error:
        message.fail(*bug_of(error))
    return message


def _check_properties(raw: Incoming) -> None:
    if "compression" in raw.headers:
        raise InvalidPayload.of("headers.compression", "compressed bodies are refused unopened")
    if raw.properties.get("content_encoding") not in (None, "", "utf-8", "binary"):
        raise InvalidPayload.of("content_encoding", "is not utf-8")
    if raw.properties.get("content_type") not in _JSON_TYPES:
        raise InvalidPayload.of("content_type", "is not JSON")
    if len(raw.body) > BODY_LIMIT:
        raise TooLarge(f"{len(raw.body)} bytes, at most {BODY_LIMIT}")
