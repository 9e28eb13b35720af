"""The five services as real processes of one private district, to be killed and started again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from lianfang.client import District
from lianfang.testing.district import SERVICES, PrivateDistrict
from lianfang.testing.pace import set_clock, wait_until_idle
from lianfang.testing.processes import Child
from tests.system.digest import RUNTIME

_QUERIES = ("get_", "find_", "count_", "preview_")


class ProcessStage:
    """A stage (see `tests.system.town`) whose services really run, and can really die."""

    def __init__(
        self, district: PrivateDistrict, children: dict[str, Child], caller: District
    ) -> None:
        self._district, self._children, self._caller = district, children, caller
        #: A hasty stage does not wait after each command, only where the story says `wait`.
        self.hasty = False

    def use(self, *names: str) -> None:
        """All five always run."""

    def call(self, method: str, **document: Any) -> Any:
        """The answer of an RPC method, over the broker."""
        if method.partition(".")[2].startswith(_QUERIES):
            return self._caller.query(method, **document)
        return self._caller.command(method, **document)

    def settle(self, seed: int | None = None, copies: int = 1) -> int:
        """Return when every service is idle; order and copies are the broker's affair here."""
        if not self.hasty:
            self.wait()
        return 0

    def wait(self) -> None:
        """Return when every service is idle."""
        wait_until_idle(self._caller)

    def tick(self) -> int:
        """The processes' own clocks tick."""
        return 0

    @property
    def now(self) -> datetime:
        """The instant that was set last."""
        return self._now

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now = instant
        set_clock(self._caller, instant)

    @property
    def amqp_uri(self) -> str:
        """The administrator's address of the virtual host."""
        return self._district.amqp_uri

    def databases(self) -> dict[str, Any]:
        """The database of each service."""
        return {name: self._district.database(name) for name in SERVICES}

    def reset(self) -> None:
        """Empty every collection of the idle services."""
        for database in self.databases().values():
            for name in database.list_collection_names():
                if name not in RUNTIME - {"inbox", "commands", "guards"}:
                    database[name].delete_many({})

    def kill_and_restart(self, name: str) -> None:
        """SIGKILL a service and start it again at once."""
        self._children[name].kill_and_restart()

    def saw(self, event_type: str) -> bool:
        """Whether the journal has stored an event of this type."""
        return self._district.database("journal").events.find_one({"type": event_type}) is not None


def wait_for(condition: Any, seconds: float = 20.0) -> None:
    """Return as soon as the condition holds; fail after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to pass")


@contextmanager
def running(district: PrivateDistrict) -> Iterator[ProcessStage]:
    """The district's services until the end of the block; then nothing of it is left."""
    try:
        district.prepare()
        with district.running() as children, district.caller() as caller:
            yield ProcessStage(district, children, caller)
    finally:
        district.erase()
        district.client.close()
