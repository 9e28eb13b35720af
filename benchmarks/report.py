"""The bars of the design, the table of what was measured against them, and the report file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lianfang.testing.servers import ROOT

REPORT = ROOT / ".local" / "bench" / "report.json"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the table: the figure must be at least, or at most, this."""

    key: str
    title: str
    bar: float
    at_least: bool
    unit: str = ""

    def met(self, value: float) -> bool:
        """Whether a figure clears the bar."""
        return value >= self.bar if self.at_least else value <= self.bar


BARS = (
    Bar("ingest_vs_plain_nameko", "ingest against plain nameko handlers", 5.0, True, "×"),
    Bar("ingest_vs_floor", "ingest against the bare floor", 0.6, True, "×"),
    Bar("seal_p95_ms", "seal of 2,000 residents, p95", 1000, False, "ms"),
    Bar("seal_vs_insert_many", "seal against insert_many of its documents", 4.0, False, "×"),
    Bar("growth_1m_vs_10k", "ingest cost at 1,000,000 residents against 10,000", 1.2, False, "×"),
    Bar("service_rss_mb_max", "most memory of any service", 150, False, "MB"),
    Bar("import_100k_s", "import of 100,000 residents", 60, False, "s"),
    Bar("list_first_page_ms", "slowest first page at 300,000 records", 500, False, "ms"),
)


def table(figures: dict[str, float]) -> Table:
    """One row per bar."""
    shown = Table(title="Lianfang 联防 · make bench", title_justify="left")
    shown.add_column("What")
    shown.add_column("Measured", justify="right")
    shown.add_column("Bar", justify="right")
    shown.add_column("")
    for bar in BARS:
        value = figures.get(bar.key)
        sign = "≥" if bar.at_least else "≤"
        measured = "not run" if value is None else f"{value:,.2f} {bar.unit}".rstrip()
        verdict = "" if value is None else _verdict(bar, value)
        shown.add_row(bar.title, measured, f"{sign} {bar.bar:,g} {bar.unit}".rstrip(), verdict)
    return shown


def _verdict(bar: Bar, value: float) -> str:
    return "[green]met[/green]" if bar.met(value) else "[red]missed[/red]"


def publish(console: Console, figures: dict[str, float], raw: dict[str, Any]) -> Path:
    """Write the report and print the table; returns the report's path."""
    bars = {
        bar.key: {"bar": bar.bar, "at_least": bar.at_least, "met": bar.met(figures[bar.key])}
        for bar in BARS
        if bar.key in figures
    }
    document = {**figures, "bars": bars, **raw}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
    console.print(table(figures))
    console.print(f"report: {REPORT}")
    return REPORT
