"""RPC documents of imports: rows of text as they stand in a CSV file."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields

from lianfang.schemas.fields import Answer, Count, Id, ListOf, Request, Text

#: The most rows of one call, and the most characters of one cell.
ROWS, CELL = 1000, 500
_CELLS = 40


class Rows(fields.Field[list[dict[str, str]]]):
    """Rows of column name to text; what a cell means is checked row by row, not here."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> list[dict[str, str]]:
        if not isinstance(value, list) or len(value) > ROWS:
            raise ValidationError(f"must be a list of at most {ROWS} rows")
        wrong = {str(n): reason for n, row in enumerate(value) if (reason := _wrong(row))}
        if wrong:
            raise ValidationError({key: [reason] for key, reason in wrong.items()})
        return value


def _wrong(row: Any) -> str | None:
    if not isinstance(row, dict) or len(row) > _CELLS:
        return f"must be an object of at most {_CELLS} columns"
    for name, cell in row.items():
        if not isinstance(cell, str):
            return "a cell is no text"
        if len(cell) > CELL or len(name) > CELL:
            return f"a cell is longer than {CELL} characters"
        if not cell.isascii() and _has_surrogate(cell):
            return "a cell holds a lone surrogate"
        if "\0" in cell:
            return "a cell holds a NUL character"
    return None


def _has_surrogate(cell: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in cell)


class ImportRequest(Request):
    """The rows of one file from `first_row` (the first is 1); those already taken are skipped."""

    import_id = Id(required=True)
    first_row = Count(min=1, required=True)
    rows = Rows(required=True)


class GetImportRequest(Request):
    """By id."""

    import_id = Id(required=True)


class RowAnswer(Answer):
    """Why one row was not taken."""

    row = Count()
    field = Text()
    code = Text()
    reason = Text()


class ImportAnswer(Answer):
    """Counts of all calls so far; `rejected` and `duplicate_rows` are of this call.

    For `get_import` they are the last 200 of all.
    """

    import_id = Id()
    next_row = Count()
    imported = Count()
    unchanged = Count()
    duplicates = Count()
    refused = Count()
    rejected = ListOf(RowAnswer)
    duplicate_rows = ListOf(RowAnswer)
