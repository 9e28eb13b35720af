"""A named person's brake: pausing the rule in a place, and letting it go on."""

from __future__ import annotations

from typing import Any

from lianfang.errors import InvalidPayload, NotFound
from lianfang.runtime.work import Work
from services.isolation import store
from services.isolation.domain.pauses import Pause


def pause_automation(work: Work, request: dict[str, Any]) -> dict[str, Any]:
    """From now on the rule only proposes seals in this place, until the time named."""
    if request["until"] <= work.now:
        raise InvalidPayload.of("until", "is not in the future")
    before = work.get(store.PAUSES, request["place"])
    pause = Pause(
        place=request["place"],
        reason=request["reason"],
        until=request["until"],
        decided_by=request["decided_by"],
        revision=before.revision + 1 if before else 1,
    )
    work.save(store.PAUSES, pause)
    return _pause_document(pause)


def resume_automation(work: Work, request: dict[str, Any]) -> dict[str, Any]:
    """The rule may seal again in this place.

    Raises:
        NotFound: automation is not paused there.
    """
    before = work.get(store.PAUSES, request["place"])
    if before is None or not before.is_active:
        raise NotFound.of("pause of", request["place"])
    resumed = Pause(
        place=before.place,
        reason=before.reason,
        until=before.until,
        decided_by=request["decided_by"],
        is_active=False,
        revision=before.revision + 1,
    )
    work.save(store.PAUSES, resumed)
    return _pause_document(resumed)


def _pause_document(pause: Pause) -> dict[str, Any]:
    return {name: getattr(pause, name) for name in Pause.__dataclass_fields__}
