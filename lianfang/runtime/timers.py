"""Clocks: every replica looks for what is due and settles it by a state-guarded unit of work.

No leader: two replicas that find the same key conflict, and the second finds it settled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nameko.extensions import Entrypoint
from pymongo.errors import PyMongoError

from lianfang.envelope import natural_id
from lianfang.errors import LianfangError
from lianfang.runtime.crashpoints import Point, at_work, reached
from lianfang.runtime.engine import Engine
from lianfang.runtime.handlers import Timer, record_of
from lianfang.runtime.logs import bound, log
from lianfang.runtime.origin import Origin
from lianfang.runtime.process import Process
from lianfang.runtime.work import Work

#: Keys looked up at a time.
LOOK = 200


class Clockwork(Entrypoint):
    """Nameko's entrypoint for one `Timer`."""

    process = Process()

    def setup(self) -> None:
        """Read the timer's record."""
        self.timer: Timer = record_of(self.container.service_cls, self.method_name)

    def start(self) -> None:
        """Start looking."""
        self._stopping = threading.Event()
        self.container.spawn_managed_thread(self._look, identifier=self.timer.name)

    def stop(self) -> None:
        """Look no more; a run under way is a worker and is waited for."""
        self._stopping.set()

    def _look(self) -> None:
        while not self._stopping.wait(self.timer.every):
            done = threading.Event()
            arguments = (self.process.engine, self._stopping.is_set)
            self.container.spawn_worker(self, arguments, {}, handle_result=_tell(done))
            done.wait()


def _tell(done: threading.Event) -> Any:
    def handle_result(_context: Any, result: Any, exc_info: Any) -> Any:
        done.set()
        return result, exc_info

    return handle_result


def run_timer(
    engine: Engine,
    timer: Timer,
    service: Any,
    stopping: Callable[[], bool] = lambda: False,
) -> int:
    """Settle everything that is due now; returns how many keys were settled.

    A key that cannot be settled is passed over until the next look; it keeps nobody behind it
    waiting. Once `stopping` says so no further key is begun.
    """
    settled: int = 0
    tried: set[str] = set()
    try:
        while not stopping():
            keys = timer.due(engine.documents, engine.clock.now(), LOOK + len(tried))
            fresh = [key for key in keys if key not in tried]
            if not fresh:
                break
            for key in fresh:
                if stopping():
                    break
                tried.add(key)
                settled += _settle(engine, timer, service, key)
    except PyMongoError as error:
        log.warning("timer_interrupted", timer=timer.name, error=type(error).__name__)
    return settled


def _settle(engine: Engine, timer: Timer, service: Any, key: str) -> int:
    def decide(work: Work) -> None:
        cause = natural_id("timer", engine.service, timer.name, key, work.now.isoformat())
        work.begin(Origin(correlation_id=cause, causation_id=cause))
        with bound(correlation_id=cause):
            reached(Point.IN_DECISION)
            timer.method(service, work, key)

    with at_work(timer.name):
        return _run(engine, timer, key, decide)


def _run(engine: Engine, timer: Timer, key: str, decide: Callable[[Work], None]) -> int:
    try:
        _, rows = engine.run(decide)
    except LianfangError as error:
        log.warning("timer_refused", timer=timer.name, key=key, error_code=error.code)
        return 0
    except Exception as error:
        log.error("timer_bug", timer=timer.name, key=key, exc_info=error)
        return 0
    engine.say(rows)
    return 1
