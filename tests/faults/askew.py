"""Runs a service on a machine whose clock is wrong: `python -m tests.faults.askew SERVICE FILE`.

The file holds by how many seconds, as a double; whoever writes it sets the clock of the running
process. Only the clock on the wall is wrong: what counts seconds goes on counting, as on a machine.
"""

from __future__ import annotations

import inspect
import mmap
import struct
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Self

from lianfang.runtime import runner

_SECONDS = struct.Struct("=d")
_ASKS = "datetime.now("


class Offset:
    """By how much a clock is wrong; shared between processes through a file."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _SECONDS.size)

    @property
    def seconds(self) -> float:
        """As of now."""
        found: float = _SECONDS.unpack(self._shared)[0]
        return found

    @seconds.setter
    def seconds(self, seconds: float) -> None:
        self._shared[:] = _SECONDS.pack(seconds)


def set_wrong(offset: Offset) -> list[str]:
    """Give every module of the runtime that asks for the time this clock; returns their names."""
    right = time.time
    time.time = lambda: right() + offset.seconds

    class Askew(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            wrong: Self = datetime.now(tz) + timedelta(seconds=offset.seconds)  # type: ignore[assignment]
            return wrong

    asking = [module for module in _runtime() if _ASKS in inspect.getsource(module)]
    for module in asking:
        vars(module)["datetime"] = Askew
    return [module.__name__ for module in asking]


def _runtime() -> list[ModuleType]:
    return [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("lianfang.runtime.")
    ]


def main() -> None:
    """Run the service until it is told to stop."""
    service, path = sys.argv[1:]
    runner.patch()
    from lianfang.runtime.discovery import service_class
    from lianfang.runtime.health import serve  # noqa: F401 - brings in all the rest of the runtime

    cls = service_class(service)
    set_wrong(Offset(Path(path)))
    sys.exit(runner.serve(service, lambda: cls))


if __name__ == "__main__":
    main()
