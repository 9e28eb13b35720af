"""The few forms that the reference pages are made of."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence


def document(title: str, intro: str, *parts: str) -> str:
    """A whole page, with the warning that it is written by a program."""
    note = "<!-- Written by `make docs` from the code; a change here is lost. -->"
    body = "\n\n".join(part.strip("\n") for part in (intro, *parts) if part)
    return f"# {title}\n\n{note}\n\n{body}\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty when there is no row."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) if len(lines) > 2 else ""  # noqa: PLR2004 - head and rule alone


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def code(word: object) -> str:
    """A word as the wire has it."""
    return f"`{word}`"


def codes(words: Iterable[object]) -> str:
    """Several of them."""
    return ", ".join(code(word) for word in words)


def prose(documented: object) -> str:
    """The docstring of something, without its indent."""
    return inspect.getdoc(documented) or ""


def sentence(documented: object) -> str:
    """The first paragraph of a docstring on one line."""
    return prose(documented).split("\n\n")[0].replace("\n", " ")
