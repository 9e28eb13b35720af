"""`python -m benchmarks [--only PART] [--quick]`: measure, print the table, write the report."""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

PARTS = ("ingest", "cascade")


def main() -> None:
    """Run what was asked for and report it."""
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    arguments = _arguments()
    from benchmarks import machine, report  # noqa: PLC0415 - after the warnings are quiet
    from lianfang.testing.servers import Servers  # noqa: PLC0415

    servers, console = Servers.read(), Console()
    started = time.monotonic()
    raw: dict[str, Any] = {"machine": machine.facts(servers), "quick": arguments.quick}
    figures: dict[str, float] = {}
    wanted = [arguments.only] if arguments.only else list(PARTS)
    try:
        with _progress(console) as progress:
            for part in wanted:
                _run(part, servers, arguments.quick, progress, figures, raw)
    finally:
        # What was measured before something failed is worth keeping.
        raw["duration_s"] = round(time.monotonic() - started, 1)
        report.publish(console, figures, raw)


def _run(
    part: str,
    servers: Any,
    quick: bool,
    progress: Progress,
    figures: dict[str, float],
    raw: dict[str, Any],
) -> None:
    """Measure one part and add what it found; the most memory is that of all parts."""
    task = progress.add_task(part, total=_STEPS[part])

    def step(text: str) -> None:
        progress.update(task, description=text, advance=1)

    found, runs = _MEASURES[part](servers, quick, step)
    figures |= found | {_PEAK: max(figures.get(_PEAK, 0.0), found[_PEAK])}
    raw |= runs
    progress.update(task, description=f"{part} done", completed=_STEPS[part])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="measure one part only")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, one run")
    return parser.parse_args()


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.description}"), console=console)


def _ingest(servers: Any, quick: bool, step: Callable[[str], None]) -> Any:
    from benchmarks import ingest  # noqa: PLC0415

    size = ingest.Size(declarations=2_000, runs=1, large=100_000) if quick else ingest.Size()
    runs = ingest.measure(servers, size, step)
    return runs.figures(), {"ingest": runs.all}


def _cascade(servers: Any, quick: bool, step: Callable[[str], None]) -> Any:
    from benchmarks import cascade  # noqa: PLC0415

    size = cascade.QUICK if quick else cascade.FULL
    return cascade.measure(servers, size, step)


_PEAK = "service_rss_mb_max"
_MEASURES = {"ingest": _ingest, "cascade": _cascade}
_STEPS = {"ingest": 13, "cascade": 25}

if __name__ == "__main__":
    main()
