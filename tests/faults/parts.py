"""The parts of the fault suite, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tests.faults.outcome import Outcome, Scale
from tests.faults.servers import FaultServers

#: What a part may say while it works, for the progress bar.
Say = Callable[[str], None]
Part = Callable[[FaultServers, Scale, int, Say], Outcome]

NAMES: tuple[str, ...] = (
    "crash-points",
    "poison",
    "replay",
    "victims",
    "duplicates",
    "network",
    "execute-then-fail",
    "clock",
    "kills",
    "restarts",
    "broker",
    "mongo",
    "both",
)


def part(name: str) -> Part:
    """The part of this name; its module has the same with underscores."""
    run: Part = import_module(f"tests.faults.{name.replace('-', '_')}").run
    return run
