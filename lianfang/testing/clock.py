"""A clock that stands still where a test put it, so that two runs record the same instants."""

from __future__ import annotations

from datetime import datetime

from lianfang.days import to_milliseconds
from lianfang.runtime.clock import Clock


class StandingClock(Clock):
    """Runs like any other until it is set; then it stands at that instant until `release`."""

    _stands_at: datetime | None = None

    def now(self) -> datetime:
        """The instant it was set to, else the present."""
        return self._stands_at or super().now()

    def set(self, instant: datetime) -> None:
        """Stand still at `instant`, cut to whole milliseconds."""
        super().set(instant)
        self._stands_at = to_milliseconds(instant)

    def release(self) -> None:
        """Run again in real time."""
        self._stands_at = None
        self.refresh()
