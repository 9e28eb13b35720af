"""Rows of a CSV file taken: the good ones imported, the bad ones listed, each file resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lianfang import places
from lianfang.envelope import natural_id
from lianfang.errors import LianfangError
from lianfang.places import Level
from services.declaration import placing, store
from services.declaration.domain import importing as i
from services.declaration.domain.importing import Import, Refusal, Tally
from services.declaration.rows import Row, read_place

PLACES, RESIDENTS = "places", "residents"
_DUPLICATE = "duplicate"


def run(
    work: Any,
    request: Mapping[str, Any],
    kind: str,
    take: Callable[[Import, Sequence[tuple[int, Row]], Tally], None],
) -> dict[str, Any]:
    """Let `take` have the rows that no former call took; the answer counts all calls.

    Raises:
        Conflict: rows before this call's are missing.
    """
    first, rows = request["first_row"], request["rows"]
    known = work.get(store.IMPORTS, request["import_id"])
    current = i.begin(known, request["import_id"], kind, first)
    fresh = [(n, row) for n, row in enumerate(rows, first) if n >= current.next_row]
    tally = Tally()
    take(current, fresh, tally)
    after = i.advanced(current, first + len(rows), tally)
    work.save(store.IMPORTS, after)
    return {
        **answer(after),
        "rejected": tally.rejected or [],
        "duplicate_rows": tally.duplicates or [],
    }


def answer(current: Import) -> dict[str, Any]:
    """How far a file is."""
    return {
        "import_id": current.import_id,
        "next_row": current.next_row,
        "imported": current.imported,
        "unchanged": current.unchanged,
        "duplicates": current.duplicates,
        "refused": current.refused,
        "rejected": current.rejected,
        "duplicate_rows": current.duplicate_rows,
    }


def refusal(row: int, error: LianfangError) -> Refusal:
    """The row of the report that an error makes."""
    fields = error.context.get("fields") or {"row": [error.message]}
    field, reasons = next(iter(fields.items()))
    return Refusal(row=row, field=field, code=error.code, reason="; ".join(reasons))


def take_places(
    work: Any, vault: Any, current: Import, rows: Sequence[tuple[int, Row]], tally: Tally
) -> None:
    """Register and amend the places of these rows."""
    documents: list[tuple[int, dict[str, Any]]] = []
    for n, row in rows:
        try:
            documents.append((n, read_place(row)))
        except LianfangError as error:
            tally.refuse(refusal(n, error))
    known = placing.load(work, [document for _, document in documents])
    kept = []
    seen: set[str] = set()
    gates = {d["path"] for _, d in documents if places.level_of(d["path"]) is Level.GATE}
    for n, document in documents:
        missing = placing.missing_of(document, known, seen | gates)
        if missing:
            reason = "there is no such place"
            tally.refuse(Refusal(row=n, field=missing[0], code="not_found", reason=reason))
            continue
        if document["path"] in seen:
            reason = "stands in a former row"
            tally.repeat(Refusal(row=n, field="path", code=_DUPLICATE, reason=reason))
            continue
        seen.add(document["path"])
        changed = placing.keep(work, vault, known, document)
        kept.append(changed)
        tally.imported += changed is not None
        tally.unchanged += changed is None
    first = rows[0][0] if rows else 0
    placing.announce(work, kept, natural_id("import", current.import_id, first))
