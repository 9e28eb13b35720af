"""What may not lie in the future."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from lianfang.errors import InvalidPayload

#: How far a caller's clock may be ahead of ours.
AHEAD = timedelta(minutes=5)


def check_instant(instant: datetime | None, now: datetime, field: str) -> None:
    """Refuse what has not happened yet.

    Raises:
        InvalidPayload: naming the field.
    """
    if instant is not None and instant > now + AHEAD:
        raise InvalidPayload.of(field, "lies in the future")


def check_day(day: date | None, latest: date, field: str) -> None:
    """Refuse a day after `latest`.

    Raises:
        InvalidPayload: naming the field.
    """
    if day is not None and day > latest:
        raise InvalidPayload.of(field, f"is after {latest.isoformat()}")
