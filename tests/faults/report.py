"""The table of what every part did and found, and the report file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lianfang.testing.servers import ROOT
from tests.faults.outcome import Outcome, Scale

REPORT = ROOT / ".local" / "faults" / "report.json"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _verdict(outcome: Outcome) -> str:
    return "[green]成立 holds[/green]" if outcome.holds else "[red]不成立 broken[/red]"


#: Each column in both languages, and how an outcome fills it.
_COLUMNS = (
    ("故障", "faults", lambda o: f"{o.faults:,}"),
    ("回执", "receipts", lambda o: f"{o.acknowledged:,}"),
    ("重复投递", "delivered\nagain", lambda o: f"{o.duplicates_delivered:,}"),
    ("重复生效", "effects\ntwice", lambda o: f"{o.duplicate_effects:,}"),
    ("丢失", "lost", lambda o: f"{o.lost:,}"),
    ("恢复（秒）", "back in s", lambda o: _seconds(o.recovery_s)),
    ("结论", "verdict", _verdict),
)


def table(outcomes: Sequence[Outcome]) -> Table:
    """One row per part."""
    shown = Table(title="Lianfang 联防 · make faults", title_justify="left")
    shown.add_column("项目\npart")
    for chinese, english, _ in _COLUMNS:
        shown.add_column(f"{chinese}\n{english}", justify="right")
    for outcome in outcomes:
        shown.add_row(outcome.part, *(fill(outcome) for _, _, fill in _COLUMNS))
    return shown


def publish(
    console: Console, outcomes: Sequence[Outcome], *, seed: int, scale: Scale, seconds: float
) -> None:
    """Write the report, print the table and each thing that does not hold."""
    document: dict[str, Any] = {
        "seed": seed,
        "scale": scale.value,
        "seconds": round(seconds, 1),
        "machine": {"cores": os.cpu_count(), "system": platform.platform()},
        "holds": all(outcome.holds for outcome in outcomes),
        "parts": [outcome.document() for outcome in outcomes],
    }
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
    console.print(table(outcomes))
    for outcome in outcomes:
        for each in outcome.broken:
            console.print(f"[red]{outcome.part}[/red]: {each}", highlight=False)
    console.print(f"种子 seed: {seed} · {_shown(REPORT)}", highlight=False)


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
