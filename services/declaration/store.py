"""The collections of the declaration service, their indexes, and every filter over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lianfang.runtime.documents import Collection, Index, Page, Reader
from services.declaration.domain.declaration import Declaration
from services.declaration.domain.importing import Import
from services.declaration.domain.person import Person
from services.declaration.domain.place import Place
from services.declaration.domain.residence import Household, Residence

PLACES: Collection[Place] = Collection("places", Place, "path", [Index("level", "path")])
PERSONS: Collection[Person] = Collection("persons", Person, "person_id", [Index("fingerprints")])
HOUSEHOLDS: Collection[Household] = Collection(
    "households", Household, "household_id", [Index("room_path")]
)
RESIDENCES: Collection[Residence] = Collection(
    "residences",
    Residence,
    "residence_id",
    [Index("person_id"), Index("household_id"), Index("room_path", "_id")],
)
DECLARATIONS: Collection[Declaration] = Collection(
    "declarations", Declaration, "declaration_id", [Index("place", "_id"), Index("person_id")]
)
IMPORTS: Collection[Import] = Collection("imports", Import, "import_id")


def under(place: str, field: str) -> dict[str, Any]:
    """At or below a place: one range of the index on `field`, for `/` follows the dot."""
    return {field: {"$gte": place, "$lt": place + "/"}}


def persons_by_documents(reader: Reader, fingerprints: Iterable[str]) -> list[Person]:
    """Whoever has one of these documents."""
    wanted = sorted(set(fingerprints))
    return reader.find(PERSONS, {"fingerprints": {"$in": wanted}}) if wanted else []


def residences_of(reader: Reader, person_ids: Iterable[str]) -> list[Residence]:
    """Every residence of these persons, ended ones included."""
    wanted = sorted(set(person_ids))
    return reader.find(RESIDENCES, {"person_id": {"$in": wanted}}) if wanted else []


def households_in(reader: Reader, room_paths: Iterable[str]) -> list[Household]:
    """Every household of these rooms."""
    wanted = sorted(set(room_paths))
    return reader.find(HOUSEHOLDS, {"room_path": {"$in": wanted}}) if wanted else []


def roll_of(reader: Reader, building: str) -> list[Residence]:
    """Who lives in a building now, by room."""
    where = {"$and": [under(building, "room_path"), {"ended_at": None}]}
    return reader.find(RESIDENCES, where, sort=[("room_path", 1), ("_id", 1)])


def page_of_places(reader: Reader, request: Mapping[str, Any]) -> Page[Place]:
    """Places below one, optionally of one level, by path."""
    where = under(request["under"], "_id")
    if request["level"]:
        where = {"$and": [where, {"level": request["level"]}]}
    return reader.page(PLACES, where, "path", request["after"], request["limit"])


def page_of_residences(
    reader: Reader, where: Mapping[str, Any], request: Mapping[str, Any], by: str
) -> Page[Residence]:
    """Open residences that match, in the order of `by`."""
    current = {"$and": [dict(where), {"ended_at": None}]}
    return reader.page(RESIDENCES, current, by, request["after"], request["limit"])


def page_of_declarations(reader: Reader, request: Mapping[str, Any]) -> Page[Declaration]:
    """Declarations of a person, or of a place by room, or all by id."""
    where: dict[str, Any] = {}
    by = "declaration_id"
    if request["person_id"]:
        where["person_id"] = request["person_id"]
    if request["place"]:
        where |= under(request["place"], "place")
        by = by if request["person_id"] else "place"
    return reader.page(DECLARATIONS, where, by, request["after"], request["limit"])


def coverage(reader: Any, place: str) -> dict[str, int]:
    """How many live in a place, how many of them declared and where they are."""
    found = {"residents": 0, "households": 0, "declared": 0, "present": 0, "away": 0, "unknown": 0}
    here = {"$match": {**under(place, "room_path"), "ended_at": None}}
    residences = reader.raw(RESIDENCES.name)
    by_word = {"$group": {"_id": ["$presence", "$declared"], "n": {"$sum": 1}}}
    for row in residences.aggregate([here, by_word]):
        presence, declared = row["_id"]
        found["residents"] += row["n"]
        found["declared"] += row["n"] if declared else 0
        word = "away" if presence.startswith("away") else presence
        found[word if word in found else "unknown"] += row["n"]
    homes = [here, {"$group": {"_id": "$household_id"}}, {"$count": "n"}]
    for row in residences.aggregate(homes, allowDiskUse=True):
        found["households"] = row["n"]
    return found
