"""Finds what the journal knows of an id, whatever kind of id it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lianfang.client import District
from lianfang.errors import Rejected
from lianfang.operations import parked
from lianfang.operations.tracing import Step, step_of

_PAGE = 500
#: A person or a place has many stories; the newest of them are told.
STORIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The events of every story that the id belongs to; empty where the journal knows none.

    `marked` are the events that were asked for, where it was not a whole story. `parked` maps an
    event to the subscriptions that could not handle it. `more` counts stories that are not here.
    """

    steps: tuple[Step, ...] = ()
    marked: frozenset[str] = frozenset()
    parked: Mapping[str, list[str]]
    more: int = 0


def find(district: District, any_id: str) -> Found:
    """The stories of a correlation, event, subject (case, order, person …), task or parked message.

    Raises:
        LianfangError: the journal does not answer.
    """
    looks = (_correlation, _event, _subject, _task, _parked_message)
    for look in looks:
        correlations, marked = look(district, any_id)
        if correlations:
            break
    told = correlations[:STORIES]
    steps = tuple(step_of(e) for each in told for e in _trace(district, each))
    ids = {step.event_id for step in steps}
    waiting: dict[str, list[str]] = {}
    for message in parked.messages(district, state="parked") if steps else ():
        if message["message_id"] in ids:
            waiting.setdefault(message["message_id"], []).append(message["origin"])
    return Found(
        steps=steps,
        marked=frozenset(marked),
        parked=waiting,
        more=len(correlations) - len(told),
    )


Seen = tuple[list[str], set[str]]


def _correlation(district: District, any_id: str) -> Seen:
    page = _ask(district, "journal.get_trace", correlation_id=any_id, limit=1)
    return ([any_id], set()) if page.get("events") else ([], set())


def _event(district: District, any_id: str) -> Seen:
    event = _ask(district, "journal.get_event", event_id=any_id).get("event")
    return ([event["correlation_id"]], {any_id}) if event else ([], set())


def _subject(district: District, any_id: str) -> Seen:
    events = _ask(district, "journal.find_events", subject=any_id, limit=_PAGE).get("events", [])
    correlations = list(dict.fromkeys(event["correlation_id"] for event in events))
    return correlations, {event["event_id"] for event in events}


def _task(district: District, any_id: str) -> Seen:
    """A task nobody has touched yet is named only in the list with which it was opened."""
    task = _ask(district, "dispatch.get_task", task_id=any_id)
    return ([task["correlation_id"]], set()) if task else ([], set())


def _parked_message(district: District, any_id: str) -> Seen:
    message = _ask(district, "journal.get_parked", parked_id=any_id)
    return _event(district, message["message_id"]) if message else ([], set())


def _ask(district: District, method: str, **document: Any) -> dict[str, Any]:
    """The answer; nothing where the service knows no such thing or no such kind of id."""
    try:
        return district.query(method, **document)
    except Rejected:
        return {}


def _trace(district: District, correlation_id: str) -> Iterator[dict[str, Any]]:
    after: str | None = None
    while True:
        page = district.query("journal.get_trace", correlation_id=correlation_id, after=after)
        yield from page["events"]
        after = page["next"]
        if after is None:
            return
