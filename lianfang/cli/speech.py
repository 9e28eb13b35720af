"""How the operators' commands speak: Chinese first, English on request, JSON for machines."""

from __future__ import annotations

import json
import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lianfang.days import SHANGHAI
from lianfang.errors import LianfangError
from lianfang.operations.report import Both

_WIDTH = 100

Lang = Annotated[str, typer.Option("--lang", help="语言 zh 或 en · language")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON · for machines, every field")]
_err = Console(stderr=True, highlight=False)


class Speech:
    """Every text is given in both languages; this picks."""

    def __init__(self, lang: str) -> None:
        self.lang = "en" if lang.lower().startswith("en") else "zh"
        # No terminal (a pipe, a log): as wide as a page, unless COLUMNS says otherwise.
        width = shutil.get_terminal_size((_WIDTH, 40)).columns
        self.console = Console(highlight=False, width=width)

    def pick(self, both: Both) -> str:
        """The text in this language."""
        return both[0] if self.lang == "zh" else both[1]

    def say(self, zh: str, en: str) -> None:
        """One sentence."""
        self.console.print(self.pick((zh, en)), soft_wrap=True)

    @contextmanager
    def bar(self, zh: str, en: str, total: int) -> Iterator[Callable[[], None]]:
        """A progress bar beside the output; call what it gives after each."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeRemainingColumn(), console=_err, transient=True) as progress:
            task = progress.add_task(self.pick((zh, en)), total=total)
            yield lambda: progress.advance(task)


def print_json(document: Any) -> None:
    """For machines: indented UTF-8, whatever the terminal."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


@contextmanager
def answering() -> Iterator[None]:
    """An error of ours is one line and exit code 1."""
    try:
        yield
    except LianfangError as error:
        _err.print(f"[red]{error.code}[/red]: {error.message}", soft_wrap=True)
        raise typer.Exit(1) from error


def local(instant: str | datetime | None, form: str = "%m-%d %H:%M:%S") -> str:
    """An instant as the clocks of the city show it."""
    if instant is None:
        return "–"
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return at.astimezone(SHANGHAI).strftime(form)


def os_user() -> str:
    """Who runs this command, as the operating system knows it."""
    try:
        return f"operator:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"operator:uid-{os.getuid()}"
