"""Pending documents written in one bulk: what is new is inserted, what is there replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.client_session import ClientSession

#: From this many documents of unknown standing on, a look-up is cheaper than upserts.
_LOOK_FROM = 3


def write(
    rows: Any,
    changes: Mapping[str, dict[str, Any] | None],
    stored: Mapping[str, bool],
    session: ClientSession | None,
) -> None:
    """Make `rows` hold each of `changes` by key; None is removed.

    `stored` says of the keys that were read whether they are there. The others are looked up at
    once: an upsert costs the database several times an insert. Whoever inserts meanwhile makes this
    transaction run again.
    """
    there = dict(stored)
    unknown = [key for key in changes if key not in there]
    if len(unknown) >= _LOOK_FROM:
        found = rows.find({"_id": {"$in": unknown}}, {"_id": 1}, session=session, batch_size=5000)
        there |= dict.fromkeys(unknown, False) | {row["_id"]: True for row in found}
    writes: list[Any] = []
    for key, document in changes.items():
        if document is None:
            writes.append(DeleteOne({"_id": key}))
        elif there.get(key) is False:
            writes.append(InsertOne(document))
        else:
            writes.append(ReplaceOne({"_id": key}, document, upsert=True))
    rows.bulk_write(writes, ordered=False, session=session)
