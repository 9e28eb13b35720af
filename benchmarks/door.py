"""The ingest door: sends the calls, and watches the journal until the last write.

The same for every contender: `submit_declarations` over nameko's RPC protocol from as many callers,
the clock running from the first send to the last growth of the journal's collection.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

from lianfang.client import District

METHOD = "declaration.submit_declarations"
#: Calls under way at once.
CALLERS = 8
_LOOK_EVERY = 0.05
#: The journal is complete when it has this much and has not grown for this long.
_QUIET_SECONDS = 1.5
_DEADLINE = 600.0


@dataclass(frozen=True, slots=True)
class Poured:
    """One run: how long until the last call was answered, and until the last journal write."""

    seconds: float
    answered_seconds: float
    events: int


def pour(
    amqp_uri: str,
    calls: Iterable[list[dict[str, Any]]],
    journal_count: Callable[[], int],
    expected: int,
) -> Poured:
    """Send every call and return when the journal holds `expected` more events and is quiet.

    Raises:
        RuntimeError: it never got there: something was lost, or the contender is stuck.
    """
    waiting: Queue[list[dict[str, Any]]] = Queue()
    for forms in calls:
        waiting.put(forms)
    before = journal_count()
    started = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as callers:
        sending = [callers.submit(_send_all, amqp_uri, waiting) for _ in range(CALLERS)]
        watching = _Watch(journal_count, before + expected)
        try:
            for caller in sending:
                caller.result()
            answered = time.monotonic()
            ended, count = watching.result()
        finally:
            watching.give_up()
    return Poured(ended - started, answered - started, count - before)


def _send_all(amqp_uri: str, waiting: Queue[list[dict[str, Any]]]) -> None:
    with District(amqp_uri) as district:
        while True:
            try:
                forms = waiting.get_nowait()
            except Empty:
                return
            district.command(METHOD, forms=forms, deadline=_DEADLINE)


class _Watch:
    """Looks at a count from its own thread and remembers when it last grew."""

    def __init__(self, count: Callable[[], int], expected: int) -> None:
        self._count, self._expected = count, expected
        self._grown_at, self._seen = time.monotonic(), 0
        self._ended = threading.Event()
        self._failed: Exception | None = None
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        try:
            while not self._ended.is_set():
                found, now = self._count(), time.monotonic()
                if found != self._seen:
                    self._seen, self._grown_at = found, now
                elif found >= self._expected and now - self._grown_at > _QUIET_SECONDS:
                    self._ended.set()
                time.sleep(_LOOK_EVERY)
        except Exception as error:  # the waiting thread raises it
            self._failed = error
            self._ended.set()

    def result(self) -> tuple[float, int]:
        """When the count last grew, and the count, once it is complete and quiet."""
        if not self._ended.wait(_DEADLINE):
            raise RuntimeError(f"the journal has {self._seen} of {self._expected} events")
        if self._failed is not None:
            raise RuntimeError("the journal cannot be counted") from self._failed
        return self._grown_at, self._seen

    def give_up(self) -> None:
        """Stop looking."""
        self._ended.set()
