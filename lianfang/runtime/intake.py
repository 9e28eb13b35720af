"""What happens to incoming messages: parsed at the door, decided in one unit, settled after.

The outcome of each message is one of done, duplicate, parked or retried. A message is acknowledged
only after its effect is committed or its copy (parked, retried) is confirmed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lianfang.errors import Rejected, Retryable, Unavailable
from lianfang.runtime.bugs import bug_of
from lianfang.runtime.copies import copy_of
from lianfang.runtime.crashpoints import Point, at_work, reached
from lianfang.runtime.door import Incoming, Message, read_door
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Handler
from lianfang.runtime.logs import bound, log
from lianfang.runtime.metrics import BATCH_SECONDS, MESSAGES
from lianfang.runtime.origin import Origin
from lianfang.runtime.replays import word_of
from lianfang.runtime.work import Work

INBOX = "inbox"
#: After so many messages of a batch were rejected too late, the rest is done one by one.
_TAINTS = 3

_Rows = list[dict[str, Any]]


@dataclass
class Intake:
    """Runs batches of one subscription against the service's engine."""

    engine: Engine
    handler: Handler

    def handle(self, service: Any, batch: Sequence[Incoming]) -> list[Message]:
        """Take a batch to its end: afterwards every message may be acknowledged.

        Raises:
            Unavailable: a copy could not be confirmed or the database stayed away; nothing of this
                batch may be acknowledged.
        """
        started = time.monotonic()
        messages = [read_door(raw, self.handler) for raw in batch]
        good = [message for message in messages if message.error is None]
        with at_work(self.handler.queue):
            rows = self._decide(service, good) if good else []
            self.engine.say(rows)
            self._settle(messages)
        self._report(messages, time.monotonic() - started)
        return messages

    # -- deciding -----------------------------------------------------------------------------

    def _decide(self, service: Any, messages: list[Message]) -> _Rows:
        """One transaction for all; one by one when something other than a rejection happened."""
        try:
            return self._unit(service, messages)
        except (Unavailable, ConnectionError):
            raise
        except Retryable as error:
            if len(messages) == 1:
                messages[0].fail(error)
                return []
        except _Tainted:
            pass  # too many of them: alone, each can only taint itself
        except Exception as error:
            if len(messages) == 1:
                culprit = messages[0]
                with bound(correlation_id=culprit.correlation_id, event_id=culprit.id):
                    log.error("handler_bug", subscription=self.handler.name, exc_info=error)
                culprit.fail(*bug_of(error))
                return []
        return [row for message in messages for row in self._decide(service, [message])]

    def _unit(self, service: Any, messages: list[Message]) -> _Rows:
        """Run the batch; one that is rejected after a change makes it run again without."""
        excluded: dict[Message, Rejected] = {}
        while True:
            try:
                (done, rejected), rows = self.engine.run(
                    lambda work: self._work(work, service, messages, excluded)
                )
            except _Tainted as tainted:
                excluded[tainted.spoiler] = tainted.error
                if len(messages) > 1 and len(excluded) > _TAINTS:
                    raise
                continue
            for message in messages:
                message.outcome = "done" if message in done else "duplicate"
            for message, error in (rejected | excluded).items():
                message.fail(error)
            return rows

    def _work(
        self, work: Work, service: Any, messages: list[Message], excluded: dict[Message, Rejected]
    ) -> tuple[set[Message], dict[Message, Rejected]]:
        """Decide each; may run several times, so it only says what became of whom."""
        fresh = self._fresh(work, [m for m in messages if m not in excluded])
        if self.handler.load is not None and fresh:
            self.handler.load(work, [m.event for m in fresh])
        done: set[Message] = set()
        rejected: dict[Message, Rejected] = {}
        for message in fresh:
            before = work.touched
            work.begin(_origin(message))
            with bound(correlation_id=message.correlation_id, event_id=message.id):
                try:
                    reached(Point.IN_DECISION)
                    self.handler.method(service, work, message.event)
                except Rejected as error:
                    if work.touched != before:
                        raise _Tainted(message, error) from error
                    rejected[message] = error
                else:
                    done.add(message)
        self._note(work, done)
        return done, rejected

    def _fresh(self, work: Work, messages: list[Message]) -> list[Message]:
        """The messages this subscription has not handled, each id once.

        A handler whose own keys make it safe to repeat gets them all.
        """
        if self.handler.idempotent or not messages:
            return messages
        once: dict[str, Message] = {}
        for message in messages:
            once.setdefault(message.id, message)
        keys = [{"sub": self.handler.name, "id": mid} for mid in once]
        seen = work.raw(INBOX).find({"_id": {"$in": keys}}, {"_id": 1}, session=work.session)
        known = {row["_id"]["id"] for row in seen}
        return [message for mid, message in once.items() if mid not in known]

    def _note(self, work: Work, done: Iterable[Message]) -> None:
        """Remember what is done; a rejected message is not, so that its replay is heard."""
        at = datetime.now(UTC)
        rows = [{"_id": {"sub": self.handler.name, "id": m.id}, "at": at} for m in done]
        if rows and not self.handler.idempotent:
            work.raw(INBOX).insert_many(rows, ordered=False, session=work.session)

    # -- settling -----------------------------------------------------------------------------

    def _settle(self, messages: Sequence[Message]) -> None:
        """Say, confirmed, what others must know before the broker may forget these messages."""
        failed = [message for message in messages if message.error is not None]
        if self.handler.reads == "parked":
            if failed:
                # There is no further place to put it: held, tried again until it can be stored.
                raise Unavailable(f"a parked message could not be stored: {failed[0].error}")
            return
        said = [copy_of(message, self.handler.queue) for message in failed]
        done = [message for message in messages if message.error is None]
        said += [word for m in done if (word := word_of(m, self.handler.queue)) is not None]
        if said and self.engine.publisher.publish(said) != {each.id for each in said}:
            raise Unavailable("the broker did not confirm a parked or retried copy, or a word")
        for message in failed:
            reached(Point.IN_RETRY if message.outcome == "retried" else Point.IN_PARK)

    def _report(self, messages: Sequence[Message], seconds: float) -> None:
        BATCH_SECONDS.labels(self.handler.name).observe(seconds)
        counts: dict[str, int] = {}
        for message in messages:
            counts[message.outcome] = counts.get(message.outcome, 0) + 1
            if message.error is not None:
                log.warning(
                    "message_" + message.outcome,
                    subscription=self.handler.name,
                    correlation_id=message.correlation_id,
                    event_id=message.id,
                    event_type=message.type,
                    error_code=message.error.code,
                    attempt=message.raw.attempt,
                    stack=message.trace,
                )
        for outcome, n in counts.items():
            MESSAGES.labels(self.handler.name, outcome).inc(n)
        log.info(
            "messages_handled",
            subscription=self.handler.name,
            correlation_id=messages[0].correlation_id,
            event_type=messages[0].type,
            duration_ms=round(seconds * 1000, 1),
            **counts,
        )


class _Tainted(Exception):
    """A rejected message had already changed the shared unit."""

    def __init__(self, spoiler: Message, error: Rejected) -> None:
        super().__init__(spoiler.id)
        self.spoiler, self.error = spoiler, error


def _origin(message: Message) -> Origin:
    envelope = message.envelope
    return Origin(
        correlation_id=message.correlation_id,
        causation_id=message.id,
        traceparent=envelope.traceparent if envelope else None,
        message=message,
    )
