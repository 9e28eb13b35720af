"""The unit of work: what one decision read, changed and said, saved in one transaction.

Changes are remembered and written at the end by one bulk write per collection; a find first flushes
what the same unit changed in that collection, so a decision always sees its own changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pymongo import MongoClient, UpdateOne
from pymongo.client_session import ClientSession

from lianfang.days import day_of
from lianfang.envelope import Envelope, dataschema_of, natural_id, routing_key
from lianfang.events import Event, event_id, producer_of
from lianfang.places import wire_place
from lianfang.runtime.changes import write
from lianfang.runtime.documents import Collection, Documents, Page
from lianfang.runtime.logs import log
from lianfang.runtime.origin import Origin
from lianfang.schemas.envelope import encode
from lianfang.topology import EVENTS

T = TypeVar("T")

GUARDS = "guards"
OUTBOX = "outbox"
#: How long the process that committed a row has it to itself.
OWN_CLAIM = timedelta(seconds=10)


class Work(Documents):
    """One transaction's reads and pending writes; handlers get it, stores read with it."""

    def __init__(  # one transaction's context
        self,
        client: MongoClient[Any],
        database: str,
        session: ClientSession | None,
        *,
        source: str,
        now: datetime,
        wall: datetime,
    ) -> None:
        super().__init__(client, database)
        self._session = session
        self._source, self._wall = source, wall
        self._known: dict[tuple[str, str], Any] = {}
        self._stored: dict[tuple[str, str], bool] = {}
        self._dirty: dict[str, dict[str, Collection[Any]]] = {}
        self._ids = 0
        self.now = now
        self.rows: list[dict[str, Any]] = []
        self.touched = 0
        self.notes: dict[str, Any] = {}  # what a batch's `load` tells its handler
        self._said: dict[str, Event] = {}
        self.origin = Origin(correlation_id="", causation_id="")

    # -- where this unit comes from ----------------------------------------------------------

    @property
    def today(self) -> date:
        """The present day in Shanghai."""
        return day_of(self.now)

    @property
    def session(self) -> ClientSession | None:
        """The transaction's session, for the runtime and for stores' own writes."""
        return self._session

    @property
    def message(self) -> Any:
        """The incoming message of a subscription."""
        return self.origin.message

    @property
    def correlation_id(self) -> str:
        """What started it all."""
        return self.origin.correlation_id

    @property
    def causation_id(self) -> str:
        """The message or command that led here."""
        return self.origin.causation_id

    @property
    def caller(self) -> str | None:
        """The broker-validated user of a command."""
        return self.origin.caller

    @property
    def actor(self) -> str | None:
        """The person a trusted door names."""
        return self.origin.actor

    @property
    def request_id(self) -> str | None:
        """The id that makes a command safe to repeat."""
        return self.origin.request_id

    def begin(self, origin: Origin) -> None:
        """What follows answers to `origin`."""
        self.origin = origin
        self._ids = 0

    def correlate(self, correlation_id: str, causation_id: str | None = None) -> None:
        """Let what this unit says belong to another beginning (the case a command confirms)."""
        changed = {"correlation_id": correlation_id}
        if causation_id is not None:
            changed["causation_id"] = causation_id
        self.origin = replace(self.origin, **changed)

    def new_id(self) -> str:
        """An id for something without natural key; a re-run of this unit gives the same."""
        self._ids += 1
        return natural_id("new", self._source, self.causation_id, self.request_id, self._ids)

    def drop(self, reason: str) -> None:
        """Say in the log that this message is knowingly without effect."""
        log.info("message_without_effect", reason=reason)

    # -- reading ------------------------------------------------------------------------------

    def load(self, collection: Collection[T], keys: Iterable[str]) -> dict[str, T]:
        """The states that exist of these keys; what was asked once is not asked again."""
        wanted = list(dict.fromkeys(keys))
        unknown = [key for key in wanted if (collection.name, key) not in self._known]
        if unknown:
            cursor = self.database[collection.name].find(
                {"_id": {"$in": unknown}}, session=self._session, batch_size=5000
            )
            for document in cursor:
                key = document["_id"]
                self._remember(collection, key, collection.read(document))
            for key in unknown:
                self._known.setdefault((collection.name, key), None)
                self._stored.setdefault((collection.name, key), False)
        found = {key: self._known[collection.name, key] for key in wanted}
        return {key: state for key, state in found.items() if state is not None}

    def find(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort: Sequence[tuple[str, int]] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """The states that match, this unit's own changes included."""
        self._flush(collection.name)
        found = super().find(collection, where, sort, limit)
        return [
            self._remember(collection, getattr(state, collection.key), state) for state in found
        ]

    def count(self, collection: Collection[T], where: Mapping[str, Any]) -> int:
        """How many states match, this unit's own changes included."""
        self._flush(collection.name)
        return super().count(collection, where)

    def aggregate(
        self, collection: Collection[Any], pipeline: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """What an aggregation gives, this unit's own changes included."""
        self._flush(collection.name)
        return super().aggregate(collection, pipeline)

    def page(
        self,
        collection: Collection[T],
        where: Mapping[str, Any],
        sort_field: str,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[T]:
        """The next states in order, this unit's own changes included."""
        self._flush(collection.name)
        return super().page(collection, where, sort_field, after, limit)

    def _remember(self, collection: Collection[T], key: str, state: T) -> T:
        self._stored[collection.name, key] = True
        return self._known.setdefault((collection.name, key), state)  # type: ignore[no-any-return]

    # -- changing -----------------------------------------------------------------------------

    def save(self, collection: Collection[T], state: T) -> None:
        """Insert or replace by key at the commit; a state that did not change is not written."""
        key = getattr(state, collection.key)
        if self._known.get((collection.name, key)) is state:
            return
        self.touched += 1
        self._known[collection.name, key] = state
        self._dirty.setdefault(collection.name, {})[key] = collection

    def delete(self, collection: Collection[T], key: str) -> None:
        """Remove by key at the commit."""
        self.touched += 1
        self._known[collection.name, key] = None
        self._dirty.setdefault(collection.name, {})[key] = collection

    def guard(self, kind: str, *keys: str) -> None:
        """Serialise decisions over these keys: of two at once, one is run again after the other."""
        writes = [
            UpdateOne({"_id": f"{kind}:{key}"}, {"$inc": {"n": 1}}, upsert=True)
            for key in sorted(set(keys))
        ]
        if writes:
            self.database[GUARDS].bulk_write(writes, ordered=False, session=self._session)

    def publish(
        self,
        event: Event,
        *,
        place: str,
        correlation_id: str | None = None,
        causation_id: str | None = None,
    ) -> None:
        """Say `event` when, and only when, this unit commits; the same one twice is said once.

        Raises:
            ValueError: it is another service's to say, or another event has its id.
        """
        service = self._source.rpartition("/")[2]
        if producer_of(type(event)) != service:
            raise ValueError(f"{event.TYPE} is not {service}'s to say")
        said = self._said.setdefault(event_id(event), event)
        if said is not event:
            if said != event:
                raise ValueError(f"{event.TYPE} of {event.subject} is said twice, differently")
            return
        envelope = Envelope(
            id=event_id(event),
            source=self._source,
            type=event.TYPE,
            dataschema=dataschema_of(event.TYPE, event.VERSION),
            subject=event.subject,
            time=self.now,
            correlationid=correlation_id or self.correlation_id,
            causationid=causation_id or self.causation_id,
            place=wire_place(place),
            traceparent=self.origin.traceparent,
            data={},
        )
        self._row(envelope.id, EVENTS, routing_key(event.TYPE, place), encode(envelope, event))

    def send_to_queue(self, row_id: str, queue: str, body: bytes, **properties: Any) -> None:
        """Put bytes into one queue, past every exchange, when this unit commits."""
        self._row(row_id, "", queue, body, **properties)

    def _row(self, row_id: str, exchange: str, key: str, body: bytes, **properties: Any) -> None:
        self.touched += 1
        self.rows.append(
            {
                "_id": row_id,
                "exchange": exchange,
                "key": key,
                "body": body,
                **properties,
                "at": self._wall,
                "claimed_until": self._wall + OWN_CLAIM,
                "tries": 0,
                "stuck": False,
            }
        )

    # -- writing ------------------------------------------------------------------------------

    def flush(self) -> None:
        """Write every pending change and outbox row into the transaction."""
        for name in list(self._dirty):
            self._flush(name)
        if self.rows:
            self.database[OUTBOX].insert_many(self.rows, ordered=False, session=self._session)

    def _flush(self, name: str) -> None:
        pending = self._dirty.pop(name, None)
        if not pending:
            return
        changes = {
            key: None if (state := self._known[name, key]) is None else collection.dump(state)
            for key, collection in pending.items()
        }
        read = {key: self._stored[name, key] for key in changes if (name, key) in self._stored}
        write(self.database[name], changes, read, self._session)
        for key, document in changes.items():
            self._stored[name, key] = document is not None
