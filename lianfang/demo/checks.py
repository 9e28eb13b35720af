"""Invariants that the demo ends with, and the report it leaves behind."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(".local/demo")
#: Where what the demo leaves behind lies when nothing may be written beside the demo.
FALLBACK = Path(tempfile.gettempdir()) / "lianfang-demo"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, with what was expected and found."""

    name: str
    expected: Any
    found: Any

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return bool(self.expected == self.found)


@dataclass(slots=True)
class Checks:
    """All that must hold, in the order in which the story came to it."""

    made: list[Check] = field(default_factory=list)

    def equal(self, name: str, expected: Any, found: Any) -> bool:
        """Note that `found` must be `expected`; whether it is."""
        check = Check(name, expected, found)
        self.made.append(check)
        return check.holds

    @property
    def failed(self) -> list[Check]:
        """What does not hold."""
        return [check for check in self.made if not check.holds]

    def document(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [
            {"name": c.name, "holds": c.holds, "expected": c.expected, "found": c.found}
            for c in self.made
        ]


def new_file(name: str, fallback: Path = FALLBACK) -> Path:
    """An empty file for what the demo notes, beside its report.

    Raises:
        OSError: neither folder can be written.
    """
    for folder in (FOLDER, fallback):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"")
        except OSError:
            continue
        return folder / name
    raise OSError(f"neither {FOLDER} nor {fallback} can be written")


def write(report: dict[str, Any], ledger: dict[str, Any], fallback: Path) -> Path:
    """Write `report.json` and `ledger.json`; returns the folder.

    Under `.local/demo`, or under `fallback` where nothing may be written beside the demo.

    Raises:
        OSError: neither can be written.
    """
    for folder in (FOLDER, fallback):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, document in (("report.json", report), ("ledger.json", ledger)):
                text = json.dumps(document, ensure_ascii=False, indent=2, default=str)
                (folder / name).write_text(text + "\n", encoding="utf-8")
        except OSError:
            continue
        return folder
    raise OSError(f"neither {FOLDER} nor {fallback} can be written")
