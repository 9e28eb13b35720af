"""`lianfang import places|residents FILE`: a CSV file through the real door, resumable."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from lianfang.client import District
from lianfang.errors import LianfangError
from lianfang.settings import Settings

#: Rows per call, the most that the door takes.
CALL = 1000
_DEADLINE = 120.0
_SHOWN = 50
_REPORT = ("row", "field", "code", "reason")

Ask = Callable[..., dict[str, Any]]
FilePath = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="UTF-8 CSV with a header")
]

import_app = typer.Typer(
    help="Import places or residents · 导入场所或居民名册 (CSV).", no_args_is_help=True
)
_out = Console()


@import_app.command("places")
def import_places(file: FilePath) -> None:
    """Import places: path, name, use, community_type, exits(;), floors, grid, shared_facilities.

    Places stand after what is above them. The same file may be sent again: it goes on where it
    stopped. Bad rows are printed and written beside the file. Next: `lianfang import residents`.
    """
    _run("places", file)


@import_app.command("residents")
def import_residents(file: FilePath) -> None:
    """Import the residents' roll of buildings that are registered.

    Columns: building, unit, room, floor, household, name, gender, birth_on, document_type,
    document_number, phone, kind, needs(;), presence, stays_since, guardian_document_number. The
    same file may be sent again: it goes on where it stopped. Bad rows and duplicates are printed
    and written beside the file.
    """
    _run("residents", file)


def _run(kind: str, file: Path) -> None:
    try:
        with District(Settings.read(needs_database=False).amqp_uri) as district:
            bad = send(kind, file, district.command, _out)
    except LianfangError as error:
        _out.print(f"[red]{error.code}[/red]: {error.message}", soft_wrap=True)
        raise typer.Exit(1) from error
    except (UnicodeDecodeError, csv.Error) as error:
        _out.print(f"[red]no CSV file in UTF-8 · 不是 UTF-8 的 CSV 文件[/red]: {error}")
        raise typer.Exit(1) from error
    raise typer.Exit(2 if bad else 0)


def send(kind: str, file: Path, ask: Ask, console: Console) -> int:
    """Send every row, print the report and write it as CSV; returns how many rows were bad.

    A file's id is its content, so a run that was cut short goes on where it stopped.
    """
    import_id = f"{kind}-{_content_hash(file)}"
    total = sum(1 for _ in _rows(file))
    refused: list[dict[str, Any]] = []
    duplicates: list[dict[str, Any]] = []
    report: dict[str, Any] = {"next_row": 1}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task(f"{file.name}", total=total)
        rows, first = _rows(file), 1
        while chunk := list(islice(rows, CALL)):
            report = ask(
                f"declaration.import_{kind}",
                import_id=import_id,
                first_row=first,
                rows=chunk,
                deadline=_DEADLINE,
            )
            refused += report["rejected"]
            duplicates += report["duplicate_rows"]
            first += len(chunk)
            progress.update(bar, completed=first - 1)
    bad = sorted([*refused, *duplicates], key=lambda row: row["row"])
    _print(console, report, bad)
    if bad:
        path = file.with_suffix(".report.csv")
        _write(path, bad)
        console.print(f"报告 · report: {path}", soft_wrap=True)
    return len(refused)


def _content_hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:32]


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        for row in csv.DictReader(text, restkey="surplus", restval=""):
            surplus = row.get("surplus")
            yield {k: v for k, v in row.items() if k != "surplus"} | (
                {"surplus": ";".join(surplus)} if surplus else {}
            )


def _print(console: Console, report: dict[str, Any], bad: list[dict[str, Any]]) -> None:
    counts = [
        ("导入 · imported", report.get("imported", 0)),
        ("未变 · unchanged", report.get("unchanged", 0)),
        ("重复 · duplicates", report.get("duplicates", 0)),
        ("拒绝 · refused", report.get("refused", 0)),
    ]
    console.print("  ".join(f"{name} {count}" for name, count in counts))
    if not bad:
        return
    table = Table("行 · row", "列 · field", "代码 · code", "原因 · reason")
    for row in bad[:_SHOWN]:
        table.add_row(*(str(row[name]) for name in _REPORT))
    console.print(table)
    if len(bad) > _SHOWN:
        console.print(f"… {len(bad) - _SHOWN} 行见报告 · more rows in the report")


def _write(path: Path, bad: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, _REPORT)
        writer.writeheader()
        writer.writerows(bad)
