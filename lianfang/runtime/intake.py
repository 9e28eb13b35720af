"""What happens to incoming messages: parsed at the door, decided in one unit, settled after.

The outcome of each message is one of done, duplicate, parked or retried. A message is acknowledged
only after its effect is committed or its copy (parked, retried) is confirmed.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pymongo.errors import PyMongoError

from lianfang.envelope import Envelope, natural_id
from lianfang.errors import (
    InvalidPayload,
    LianfangError,
    Rejected,
    Retryable,
    TooLarge,
    Unavailable,
)
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Handler
from lianfang.runtime.logs import bound, log
from lianfang.runtime.metrics import BATCH_SECONDS, MESSAGES
from lianfang.runtime.publisher import Outgoing
from lianfang.runtime.work import Origin, Work
from lianfang.schemas.envelope import BODY_LIMIT, decode
from lianfang.schemas.events import load_event
from lianfang.topology import PARKING, RETRY_DELAYS_MS, retry_exchange

INBOX = "inbox"
_STEPS = len(RETRY_DELAYS_MS)
_JSON_TYPES = {"application/cloudevents+json", "application/json"}
_BUG_RETRIES = 1
_HEADER_TEXT = 500


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
        """How often this message was retried; a header of the wrong type counts as never."""
        value = self.headers.get("x-attempt", 0)
        return value if isinstance(value, int) and 0 <= value <= _STEPS else 0


@dataclass(slots=True)
class Message:
    """A parsed message and what became of it."""

    raw: Incoming
    envelope: Envelope | None = None
    event: Any = None
    error: LianfangError | None = None
    outcome: str = "pending"
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
    def causation_id(self) -> str:
        """What led to this event."""
        return self.envelope.causationid if self.envelope else self.id

    @property
    def place(self) -> str:
        """The place of the envelope."""
        return self.envelope.place if self.envelope else ""

    def fail(self, error: LianfangError, trace: str = "") -> None:
        """Remember why this message cannot be done now."""
        self.error, self.trace = error, trace


def read_door(raw: Incoming, handler: Handler) -> Message:
    """Parse one message; a wrong one carries its error and touches nothing else."""
    message = Message(raw)
    try:
        _check_properties(raw)
        if handler.reads == "parked":
            message.event = raw
            return message
        message.envelope = decode(raw.body)
        envelope = message.envelope
        if handler.reads == "envelopes":
            message.event = envelope
        else:
            message.event = load_event(envelope.type, envelope.version, envelope.data)
    except LianfangError as error:
        message.fail(error)
    return message


def _check_properties(raw: Incoming) -> None:
    if "compression" in raw.headers:
        raise InvalidPayload.of("headers.compression", "compressed bodies are refused unopened")
    if raw.properties.get("content_encoding") not in (None, "", "utf-8", "binary"):
        raise InvalidPayload.of("content_encoding", "is not utf-8")
    content_type = raw.properties.get("content_type")
    if content_type not in _JSON_TYPES:
        raise InvalidPayload.of("content_type", "is not JSON")
    if len(raw.body) > BODY_LIMIT:
        raise TooLarge(f"{len(raw.body)} bytes, at most {BODY_LIMIT}")


@dataclass
class Intake:
    """Runs batches of one subscription against the service's engine."""

    engine: Engine
    handler: Handler
    #: Asked while the database has no primary: whether to go on waiting.
    keep_waiting: Callable[[], bool] = field(default=lambda: False)

    def handle(self, service: Any, batch: Sequence[Incoming]) -> list[Message]:
        """Take a batch to its end: afterwards every message may be acknowledged.

        Raises:
            Unavailable: a copy could not be confirmed or the database stayed away; nothing of this
                batch may be acknowledged.
        """
        started = time.monotonic()
        messages = [read_door(raw, self.handler) for raw in batch]
        good = [m for m in messages if m.error is None]
        rows = self._decide(service, good) if good else []
        self._settle_failures(messages)
        self.engine.say(rows)
        self._report(messages, time.monotonic() - started)
        return messages

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, service: Any, messages: list[Message]) -> list[dict[str, Any]]:
        """One transaction for all; one by one when something other than a rejection happened."""
        try:
            return self._unit(service, messages)
        except (Unavailable, ConnectionError):
            raise
        except Retryable as error:
            if len(messages) == 1:
                messages[0].fail(error)
                return []
        except PyMongoError as error:
            if len(messages) == 1:
                messages[0].fail(_as_bug(error), _stack(error))
                return []
        except Exception as error:
            if len(messages) == 1:
                messages[0].fail(_as_bug(error), _stack(error))
                return []
        return [row for message in messages for row in self._decide(service, [message])]

    def _unit(self, service: Any, messages: list[Message]) -> list[dict[str, Any]]:
        """Run the batch; one that is rejected after a change makes it run again without."""
        excluded: dict[str, Rejected] = {}
        while True:
            try:
                outcomes, rows = self.engine.run(
                    lambda w: self._work(w, service, messages, excluded)
                )
            except _Tainted as tainted:
                excluded[tainted.message_id] = tainted.error
                continue
            for message in messages:
                message.outcome = outcomes.get(message.id, "duplicate")
                if message.id in excluded:
                    message.fail(excluded[message.id])
            return rows

    def _work(
        self, work: Work, service: Any, messages: list[Message], excluded: dict[str, Rejected]
    ) -> dict[str, str]:
        fresh = self._fresh(work, [m for m in messages if m.id not in excluded])
        if self.handler.load is not None and fresh:
            self.handler.load(work, [m.event for m in fresh])
        outcomes: dict[str, str] = {}
        for message in fresh:
            before = work.touched
            work.begin(_origin(message))
            try:
                self.handler.method(service, work, message.event)
                outcomes[message.id] = "done"
            except Rejected as error:
                if work.touched != before:
                    raise _Tainted(message.id, error) from error
                message.fail(error)
        self._note(work, outcomes)
        return outcomes

    def _fresh(self, work: Work, messages: Iterable[Message]) -> list[Message]:
        """The messages this subscription has not handled, each id once."""
        once = {message.id: message for message in messages}
        if self.handler.idempotent or not once:
            return list(once.values())
        inbox = work.raw(INBOX)
        keys = [{"sub": self.handler.name, "id": mid} for mid in once]
        seen = inbox.find({"_id": {"$in": keys}}, {"_id": 1}, session=work.session)
        done = {row["_id"]["id"] for row in seen}
        return [m for mid, m in once.items() if mid not in done]

    def _note(self, work: Work, outcomes: Iterable[str]) -> None:
        """Remember what is done; a rejected message is not, so that its replay is heard."""
        at = datetime.now(UTC)
        rows = [{"_id": {"sub": self.handler.name, "id": mid}, "at": at} for mid in outcomes]
        if rows and not self.handler.idempotent:
            work.raw(INBOX).insert_many(rows, ordered=False, session=work.session)

    # -- settling -----------------------------------------------------------------------------

    def _settle_failures(self, messages: Iterable[Message]) -> None:
        copies = [self._copy(m) for m in messages if m.error is not None]
        if copies and self.engine.publisher.publish(copies) != {copy.id for copy in copies}:
            raise Unavailable("the broker did not confirm a parked or retried copy")

    def _copy(self, message: Message) -> Outgoing:
        error, raw = message.error, message.raw
        attempt = raw.attempt
        retry = (isinstance(error, Retryable) and attempt < _STEPS) or (
            message.trace != "" and attempt < _BUG_RETRIES
        )
        message.outcome = "retried" if retry else "parked"
        headers = {k: v for k, v in raw.headers.items() if not k.startswith("x-")}
        headers["x-message-id"] = str(raw.properties.get("message_id") or message.id)[:_HEADER_TEXT]
        if retry:
            headers["x-attempt"] = attempt + 1
            exchange, key = retry_exchange(attempt + 1), self.handler.queue
        else:
            headers |= self._reasons(message)
            exchange, key = PARKING, self.handler.queue
        content_type = str(raw.properties.get("content_type") or "application/octet-stream")
        copy_id = natural_id("copy", self.handler.queue, message.id, raw.tag, exchange)
        return Outgoing(
            id=copy_id,
            exchange=exchange,
            routing_key=key,
            body=raw.body,
            headers=headers,
            content_type=content_type[:_HEADER_TEXT],
        )

    def _reasons(self, message: Message) -> dict[str, Any]:
        error = message.error
        return {
            "x-origin": self.handler.queue,
            "x-reason": error.code if error else "bug",
            "x-error": str(error)[:_HEADER_TEXT],
            "x-attempt": message.raw.attempt,
            "x-stack": message.trace[:64],
            "x-type": message.type,
            "x-parked-at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }

    def _report(self, messages: Sequence[Message], seconds: float) -> None:
        BATCH_SECONDS.labels(self.handler.name).observe(seconds)
        counts: dict[str, int] = {}
        for message in messages:
            counts[message.outcome] = counts.get(message.outcome, 0) + 1
            if message.error is not None:
                log.warning(
                    "message_" + message.outcome,
                    subscription=self.handler.name,
                    event_id=message.id,
                    event_type=message.type,
                    error_code=message.error.code,
                    attempt=message.raw.attempt,
                    stack=message.trace,
                )
        for outcome, n in counts.items():
            MESSAGES.labels(self.handler.name, outcome).inc(n)
        first = messages[0]
        with bound(correlation_id=first.correlation_id):
            log.info(
                "messages_handled",
                subscription=self.handler.name,
                event_type=first.type,
                duration_ms=round(seconds * 1000, 1),
                **counts,
            )


class _Tainted(Exception):
    """A rejected message had already changed the shared unit."""

    def __init__(self, message_id: str, error: Rejected) -> None:
        super().__init__(message_id)
        self.message_id, self.error = message_id, error


def _origin(message: Message) -> Origin:
    envelope = message.envelope
    return Origin(
        correlation_id=message.correlation_id,
        causation_id=message.id,
        traceparent=envelope.traceparent if envelope else None,
        message=message,
    )


def _as_bug(error: Exception) -> LianfangError:
    return _BugError(f"{type(error).__name__}: {str(error)[:200]}")


class _BugError(Rejected):
    """The handler failed in a way nobody foresaw."""

    code = "bug"


def _stack(error: Exception) -> str:
    text = "".join(traceback.format_exception(error))
    log.error("handler_bug", exc_info=error)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
