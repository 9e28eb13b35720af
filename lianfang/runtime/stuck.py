"""Outbox rows that cannot leave by themselves: shown, and let go once their cause is mended.

A stuck row is something that was committed and that nobody has heard. It is never thrown away; to
let it go again is safe to repeat, because readers drop what they had.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lianfang.runtime.documents import Documents
from lianfang.runtime.logs import log
from lianfang.runtime.work import OUTBOX, Work
from lianfang.schemas.fields import Answer, Count, Id, Instant, ListOf, Request, Text

#: Rows shown or let go at a time.
ROWS = 500
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class FindStuckRequest(Request):
    """The oldest of them."""

    limit = Count(min=1, max=ROWS, load_default=50)


class StuckRow(Answer):
    """One row: where it was to go (no exchange means the queue `key`) and what the broker said."""

    row_id = Text()
    exchange = Text()
    key = Text()
    size = Count()
    at = Instant()
    tries = Count()
    error = Text()


class StuckAnswer(Answer):
    """The oldest rows, and how many there are altogether."""

    rows = ListOf(StuckRow)
    count = Count()


class ReleaseOutboxRequest(Request):
    """The rows to let go; without any, all of them (the oldest 500 at a time)."""

    row_ids = ListOf(Id(), max=ROWS, load_default=None)


class ReleasedAnswer(Answer):
    """What was let go, by whom and when; kept with the command."""

    row_ids = ListOf(Text(), max=ROWS)
    by = Text()
    at = Instant()


def find_stuck(reader: Documents, limit: int) -> dict[str, Any]:
    """The oldest stuck rows as `StuckAnswer` has them."""
    stuck = reader.raw(OUTBOX)
    rows = [
        {**row, "row_id": row["_id"], "size": len(row["body"])}
        for row in stuck.find({"stuck": True}).sort("at", 1).limit(limit)
    ]
    return {"rows": rows, "count": stuck.count_documents({"stuck": True})}


def release(work: Work, row_ids: list[str] | None) -> dict[str, Any]:
    """Let stuck rows be published like new ones; one that the broker still refuses sticks again.

    Rows that are not stuck are nobody's business here and are passed over.
    """
    rows = work.raw(OUTBOX)
    where = {"stuck": True} if row_ids is None else {"stuck": True, "_id": {"$in": row_ids}}
    found = rows.find(where, {"_id": 1}, session=work.session).sort("at", 1).limit(ROWS)
    released = [row["_id"] for row in found]
    rows.update_many(
        {"_id": {"$in": released}, "stuck": True},
        {"$set": {"stuck": False, "tries": 0, "claimed_until": _NEVER}, "$unset": {"error": ""}},
        session=work.session,
    )
    by = work.actor or work.caller or "unknown"
    log.info("outbox_released", rows=released, by=by)
    return {"row_ids": released, "by": by, "at": work.now}
