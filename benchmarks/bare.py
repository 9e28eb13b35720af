"""What a seal's documents cost when nothing is decided: read back, then inserted bare."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from lianfang.testing.district import PrivateDistrict

Added = dict[str, list[dict[str, Any]]]

#: The services in which the cascade adds documents; the journal only repeats what was said.
_WRITTEN = ("screening", "isolation", "dispatch")
_RUNTIME = {"inbox", "outbox", "commands", "guards", "runtime"}
_INSERTS = 10


def _collections(district: PrivateDistrict) -> list[tuple[str, Any]]:
    return [
        (f"{service}_{name}", district.database(service)[name])
        for service in _WRITTEN
        for name in district.database(service).list_collection_names()
        if name not in _RUNTIME
    ]


def known(district: PrivateDistrict) -> dict[str, set[Any]]:
    """The ids in every collection of the services that the cascade writes to."""
    return {
        name: {row["_id"] for row in collection.find({}, {"_id": 1})}
        for name, collection in _collections(district)
    }


def added(district: PrivateDistrict, before: dict[str, set[Any]]) -> Added:
    """The documents that are new since `before`, by collection."""
    found: Added = {}
    for name, collection in _collections(district):
        ids = {row["_id"] for row in collection.find({}, {"_id": 1})} - before.get(name, set())
        if ids:
            found[name] = list(collection.find({"_id": {"$in": list(ids)}}))
    return found


def measure(district: PrivateDistrict, documents: Added) -> dict[str, Any]:
    """Insert the documents into empty collections without indexes, several times."""
    name = f"{district.prefix}_bare"
    took = []
    for _ in range(_INSERTS):
        district.client.drop_database(name)
        database = district.client[name]
        for collection in documents:
            database.create_collection(collection)
        started = time.monotonic()
        for collection, rows in documents.items():
            database[collection].insert_many(rows, ordered=False)
        took.append((time.monotonic() - started) * 1000)
    return {
        "median_ms": median(took),
        "milliseconds": [round(each, 1) for each in took],
        "documents": {collection: len(rows) for collection, rows in documents.items()},
    }
