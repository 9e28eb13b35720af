"""Parked messages by cause, and what becomes of those that are replayed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lianfang.client import District
from lianfang.errors import Rejected

#: The most of a page.
_PAGE = 500
_LOOK_SECONDS = 0.3
_CAUSE_FIELDS = ("reason", "origin", "stack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of messages that were replayed.

    `waiting` are still on their way. `refused` maps what the journal would not replay to its
    reason: somebody else replayed or discarded it meanwhile.
    """

    done: int
    parked_again: tuple[str, ...] = ()
    waiting: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.parked_again or self.waiting or self.refused)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def cause_of(row: Mapping[str, Any]) -> str:
    """The short name of a cause: the same reason, subscription and stack have the same one."""
    text = "\n".join(str(row[name]) for name in _CAUSE_FIELDS)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def causes(district: District, state: str = "parked") -> tuple[list[dict[str, Any]], int]:
    """The causes, each with its short name, and how many messages there are."""
    counted = district.query("journal.count_parked", state=state)
    return [{"cause": cause_of(row), **row} for row in counted["causes"]], counted["count"]


def messages(district: District, **where: str | None) -> Iterator[dict[str, Any]]:
    """Every message that matches, the latest first."""
    given: dict[str, Any] = {name: value for name, value in where.items() if value is not None}
    after: str | None = None
    while True:
        page = district.query("journal.find_parked", **given, after=after, limit=_PAGE)
        yield from page["parked"]
        after = page["next"]
        if after is None:
            return


def of_cause(district: District, cause: str) -> list[dict[str, Any]]:
    """The messages parked for the cause of this short name; none where there is no such cause."""
    known, _ = causes(district)
    for row in known:
        if row["cause"] == cause:
            where = {name: row[name] for name in _CAUSE_FIELDS}
            return list(messages(district, state="parked", **where))
    return []


def history(district: District, parked_id: str) -> list[dict[str, Any]]:
    """What operators did with a message, the oldest first, from the journal's own events."""
    events = district.query("journal.find_events", subject=parked_id, limit=_PAGE)["events"]
    return list(reversed(events))


def replay_all(
    district: District, ids: Collection[str], done: Callable[[], None]
) -> dict[str, str]:
    """Ask the journal to replay each, calling `done` after each; returns what it refused and why.

    Raises:
        LianfangError: the journal does not answer; those before are on their way.
    """
    return _each(ids, done, lambda key: district.command("journal.replay_parked", parked_id=key))


def discard_all(
    district: District, ids: Collection[str], reason: str, done: Callable[[], None]
) -> dict[str, str]:
    """Ask the journal to give each up, for one reason; returns what it refused and why.

    Raises:
        LianfangError: the journal does not answer; those before are discarded.
    """
    method = "journal.discard_parked"
    return _each(ids, done, lambda key: district.command(method, parked_id=key, reason=reason))


def _each(
    ids: Collection[str], done: Callable[[], None], ask: Callable[[str], object]
) -> dict[str, str]:
    refused: dict[str, str] = {}
    for parked_id in ids:
        try:
            ask(parked_id)
        except Rejected as error:
            refused[parked_id] = error.message
        done()
    return refused


def await_outcome(
    district: District, ids: Collection[str], refused: Mapping[str, str], seconds: float
) -> Outcome:
    """What became of replayed messages: returns when all are settled, or after `seconds`.

    Their subscriptions say it: handled and repeated are done, what fails is parked once more.
    """
    wanted, deadline = set(ids) - refused.keys(), time.monotonic() + seconds
    pause = threading.Event()
    while True:
        waiting = _among(district, wanted, "replaying")
        if not waiting or time.monotonic() > deadline:
            break
        pause.wait(_LOOK_SECONDS)
    again = _among(district, wanted, "parked") - waiting
    return Outcome(
        done=len(wanted) - len(waiting) - len(again),
        parked_again=tuple(sorted(again)),
        waiting=len(waiting),
        refused=refused,
    )


def _among(district: District, wanted: set[str], state: str) -> set[str]:
    """Which of those asked for are in a state."""
    if not wanted:
        return set()
    return {row["parked_id"] for row in messages(district, state=state)} & wanted
