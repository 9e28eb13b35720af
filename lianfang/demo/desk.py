"""The demo's desk: one connection to the district, its clocks, and waiting until all is quiet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from lianfang.client import District
from lianfang.errors import Unavailable

SERVICES = ("declaration", "screening", "isolation", "dispatch", "journal")
_PAGE = 200
_LOOK_AGAIN = 0.03
_PATIENCE = 120.0
_DEADLINE, _GREETING = 120.0, 10.0


class Desk(AbstractContextManager["Desk"]):
    """Asks and orders as the operator; the present is what the story says it is."""

    def __init__(self, amqp_uri: str) -> None:
        self._district = District(amqp_uri, actor="demo")
        self._pause = threading.Event()
        #: Tells this run's imports from those of a run before.
        self.run = f"{time.time_ns() // 1_000_000:x}"
        self.now: datetime | None = None

    def __enter__(self) -> Self:
        """Connects with the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._district.close()

    def greet(self) -> None:
        """Make sure that all five services answer.

        Raises:
            Unavailable: naming the first that does not.
        """
        for service in SERVICES:
            try:
                self._district.query(f"{service}.get_idle", deadline=_GREETING)
            except Unavailable as error:
                raise Unavailable(
                    f"{service} does not answer: is the district up? (make up)"
                ) from error

    def ask(self, method: str, **document: Any) -> dict[str, Any]:
        """The answer of a query."""
        return self._district.query(method, deadline=_DEADLINE, **document)

    def do(self, method: str, **document: Any) -> dict[str, Any]:
        """The answer of a command; what follows from it may still be on its way."""
        return self._district.command(method, deadline=_DEADLINE, **document)

    def all(self, method: str, items: str, **where: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        after = None
        while True:
            page: dict[str, Any] = {} if after is None else {"after": after}
            answer = self.ask(method, limit=_PAGE, **where, **page)
            yield from answer[items]
            after = answer.get("next")
            if not after:
                return

    def set_clock(self, instant: datetime) -> None:
        """Make `instant` the present of every service."""
        for service in SERVICES:
            self.ask(f"{service}.set_clock", now=instant.isoformat())
        self.now = instant

    def busy(self) -> dict[str, dict[str, int]]:
        """What is still on its way, by service; empty when nothing is."""
        found = {service: self.ask(f"{service}.get_idle") for service in SERVICES}
        return {
            service: {name: n for name, n in figures.items() if n}
            for service, figures in found.items()
            if any(figures.values())
        }

    def settle(self) -> None:
        """Return when every service has been idle twice in a row.

        Raises:
            Unavailable: naming what is still on its way after two minutes.
        """
        until, quiet, busy = time.monotonic() + _PATIENCE, 0, {}
        while time.monotonic() < until:
            busy = self.busy()
            quiet = 0 if busy else quiet + 1
            if quiet == 2:
                return
            self._pause.wait(_LOOK_AGAIN)
        raise Unavailable(f"not quiet after {_PATIENCE:.0f} s: {busy}", {"busy": busy})

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        """Return when `holds` does, looking again and again.

        Raises:
            Unavailable: naming `what` was waited for in vain.
        """
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() >= until:
                raise Unavailable(f"waited {seconds:.0f} s in vain for {what}")
            self._pause.wait(_LOOK_AGAIN)
