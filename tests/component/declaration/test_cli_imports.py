"""The command line sends a file through the door and reports each bad row."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from rich.console import Console

from lianfang.cli.imports import send
from lianfang.testing.pump import Pump
from tests.component.declaration import town as t


def asked(pump: Pump) -> Any:
    return lambda method, deadline, **document: pump.call(method, **document)


def test_a_file_is_imported_and_its_bad_rows_are_reported_beside_it(
    declaration: Pump, tmp_path: Path
) -> None:
    file = tmp_path / "roll.csv"
    rows = [t.row(n, room=f"r{n:04d}", household="") for n in range(1, 1101)]
    rows[7]["document_number"] = "123"
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    console = Console(record=True, width=120)
    assert send("residents", file, asked(declaration), console) == 1
    with file.with_suffix(".report.csv").open(encoding="utf-8") as text:
        (bad,) = csv.DictReader(text)
    assert (bad["row"], bad["field"], bad["code"]) == ("8", "document_number", "invalid_payload")
    assert "imported 1099" in console.export_text()
    assert send("residents", file, asked(declaration), Console(quiet=True)) == 0
    assert declaration.call("declaration.get_roll", building=t.BUILDING)["persons"] == 1099
