"""`python -m tests.faults [--only PART] [--seed N] [--short]`: break everything, then judge.

Starts a broker and a replica set of its own. Exits with 1 when something does not hold.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

# As pytest's `pythonpath` has it: the programs that start servers are no package.
sys.path.append(str(Path(__file__).parents[2] / "deploy" / "local"))
# eventlet and py-amqp say what they will change some day.
warnings.filterwarnings("ignore", category=DeprecationWarning)

from tests.faults import parts, report  # noqa: E402
from tests.faults.outcome import Outcome, Scale  # noqa: E402
from tests.faults.servers import FaultServers, running  # noqa: E402


def main() -> None:
    """Run what was asked for and report it."""
    arguments = _arguments()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    scale = Scale.SHORT if arguments.short else Scale.LONG
    console, started = Console(), time.monotonic()
    console.print(f"种子 seed: {seed}", highlight=False)
    outcomes: list[Outcome] = []
    try:
        with _progress(console) as progress, running() as servers:
            for name in arguments.only or parts.NAMES:
                outcomes.append(_run(name, servers, scale, seed, progress))
    finally:
        seconds = time.monotonic() - started
        report.publish(console, outcomes, seed=seed, scale=scale, seconds=seconds)
    sys.exit(not all(outcome.holds for outcome in outcomes))


def _run(name: str, servers: FaultServers, scale: Scale, seed: int, progress: Progress) -> Outcome:
    """One part; what makes it fail does not keep the others from running."""
    task = progress.add_task(name, total=None, part=name)

    def say(text: str) -> None:
        progress.update(task, description=text)

    try:
        outcome = parts.part(name)(servers, scale, seed, say)
    except Exception as error:
        progress.console.print_exception()
        servers.mend()
        outcome = _failed(name, error)
    verdict = "[green]成立 holds[/green]" if outcome.holds else "[red]不成立 broken[/red]"
    progress.update(task, total=1, completed=1, description=verdict)
    return outcome


def _failed(name: str, error: Exception) -> Outcome:
    return Outcome(
        part=name,
        faults=0,
        acknowledged=0,
        lost=0,
        duplicates_delivered=0,
        duplicate_effects=0,
        broken=(f"{type(error).__name__}: {error}",),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", choices=parts.NAMES, help="one part, or several")
    parser.add_argument("--seed", type=int, metavar="N", help="the same faults once more")
    parser.add_argument("--short", action="store_true", help="the seconds that make test takes")
    return parser.parse_args()


def _progress(console: Console) -> Progress:
    columns: list[Any] = [TextColumn("{task.fields[part]:<18}"), BarColumn(20)]
    return Progress(
        *columns, TimeElapsedColumn(), TextColumn("{task.description}"), console=console
    )


if __name__ == "__main__":
    main()
