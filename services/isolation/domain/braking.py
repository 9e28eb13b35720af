"""The brake: why an automatic seal is only proposed and waits for a named authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from services.isolation.domain.pauses import Pause, in_force
from services.isolation.domain.rules import Rules
from services.isolation.domain.seals import Extent

#: How many seals the rule imposed since an instant, and ever from one laboratory batch.
Counted = Callable[[datetime, str | None], tuple[int, int]]


def held_back(
    anchor: str,
    pauses: Iterable[Pause],
    counted: Counted,
    extent: Extent,
    now: datetime,
    rules: Rules,
) -> str | None:
    """Why the rule may not close this place by itself now; None when it may.

    A wrong reagent or a swapped rack would otherwise close half a district within the hour.
    """
    pause = in_force(pauses, anchor, now)
    if pause is not None:
        return f"automation is paused: {pause.reason}"
    since = now - timedelta(hours=1)
    for batch_id in extent.batches or (None,):
        recent, of_batch = counted(since, batch_id)
        if recent >= rules.brake.seals_per_hour:
            return f"{recent} automatic seals within the hour"
        if of_batch >= rules.brake.seals_per_batch:
            return f"{of_batch} automatic seals from laboratory batch {batch_id}"
    return None
