"""Frozen dataclasses as MongoDB documents: collections, indexes, reads and paging."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import orjson
from cattrs import Converter
from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database

from lianfang.days import to_milliseconds
from lianfang.errors import InvalidPayload

T = TypeVar("T")

_CONVERTER = Converter(unstruct_collection_overrides={tuple: list}, forbid_extra_keys=False)
_CONVERTER.register_unstructure_hook(date, lambda day: day.isoformat())
_CONVERTER.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
_CONVERTER.register_unstructure_hook(datetime, lambda instant: instant)
_CONVERTER.register_structure_hook(datetime, lambda instant, _: instant)
_CONVERTER.register_structure_hook(str, lambda text, kind: text if kind is str else kind(text))
_CONVERTER.register_structure_hook(bytes, lambda raw, _: raw)

#: The most items a page may have.
PAGE_LIMIT = 500


class Index:
    """An index beside the query it serves; a field starting with `-` descends.

    With `expire_after` the database deletes a document so long after the instant in its field.
    """

    def __init__(
        self,
        *fields: str,
        unique: bool = False,
        where: Mapping[str, Any] | None = None,
        expire_after: timedelta | None = None,
    ) -> None:
        self.fields, self.unique, self.where = fields, unique, where
        self.expire_after = expire_after

    def model(self) -> IndexModel:
        """The index as MongoDB wants it, named `ux_` or `ix_` and its fields."""
        keys = [
            (f.lstrip("-"), DESCENDING if f.startswith("-") else ASCENDING) for f in self.fields
        ]
        prefix = "ux_" if self.unique else "ix_"
        options: dict[str, Any] = {"name": prefix + "_".join(k.replace(".", "_") for k, _ in keys)}
        if self.unique:
            options["unique"] = True
        if self.where is not None:
            options["partialFilterExpression"] = dict(self.where)
            options["name"] += "_where_" + "_".join(self.where)
        if self.expire_after is not None:
            options["expireAfterSeconds"] = int(self.expire_after.total_seconds())
            options["name"] += "_expires"
        return IndexModel(keys, **options)


@dataclass(frozen=True)
class Collection(Generic[T]):
    """Where states of one dataclass live; `key` names the field that is the `_id`."""

    name: str
    type: type[T]
    key: str
    indexes: Sequence[Index] = ()

    @cached_property
    def _unstructure(self) -> Any:
        return _CONVERTER.get_unstructure_hook(self.type)

    @cached_property
    def _structure(self) -> Any:
        return _CONVERTER.get_structure_hook(self.type)

    def dump(self, state: T) -> dict[str, Any]:
        """The document of a state."""
        document: dict[str, Any] = self._unstructure(state)
        document["_id"] = document.pop(self.key)
        return document

    def read(self, document: dict[str, Any]) -> T:
        """The state of a document."""
        document[self.key] = document.pop("_id")
        state: T = self._structure(document, self.type)
        return state


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and where to go on; `next` is opaque and None at the end."""

    items: tuple[T, ...]
    next: str | None


class Reader(Protocol):
    """What queries and decisions read with; both see the same states."""

    def get(self, collection: Collection[T], key: str) -> T | None:
        """The state with this key."""

    def load(self, collection: Collection[T], keys: Iterable[str]) -> dict[str, T]:
        """The states that exist of these keys, in one round trip."""

    def find(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """The states that match."""

    def count(self, collection: Collection[T], where: Mapping[str, Any]) -> int:
        """How many states match."""

    def aggregate(
        self, collection: Collection[Any], pipeline: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """The rows that an aggregation of the collection gives."""

    def page(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort_field: str,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[T]:
        """The next `limit` states in the order of `sort_field`, then key."""


class Documents:
    """Majority reads outside any transaction."""

    def __init__(self, client: MongoClient[Any], database: str) -> None:
        self.client = client
        self.database: Database[Any] = client[database]
        self._session: ClientSession | None = None

    def raw(self, name: str) -> Any:
        """The pymongo collection, for the runtime and for stores' aggregations."""
        return self.database[name]

    def get(self, collection: Collection[T], key: str) -> T | None:
        """The state with this key."""
        return self.load(collection, [key]).get(key)

    def load(self, collection: Collection[T], keys: Iterable[str]) -> dict[str, T]:
        """The states that exist of these keys, in one round trip."""
        where = {"_id": {"$in": list(dict.fromkeys(keys))}}
        return {getattr(state, collection.key): state for state in self.find(collection, where)}

    def find(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """The states that match."""
        cursor = self.database[collection.name].find(where, session=self._session, batch_size=5000)
        if sort:
            cursor = cursor.sort(list(sort))
        if limit:
            cursor = cursor.limit(limit)
        return [collection.read(document) for document in cursor]

    def count(self, collection: Collection[T], where: Mapping[str, Any]) -> int:
        """How many states match."""
        return int(self.database[collection.name].count_documents(where, session=self._session))

    def aggregate(
        self, collection: Collection[Any], pipeline: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """The rows that an aggregation of the collection gives."""
        return list(self.database[collection.name].aggregate(pipeline, session=self._session))

    def page(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort_field: str,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[T]:
        """The next `limit` states in the order of `sort_field` (`-` descends), then key.

        Raises:
            InvalidPayload: `after` is no cursor of ours.
        """
        field, direction = sort_field.lstrip("-"), -1 if sort_field.startswith("-") else 1
        limit = min(limit, PAGE_LIMIT)
        mongo_field = "_id" if field == collection.key else field
        clauses = [dict(where)]
        if after is not None:
            clauses.append(_beyond(mongo_field, direction, *_cursor_values(after)))
        order = [(mongo_field, direction)] + ([("_id", direction)] if mongo_field != "_id" else [])
        cursor = self.database[collection.name].find({"$and": clauses}, session=self._session)
        raw = list(cursor.sort(order).limit(limit + 1))
        following = None
        if len(raw) > limit:
            raw = raw[:limit]
            last = raw[-1]
            following = _cursor(last.get(mongo_field), last["_id"])
        return Page(tuple(collection.read(document) for document in raw), following)


def _beyond(field: str, direction: int, value: Any, key: Any) -> dict[str, Any]:
    """What comes after a value and key; documents without a value sort before all others."""
    operator = "$gt" if direction > 0 else "$lt"
    if field == "_id":
        return {"_id": {operator: key}}
    rest: list[dict[str, Any]] = [{field: value, "_id": {operator: key}}]
    if direction > 0:
        rest.append({field: {"$ne": None} if value is None else {"$gt": value}})
    elif value is not None:
        rest += [{field: {"$lt": value}}, {field: None}]
    return {"$or": rest}


def _cursor(value: Any, key: Any) -> str:
    instant = isinstance(value, datetime)
    body = orjson.dumps([instant, value, key])
    return base64.urlsafe_b64encode(body).decode()


def _cursor_values(cursor: str) -> tuple[Any, Any]:
    """What a cursor says; it comes from a caller, so anything but plain values is refused."""
    try:
        instant, value, key = orjson.loads(base64.urlsafe_b64decode(cursor))
        if isinstance(value, dict | list) or not isinstance(key, str):
            raise TypeError("no plain values")
        return (to_milliseconds(datetime.fromisoformat(value)) if instant else value), key
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidPayload.of("after", "is no cursor of a former page") from error


def connect(
    mongo_uri: str, appname: str, *, patience: float = 8.0, silence: float = 15.0
) -> MongoClient[Any]:
    """A client whose writes are majority and journaled and whose instants are aware.

    `patience` is how many seconds an operation waits for a primary, `silence` for its answer: a
    connection that the way in between forgot says nothing, ever.
    """
    return MongoClient(
        mongo_uri,
        appname=appname,
        tz_aware=True,
        w="majority",
        journal=True,
        readConcernLevel="majority",
        retryWrites=True,
        serverSelectionTimeoutMS=int(patience * 1000),
        # Both together until a server that is silent on all its connections counts as gone, and
        # what waits for it ends; the driver's own are 20 and 10 seconds.
        connectTimeoutMS=5000,
        heartbeatFrequencyMS=5000,
        socketTimeoutMS=int(silence * 1000),
        maxPoolSize=50,
        uuidRepresentation="standard",
    )


def migrate(database: Database[Any], collections: Iterable[Collection[Any]]) -> list[str]:
    """Create what is missing of collections and indexes, before any service starts.

    Returns the names of the indexes that now exist, for the log. Safe to repeat.
    """
    present = set(database.list_collection_names())
    made: list[str] = []
    for collection in collections:
        if collection.name not in present:
            database.create_collection(collection.name)
        models = [index.model() for index in collection.indexes]
        if models:
            made += database[collection.name].create_indexes(models)
    return made
