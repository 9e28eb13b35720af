"""What one process shares: the engine of its service, and the sweeping and watching around it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from nameko.extensions import SharedExtension
from pymongo.errors import PyMongoError

from lianfang.runtime.engine import Engine
from lianfang.runtime.logs import log
from lianfang.settings import Settings

#: Seconds between looks at the outbox.
SWEEP_EVERY = 1.0


class Process(SharedExtension):
    """The engine of the container's service; every entrypoint and resource reaches it here."""

    engine: Engine

    def setup(self) -> None:
        """Build the engine from the container's configuration; connections open when needed."""
        settings: Settings = self.container.config["settings"]
        if not hasattr(self, "engine"):
            self.engine = Engine(settings, self.container.service_name)
            self.engine.clock.refresh()

    def start(self) -> None:
        """Start the sweeper."""
        self._stopping = threading.Event()
        self.looked_at = time.monotonic()
        self._started_at = datetime.now(UTC)
        self.container.spawn_managed_thread(self._watch, identifier="outbox sweeper")

    def _watch(self) -> None:
        self._look(lambda: self.engine.outbox.take_over(self._started_at))
        while not self._stopping.wait(SWEEP_EVERY):
            self.looked_at = time.monotonic()
            self._look(self._look_after)

    def _look_after(self) -> None:
        self.engine.clock.refresh()
        self.engine.outbox.measure()
        self.engine.outbox.sweep()
        self.engine.publisher.keep_alive()

    def _look(self, look: Callable[[], object]) -> None:
        try:
            look()
        except PyMongoError as error:
            log.warning("sweep_interrupted", error=type(error).__name__)
        except Exception as error:
            # Out of a managed thread it would end the process.
            log.error("sweep_bug", exc_info=error)

    def stop(self) -> None:
        """Stop sweeping and close what is open; entrypoints have drained by now."""
        self._stopping.set()
        self.engine.close()


def engine_of(container: Any) -> Engine:
    """The engine of a container."""
    engine: Engine = container.shared_extensions[Process].engine
    return engine
