"""The end state of a town as something to compare: every aggregate and read model, hashed.

Left out: who was assigned, when something was recorded, audit fields, sealed bytes (encrypted anew
each time) and what only the runtime keeps (inbox, outbox, answered commands, guards).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

RUNTIME = {"inbox", "outbox", "commands", "guards", "runtime", "vault"}
AUDIT = {
    "revision",
    "history",
    "team_id",
    "assigned_at",
    "recorded_at",
    "updated_at",
    "opened_by",
    "level_history",
    "audit",
}
#: The journal is the log of what was said on the way; it is not a state.
SERVICES = ("declaration", "screening", "isolation", "dispatch")


def state_of(databases: Mapping[str, Any], *, times: bool = True) -> dict[str, dict[str, str]]:
    """`service.collection` to key to canonical document; without `times` instants are left out."""
    return {
        f"{service}.{name}": {
            str(document["_id"]): _canonical(document, times) for document in database[name].find()
        }
        for service, database in databases.items()
        for name in sorted(database.list_collection_names())
        if name not in RUNTIME
    }


def digest(state: Mapping[str, Mapping[str, str]]) -> str:
    """One hash of it all."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def difference(one: Mapping[str, Mapping[str, str]], other: Mapping[str, Mapping[str, str]]) -> str:
    """The first documents that differ, for a person to read; empty when none does."""
    found = []
    for collection in sorted({*one, *other}):
        left, right = one.get(collection, {}), other.get(collection, {})
        for key in sorted({*left, *right}):
            if left.get(key) != right.get(key):
                found.append(f"{collection} {key}\n  - {left.get(key)}\n  + {right.get(key)}")
    return "\n".join(found[:5])


def _canonical(document: Mapping[str, Any], times: bool) -> str:
    return json.dumps(_kept(document, times), sort_keys=True, default=str, ensure_ascii=False)


def _kept(value: Any, times: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            str(key): _kept(inner, times)
            for key, inner in value.items()
            if key not in AUDIT
            and not isinstance(inner, bytes)
            and (times or not isinstance(inner, datetime))
        }
    if isinstance(value, (list, tuple)):
        return [_kept(item, times) for item in value]
    return value
