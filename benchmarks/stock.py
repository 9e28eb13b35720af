"""Residents who are there before anybody declares: ten thousand, or a million.

A few hundred are registered through the service; the rest are written straight into the stores'
collections as copies of those documents, each another person in another household and room.
"""

from __future__ import annotations

from typing import Any

from benchmarks import copies, forms
from lianfang.client import District
from lianfang.testing.district import PrivateDistrict

_TEMPLATES = 300
#: Services with a document per resident; all their collections of at least that size are filled.
_HOLDERS = ("declaration", "screening")
#: Places are there already, the rest is the runtime's.
_NOT_THEIRS = {"places", "inbox", "outbox", "commands", "guards", "runtime"}
_PER_ROOM, _PER_BUILDING, _PER_ENCLOSURE = 3, 300, 30_000


def register(caller: District, district: str) -> None:
    """The residents from whom the others are copied."""
    building = forms.buildings(district)[0]
    residents = [
        {
            "room": f"r{n // _PER_ROOM + 1:04d}",
            "household": f"template-{n // _PER_ROOM}",
            "name": forms.person_name(n),
            "document_type": "resident_id",
            "document_number": forms.document_number(n),
            "phone": f"137{n:08d}",
            "stays_since": "2019-10-01T00:00:00+08:00",
        }
        for n in range(_TEMPLATES)
    ]
    for start in range(0, _TEMPLATES, 100):
        caller.command(
            "declaration.register_residents",
            building=building,
            residents=residents[start : start + 100],
        )


def load(district: PrivateDistrict, residents: int) -> dict[str, int]:
    """Fill every collection with a document per resident; returns how many each has now."""
    found: dict[str, int] = {}
    for service in _HOLDERS:
        database = district.database(service)
        for name in sorted(set(database.list_collection_names()) - _NOT_THEIRS):
            if database[name].estimated_document_count() >= _TEMPLATES // _PER_ROOM:
                per_resident = database[name].estimated_document_count() / _TEMPLATES
                copies.fill(database[name], int(residents * min(per_resident, 1)), _vary)
                found[f"{service}.{name}"] = database[name].estimated_document_count()
    return found


def _vary(document: dict[str, Any], n: int) -> dict[str, Any]:
    """Another person: every key new, another building and room."""
    return {name: _varied(name, value, n) for name, value in document.items()}


def _varied(name: str, value: Any, n: int) -> Any:
    if isinstance(value, dict):
        return {key: _varied(key, inner, n) for key, inner in value.items()}
    if isinstance(value, list):
        return [_varied(name, inner, n) for inner in value]
    if not isinstance(value, str):
        return value
    if name in _PLACES:
        return _PLACES[name].format(building=_building(value, n), room=n // _PER_ROOM)
    if name == "_id" or name.endswith("_id") or name in _FINGERPRINTS:
        return f"{n:012d}{value[12:]}"
    return value


_FINGERPRINTS = {"fingerprint", "fingerprints"}
_PLACES = {
    "building": "{building}",
    "room": "r{room:06d}",
    "room_path": "{building}.r{room:06d}",
    "place": "{building}.r{room:06d}",
}


def _building(path: str, n: int) -> str:
    enclosure = path.split(".e", maxsplit=1)[0] + f".e{n // _PER_ENCLOSURE + 2:02d}"
    return f"{enclosure}.b{n // _PER_BUILDING % (_PER_ENCLOSURE // _PER_BUILDING):02d}"
