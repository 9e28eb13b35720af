"""From stored states to the documents of answers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from lianfang.runtime.documents import Page
from services.dispatch import store
from services.dispatch.domain.rounds import Round, RoundState
from services.dispatch.domain.stops import Stop
from services.dispatch.domain.task import UNDONE, Task


def task(state: Task, now: datetime) -> dict[str, Any]:
    """A task with what started it all, and whether it is overdue, beside its own fields."""
    return {
        **asdict(state),
        "correlation_id": state.audit.correlation_id,
        "overdue": state.state in UNDONE and state.due_at < now,
    }


def tasks(page: Page[Task], now: datetime) -> dict[str, Any]:
    """A page of tasks."""
    return {"tasks": [task(state, now) for state in page.items], "next": page.next}


def _round(state: Round, recorded: int) -> dict[str, Any]:
    return {
        **asdict(state),
        "building": state.place,
        "planned": len(state.planned),
        "recorded": recorded,
    }


def rounds(reader: Any, page: Page[Round]) -> dict[str, Any]:
    """A page of rounds, their stops counted in one query."""
    recorded = store.recorded_in(reader, [state.round_id for state in page.items])
    found = [_round(state, recorded.get(state.round_id, 0)) for state in page.items]
    return {"rounds": found, "next": page.next}


def whole_round(reader: Any, state: Round) -> dict[str, Any]:
    """A round with a line for every household that is planned or was recorded."""
    stops = {stop.household_id: stop for stop in store.stops_of(reader, state.round_id)}
    unrecorded = "missed" if state.state == RoundState.OVER else "due"
    lines = [_stop(stops[key]) for key in sorted(stops)]
    lines += [
        {"household_id": key, "state": unrecorded} for key in state.planned if key not in stops
    ]
    return {**_round(state, len(stops)), "stops": lines}


def _stop(stop: Stop) -> dict[str, Any]:
    return {**asdict(stop), "state": stop.outcome}
