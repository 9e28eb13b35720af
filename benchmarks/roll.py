"""Import of the residents' roll, as the district office would: 1,000 rows per call, resumable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.town import Town
from lianfang.client import District

CALL = 1_000
#: Rows at the end that repeat somebody already imported.
DUPLICATES = 500
_IMPORT_ID = "benchmark-roll"
_DEADLINE = 120.0


def measure(caller: District, town: Town) -> dict[str, Any]:
    """Import everybody once and some twice; the clock ends when the last call is answered.

    Raises:
        RuntimeError: the report does not say what was sent.
    """
    rows = [row for building in range(town.buildings) for row in town.rows(building)]
    people = len(rows)
    rows += [row | {"household": row["household"] + "-again"} for row in rows[:DUPLICATES]]
    started = time.monotonic()
    answer: dict[str, Any] = {}
    for first, chunk in _chunks(rows):
        answer = caller.command(
            "declaration.import_residents",
            import_id=_IMPORT_ID,
            first_row=first,
            rows=chunk,
            deadline=_DEADLINE,
        )
    seconds = time.monotonic() - started
    counted = {name: answer[name] for name in ("imported", "unchanged", "duplicates", "next_row")}
    if counted["imported"] != people or counted["duplicates"] != DUPLICATES:
        raise RuntimeError(f"{people} residents, {DUPLICATES} duplicates sent, {counted} reported")
    return {"seconds": seconds, "rows_per_second": round(len(rows) / seconds), **counted}


def _chunks(rows: list[dict[str, str]]) -> Iterator[tuple[int, list[dict[str, str]]]]:
    for start in range(0, len(rows), CALL):
        yield start + 1, rows[start : start + CALL]
