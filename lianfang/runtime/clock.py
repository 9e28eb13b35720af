"""The one clock of a process: real time plus an offset that only `demo` and `test` honour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pymongo.database import Database

from lianfang.days import day_of, to_milliseconds
from lianfang.errors import NotPermitted

_SETTABLE = ("demo", "test")
_ID = "clock"


class Clock:
    """What time it is for the domain.

    The offset lives in the service's own database, so every replica and every restart agrees. In
    the profile `production` there is none and setting it is refused.
    """

    def __init__(self, database: Database[Any], profile: str) -> None:
        self._rows = database["runtime"]
        self._settable = profile in _SETTABLE
        self._offset = timedelta(0)

    def now(self) -> datetime:
        """The present instant, UTC in whole milliseconds."""
        return to_milliseconds(datetime.now(UTC) + self._offset)

    def today(self) -> date:
        """The present day in Shanghai."""
        return day_of(self.now())

    def set(self, instant: datetime) -> None:
        """Make `instant` the present for all replicas of this service.

        Raises:
            NotPermitted: outside the profiles `demo` and `test`.
        """
        if not self._settable:
            raise NotPermitted("the clock can be set only in the profiles demo and test")
        offset = instant - datetime.now(UTC)
        milliseconds = int(offset / timedelta(milliseconds=1))
        self._rows.update_one({"_id": _ID}, {"$set": {"offset_ms": milliseconds}}, upsert=True)
        self._offset = timedelta(milliseconds=milliseconds)

    def refresh(self) -> None:
        """Take over an offset that another replica was told."""
        if not self._settable:
            return
        row = self._rows.find_one({"_id": _ID})
        self._offset = timedelta(milliseconds=row["offset_ms"] if row else 0)
