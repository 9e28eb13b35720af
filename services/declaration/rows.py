"""Rows of text read: what each column of a places file and of the residents' roll may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, TypeVar

from lianfang import places
from lianfang.days import to_milliseconds
from lianfang.errors import InvalidPayload
from lianfang.places import Level
from lianfang.vocabulary import CommunityType, Need, PlaceUse, Presence, ResidenceKind
from services.declaration.domain.documents import DocumentType, Gender

Word = TypeVar("Word", bound=Enum)
Row = Mapping[str, str]

PLACE_COLUMNS = frozenset(
    ("path", "name", "use", "community_type", "exits", "floors", "grid", "shared_facilities")
)
RESIDENT_COLUMNS = frozenset(
    (
        "building",
        "unit",
        "room",
        "floor",
        "household",
        "name",
        "gender",
        "birth_on",
        "document_type",
        "document_number",
        "phone",
        "kind",
        "needs",
        "presence",
        "stays_since",
        "guardian_document_number",
    )
)
_MOST_FLOORS = 200
_YES = ("1", "true", "yes", "是")


def read_place(row: Row) -> dict[str, Any]:
    """One row of a places file, as `register_place` would have it.

    Raises:
        InvalidPayload: naming the column.
    """
    _columns(row, PLACE_COLUMNS)
    path, name = _needed(row, "path"), _needed(row, "name")
    try:
        places.check(path)
    except InvalidPayload as error:
        raise InvalidPayload.of("path", error.message) from error
    exits = _list(row, "exits")
    for gate in exits:
        if places.level_of(gate) is not Level.GATE:
            raise InvalidPayload.of("exits", f"{gate!r} is no gate")
    return {
        "path": path,
        "name": name,
        "use": _word(row, "use", PlaceUse) or PlaceUse.RESIDENCE,
        "community_type": _word(row, "community_type", CommunityType),
        "exits": exits,
        "floors": _number(row, "floors"),
        "grid": row.get("grid") or None,
        "shared_facilities": row.get("shared_facilities", "").lower() in _YES,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentRow:
    """A row of the roll, read but not yet compared with anything."""

    row: int
    building: str
    unit: str | None
    room: str
    floor: int | None
    household: str | None
    name: str
    gender: Gender | None
    birth_on: date | None
    document_type: DocumentType
    document_number: str | None
    phone: str | None
    kind: ResidenceKind
    needs: tuple[Need, ...]
    presence: Presence
    stays_since: datetime | None
    guardian_document_number: str | None


def read_resident(n: int, row: Row) -> ResidentRow:
    """One row of the roll.

    Raises:
        InvalidPayload: naming the column.
    """
    _columns(row, RESIDENT_COLUMNS)
    building = _needed(row, "building")
    try:
        places.check(building)
    except InvalidPayload as error:
        raise InvalidPayload.of("building", error.message) from error
    if places.level_of(building) is not Level.BUILDING:
        raise InvalidPayload.of("building", "is no building")
    needs = tuple(_enum("needs", Need, word) for word in _list(row, "needs"))
    return ResidentRow(
        row=n,
        building=building,
        unit=row.get("unit") or None,
        room=_needed(row, "room"),
        floor=_number(row, "floor"),
        household=row.get("household") or None,
        name=_needed(row, "name"),
        gender=_word(row, "gender", Gender),
        birth_on=_day(row, "birth_on"),
        document_type=_word(row, "document_type", DocumentType) or DocumentType.RESIDENT_ID,
        document_number=row.get("document_number") or None,
        phone=row.get("phone") or None,
        kind=_word(row, "kind", ResidenceKind) or ResidenceKind.USUAL,
        needs=needs,
        presence=_word(row, "presence", Presence) or Presence.UNKNOWN,
        stays_since=_instant(row, "stays_since"),
        guardian_document_number=row.get("guardian_document_number") or None,
    )


def _columns(row: Row, known: frozenset[str]) -> None:
    if not row.keys() <= known:
        column = sorted(row.keys() - known)[0][:60]
        raise InvalidPayload.of(column, "is no column of this file")


def _needed(row: Row, column: str) -> str:
    text = row.get(column, "").strip()
    if not text:
        raise InvalidPayload.of(column, "is missing")
    return text


def _list(row: Row, column: str) -> list[str]:
    text = row.get(column)
    return [part.strip() for part in text.split(";") if part.strip()] if text else []


def _word(row: Row, column: str, kind: type[Word]) -> Word | None:
    text = row.get(column)
    return _enum(column, kind, text) if text else None


def _enum(column: str, kind: type[Word], text: str) -> Word:
    try:
        return kind(text)
    except ValueError as error:
        words = ", ".join(str(member.value) for member in kind)
        raise InvalidPayload.of(column, f"must be one of {words}") from error


def _number(row: Row, column: str) -> int | None:
    text = row.get(column)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text[:9]) > _MOST_FLOORS:
        raise InvalidPayload.of(column, f"must be a number up to {_MOST_FLOORS}")
    return int(text)


def _day(row: Row, column: str) -> date | None:
    text = row.get(column)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidPayload.of(column, "must be a day, YYYY-MM-DD") from error


def _instant(row: Row, column: str) -> datetime | None:
    text = row.get(column)
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError(text)
        return to_milliseconds(instant)
    except (ValueError, OverflowError) as error:
        raise InvalidPayload.of(column, "must be an instant with its offset") from error
