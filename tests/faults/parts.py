"""The parts of the fault suite, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from lianfang.testing.servers import Servers
from tests.faults.outcome import Outcome, Scale

#: What a part may say while it works, for the progress bar.
Say = Callable[[str], None]
Part = Callable[[Servers, Scale, int, Say], Outcome]

NAMES: tuple[str, ...] = (
    "poison",
    "replay",
    "victims",
    "duplicates",
    "network",
    "execute-then-fail",
    "clock",
)


def part(name: str) -> Part:
    """The part of this name; its module has the same with underscores."""
    run: Part = import_module(f"tests.faults.{name.replace('-', '_')}").run
    return run
