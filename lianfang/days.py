"""Days in Asia/Shanghai and instants in UTC: where one becomes the other. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

#: The city's time zone; every field ending in `_on` is a day of it.
SHANGHAI = ZoneInfo("Asia/Shanghai")


def day_of(instant: datetime) -> date:
    """The day in Shanghai that `instant` falls on."""
    return instant.astimezone(SHANGHAI).date()


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant (UTC) of a wall-clock time in Shanghai on `day`."""
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 of `day` in Shanghai, as an instant in UTC."""
    return at(day + timedelta(days=1), 0)


def to_milliseconds(instant: datetime) -> datetime:
    """`instant` in UTC, cut to the whole milliseconds that the database keeps."""
    utc = instant.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)
