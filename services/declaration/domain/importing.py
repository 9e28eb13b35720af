"""Imports: which row comes next, and what became of each row so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lianfang.errors import Conflict

#: How many refused rows an import keeps for `get_import`; every answer holds its call's own.
KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one row was not taken. Row 1 is the first after the header; values are not repeated."""

    row: int
    field: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file's progress; counts are of all its calls."""

    import_id: str
    kind: str
    next_row: int = 1
    imported: int = 0
    unchanged: int = 0
    duplicates: int = 0
    refused: int = 0
    rejected: tuple[Refusal, ...] = ()
    duplicate_rows: tuple[Refusal, ...] = ()


def begin(known: Import | None, import_id: str, kind: str, first_row: int) -> Import:
    """The import that a call continues.

    Raises:
        Conflict: rows are missing before this call's, or the id belongs to another kind of file.
    """
    current = known or Import(import_id=import_id, kind=kind)
    if current.kind != kind:
        raise Conflict(f"import {import_id} is one of {current.kind}")
    if first_row > current.next_row:
        facts = {"fields": {"first_row": [f"the next row is {current.next_row}"]}}
        raise Conflict(f"first_row: the next row is {current.next_row}", facts)
    return current


@dataclass(slots=True)
class Tally:
    """What became of the rows of one call."""

    imported: int = 0
    unchanged: int = 0
    rejected: list[Refusal] | None = None
    duplicates: list[Refusal] | None = None

    def refuse(self, refusal: Refusal) -> None:
        """A bad row."""
        self.rejected = [*(self.rejected or ()), refusal]

    def repeat(self, refusal: Refusal) -> None:
        """A row about somebody who is already here."""
        self.duplicates = [*(self.duplicates or ()), refusal]


def advanced(current: Import, next_row: int, tally: Tally) -> Import:
    """The import after a call."""
    rejected, duplicates = tuple(tally.rejected or ()), tuple(tally.duplicates or ())
    return replace(
        current,
        next_row=max(current.next_row, next_row),
        imported=current.imported + tally.imported,
        unchanged=current.unchanged + tally.unchanged,
        duplicates=current.duplicates + len(duplicates),
        refused=current.refused + len(rejected),
        rejected=(*current.rejected, *rejected)[-KEPT:],
        duplicate_rows=(*current.duplicate_rows, *duplicates)[-KEPT:],
    )
