"""What the demo shows: chapters, sentences, tables and bars, in Chinese first or in English."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lianfang.words import ZH_SERVICES, word

Both = tuple[str, str]
_WIDTH = 100


class Screen:
    """Every text is given in both languages, Chinese first; the screen picks."""

    def __init__(self, lang: str, console: Console | None = None) -> None:
        self.lang = "en" if lang.lower().startswith("en") else "zh"
        # Not a terminal (a pipe, a container's log): as wide as a page, and no colours.
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console = Console(file=self.console.file, highlight=False, width=_WIDTH)
        self._chapters = 0

    def pick(self, zh: str, en: str) -> str:
        """The text in the language of the screen."""
        return zh if self.lang == "zh" else en

    def word(self, text: str) -> str:
        """A word of the wire for people."""
        return word(text, self.lang)

    def service(self, name: str) -> str:
        """A service for people."""
        return self.pick(ZH_SERVICES.get(name, name), name)

    def chapter(self, zh: str, en: str) -> None:
        """The next chapter begins."""
        self._chapters += 1
        self.console.print()
        self.console.rule(f"[bold]{self._chapters}. {self.pick(zh, en)}", align="left")

    def say(self, zh: str, en: str) -> None:
        """One sentence."""
        self.console.print(self.pick(zh, en))

    def good(self, zh: str, en: str) -> None:
        """Something is as it should be."""
        self.console.print(f"[green]✓[/green] {self.pick(zh, en)}")

    def bad(self, zh: str, en: str) -> None:
        """Something is not."""
        self.console.print(f"[bold red]✗[/bold red] {self.pick(zh, en)}")

    def table(self, title: Both, columns: Sequence[Both], rows: Iterable[Sequence[Any]]) -> None:
        """A table; figures to the right."""
        shown = [list(row) for row in rows]
        self.console.print(f"[bold]{self.pick(*title)}[/bold]")
        table = Table(box=box.SIMPLE_HEAD)
        for n, column in enumerate(columns):
            figures = bool(shown) and all(isinstance(row[n], int) for row in shown)
            table.add_column(self.pick(*column), justify="right" if figures else "left")
        for row in shown:
            table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        self.console.print(table)

    def counts(self, title: Both, of: Both, *figures: Mapping[str, int]) -> None:
        """What was found beside what the ledger says, with a mark where they are equal."""
        found, expected = figures
        rows = [
            (self.word(name), found.get(name, 0), expected.get(name, 0), self._mark(name, *figures))
            for name in sorted({*found, *expected}, key=lambda n: (-found.get(n, 0), n))
        ]
        self.table(title, [of, ("实有", "found"), ("账本", "ledger"), ("", "")], rows)

    @staticmethod
    def _mark(name: str, found: Mapping[str, int], expected: Mapping[str, int]) -> str:
        same = found.get(name, 0) == expected.get(name, 0)
        return "[green]✓[/green]" if same else "[bold red]✗[/bold red]"

    @contextmanager
    def bar(self, zh: str, en: str, total: int) -> Iterator[Any]:
        """A progress bar; call what it gives with how much was done."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=False) as progress:
            task = progress.add_task(self.pick(zh, en), total=total)
            yield lambda done=1: progress.advance(task, done)
