"""The real codes of streets and communities, read from the district's places file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from lianfang.errors import Misconfigured

FILE = "shenzhen-divisions.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """A street or community: its path, its official name, and the path above."""

    level: str
    path: str
    name: str


def read_divisions(folder: Path, city: str, district: str) -> list[Division]:
    """City, district, its streets and their communities, each after the one above it.

    Raises:
        Misconfigured: the file is missing or knows nothing of the district.
    """
    file = folder / FILE
    if not file.exists():
        raise Misconfigured(f"no {file}: run this from the checkout, or where deploy/places lies")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    paths = {city: city, district: f"{city}.{district}"}
    found = [
        Division(level=row["level"], path=paths[row["code"]], name=row["name"])
        for row in rows
        if row["code"] in paths
    ]
    for level, parent_level in (("street", "district"), ("community", "street")):
        parents = {
            division.path.rpartition(".")[2] for division in found if division.level == parent_level
        }
        for row in rows:
            if row["level"] == level and row["parent"] in parents:
                paths[row["code"]] = f"{paths[row['parent']]}.{row['code']}"
                path = paths[row["code"]]
                found.append(Division(level=level, path=path, name=row["name"]))
    if not any(division.level == "community" for division in found):
        raise Misconfigured(f"{file} has no communities of {district}")
    return found
