"""What an audit reads: databases, queues and a ledger, as they are; nothing here writes.

Everything is streamed. What belongs together lies in different databases, so rows are looked up
beside others by the batch, with an index on each side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from bson import CodecOptions
from pymongo import ReadPreference
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

T = TypeVar("T")

Row = dict[str, Any]
_BATCH = 1_000


@dataclass(frozen=True)
class Evidence:
    """One district's databases by service, the broker's queues, a client's ledger, real time."""

    databases: Mapping[str, Database[Any]]
    queues: Sequence[Mapping[str, Any]]
    ledger: Path | None
    now: datetime

    @cached_property
    def queue_by_name(self) -> dict[str, Mapping[str, Any]]:
        """The queues that the management page knows."""
        return {queue["name"]: queue for queue in self.queues}

    def collection(self, name: str) -> Any:
        """A collection, named `service.collection`, read as the majority of its members has it."""
        service, _, kind = name.partition(".")
        return self.databases[service].get_collection(
            kind,
            codec_options=CodecOptions(tz_aware=True),
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
        )

    def rows(self, name: str, where: Mapping[str, Any] | None = None, *fields: str) -> Any:
        """The documents that match; only these fields when some are named."""
        shown = dict.fromkeys(fields, 1) or None
        return self.collection(name).find(dict(where or {}), shown, batch_size=_BATCH)

    def count(self, name: str) -> int:
        """About how many documents a collection has."""
        return int(self.collection(name).estimated_document_count())

    def groups(self, name: str, *stages: Mapping[str, Any]) -> Any:
        """The rows of an aggregation; the database may use its disk for it."""
        return self.collection(name).aggregate(list(stages), allowDiskUse=True, batchSize=_BATCH)

    def beside(
        self,
        rows: Iterable[T],
        name: str,
        keys: Callable[[T], Iterable[Any]],
        *fields: str,
        by: str = "_id",
    ) -> Iterator[tuple[T, dict[Any, Row]]]:
        """Each row with those documents of a collection that its keys name, by key."""
        for batch in batches(rows):
            wanted = [(row, list(keys(row))) for row in batch]
            every = list({_hashable(key): key for _, some in wanted for key in some}.values())
            found = {}
            if every:
                for other in self.rows(name, {by: {"$in": every}}, *fields):
                    found[_hashable(_at(other, by))] = other
            for row, some in wanted:
                known = ((key, found.get(_hashable(key))) for key in some)
                yield row, {_hashable(key): other for key, other in known if other is not None}

    def gathered(
        self, rows: Iterable[T], name: str, by: str, key: Callable[[T], Any], *fields: str
    ) -> Iterator[tuple[T, list[Row]]]:
        """Each row with all documents of a collection whose field `by` is the row's key."""
        for batch in batches(rows):
            every = sorted({key(row) for row in batch} - {None})
            found: dict[Any, list[Row]] = {}
            for other in self.rows(name, {by: {"$in": every}}, *fields):
                values = other[by] if isinstance(other[by], list) else [other[by]]
                for value in values:
                    found.setdefault(value, []).append(other)
            for row in batch:
                yield row, found.get(key(row), [])


def batches(rows: Iterable[T], size: int = _BATCH) -> Iterator[list[T]]:
    """The rows in lists of at most `size`."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def _at(document: Row, path: str) -> Any:
    value: Any = document
    for step in path.split("."):
        value = value[step]
    return value


def _hashable(key: Any) -> Any:
    return tuple(key.items()) if isinstance(key, dict) else key
