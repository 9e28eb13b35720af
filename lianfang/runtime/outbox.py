"""What was committed and not yet confirmed: published at once, swept up after a crash.

A row leaves only when the broker confirmed it. A row that alone closes the channel, or whose queue
is gone, is marked stuck and alarmed; the others flow.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from lianfang.runtime.crashpoints import Point, at_work, reached
from lianfang.runtime.ids import random_id
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import OUTBOX_ROWS, OUTBOX_STUCK
from lianfang.runtime.publisher import JSON_EVENT, ChannelRefused, Outgoing, Publisher
from lianfang.runtime.work import OUTBOX

#: More waiting rows than this stop the intake.
HIGH_WATER = 10_000
_CLAIM = timedelta(seconds=10)
_SWEEP = 200
#: From this many failed tries on, a row travels alone.
_ALONE = 2
#: On whose behalf rows are swept, for the crash points.
SWEEPER = "outbox-sweeper"


class Outbox:
    """Publishes the rows of one service's database."""

    def __init__(self, database: Database[Any], publisher: Publisher) -> None:
        self._rows = database[OUTBOX]
        self._publisher = publisher
        self._lock = threading.Lock()
        self.under_pressure = False

    def publish(self, rows: Sequence[dict[str, Any]]) -> int:
        """Publish rows and delete the confirmed ones; returns how many. Never raises for a row."""
        if not rows:
            return 0
        returned: set[str] = set()
        try:
            confirmed = self._publisher.publish([_outgoing(row) for row in rows], returned)
        except ChannelRefused as error:
            log.warning("outbox_refused", rows=len(rows), detail=str(error)[:200])
            if len(rows) > 1:
                return sum(self.publish([row]) for row in rows)
            self._mark_stuck(rows[0], str(error))
            return 0
        for row in rows:
            # `events` has an alternate exchange; only a replay to a queue that is gone comes back.
            if row["_id"] in returned and row["exchange"] == "":
                self._mark_stuck(row, f"there is no queue {row['key']}")
        if confirmed:
            reached(Point.AFTER_PUBLISH)
            self._rows.delete_many({"_id": {"$in": list(confirmed)}})
            reached(Point.AFTER_REMOVAL)
        return len(confirmed)

    def sweep(self) -> int:
        """Publish rows whose owner is gone or did not succeed; returns how many were confirmed."""
        with self._lock, at_work(SWEEPER):
            return self._publish_claimed(self._claim())

    def take_over(self, before: datetime) -> int:
        """Publish every row older than `before`, claimed or not; returns how many were confirmed.

        For a process that starts: whoever had them is most likely dead. A row that a living replica
        was publishing at that instant is heard twice, which every reader bears.
        """
        confirmed = 0
        with self._lock, at_work(SWEEPER):
            while done := self._publish_claimed(self._claim(before)):
                confirmed += done
        return confirmed

    def _publish_claimed(self, rows: list[dict[str, Any]]) -> int:
        alone = [row for row in rows if row["tries"] > _ALONE]
        together = [row for row in rows if row["tries"] <= _ALONE]
        return self.publish(together) + sum(self.publish([row]) for row in alone)

    def measure(self) -> int:
        """Count what waits and say whether the intake must pause."""
        waiting = int(self._rows.count_documents({}, limit=HIGH_WATER + 1))
        OUTBOX_ROWS.set(waiting)
        OUTBOX_STUCK.set(self._rows.count_documents({"stuck": True}))
        self.under_pressure = waiting > HIGH_WATER or self._publisher.blocked
        return waiting

    def _claim(self, before: datetime | None = None) -> list[dict[str, Any]]:
        """Take rows that nobody has; of two replicas that look at once, each gets its own.

        With `before` any older row is taken, whoever has it.
        """
        now, token = datetime.now(UTC), random_id()
        free = {"stuck": False, **(_unclaimed(now) if before is None else {"at": {"$lt": before}})}
        found = [
            row["_id"] for row in self._rows.find(free, {"_id": 1}).sort("at", 1).limit(_SWEEP)
        ]
        if not found:
            return []
        self._rows.update_many(
            {"_id": {"$in": found}, **free},
            {"$set": {"claimed_until": now + _CLAIM, "claim": token}, "$inc": {"tries": 1}},
        )
        return list(self._rows.find({"_id": {"$in": found}, "claim": token}).sort("at", 1))

    def _mark_stuck(self, row: dict[str, Any], why: str) -> None:
        self._rows.update_one({"_id": row["_id"]}, {"$set": {"stuck": True, "error": why[:500]}})
        log.error("outbox_row_stuck", row=str(row["_id"]), key=row["key"])


def _unclaimed(now: datetime) -> dict[str, Any]:
    """Rows whose claim has ended; one that reaches far beyond any claim is of a wrong clock.

    Far: a replica that looked a moment ago, or whose clock is seconds ahead, keeps what it took.
    """
    wrong = now + 2 * _CLAIM
    return {"$or": [{"claimed_until": {"$lt": now}}, {"claimed_until": {"$gt": wrong}}]}


def _outgoing(row: dict[str, Any]) -> Outgoing:
    return Outgoing(
        id=row["_id"],
        exchange=row["exchange"],
        routing_key=row["key"],
        body=bytes(row["body"]),
        headers=row.get("headers", {}),
        content_type=row.get("content_type", JSON_EVENT),
    )
