"""Time and quiet in a district of real processes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from lianfang.client import District
from lianfang.testing.district import SERVICES

_IDLE_SECONDS = 300.0
#: Early in Shanghai, so that no midnight falls between the seals.
_MORNING = timedelta(hours=1)


def morning() -> datetime:
    """One o'clock of today in Shanghai."""
    now = datetime.now(UTC) + timedelta(hours=8)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(hours=8) + _MORNING


def set_clock(caller: District, now: datetime) -> None:
    """Make it `now` in every service."""
    for name in SERVICES:
        caller.query(f"{name}.set_clock", now=now.isoformat())


def wait_until_idle(caller: District, services: Sequence[str] = SERVICES) -> None:
    """Return when nothing is on its way through any service.

    Raises:
        RuntimeError: something still is after five minutes.
    """
    deadline = time.monotonic() + _IDLE_SECONDS
    quiet = 0
    while quiet < 2:  # a message between two services is seen by the second look
        idle = {name: caller.query(f"{name}.get_idle") for name in services}
        quiet = quiet + 1 if not any(any(each.values()) for each in idle.values()) else 0
        if time.monotonic() > deadline:
            raise RuntimeError(f"not idle: {idle}")
        time.sleep(0.2)
