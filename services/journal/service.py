"""The journal's entrypoints."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from lianfang.envelope import Envelope, natural_id
from lianfang.errors import NotFound
from lianfang.runtime import (
    Setting,
    Vault,
    command,
    parked,
    query,
    replays,
    subscribe_all,
    timer,
)
from lianfang.runtime.documents import Reader
from lianfang.runtime.door import Incoming
from lianfang.runtime.work import Work
from services.journal import schemas, store
from services.journal.domain import parked as rules
from services.journal.domain.parked import ParkedMessage

#: Seconds between looks at replays that found no queue, and for victims to replay.
_EVERY = 1.0


class Journal:
    """Keeps every event; keeps what nobody could handle until somebody decides."""

    name = "journal"
    vault = Vault()
    city = Setting("city")
    district = Setting("district")

    # -- the log ------------------------------------------------------------------------------

    @subscribe_all("log", batch=200, load=store.load_known)
    def keep(self, work: Work, envelope: Envelope) -> None:
        """Keep an event once."""
        store.keep(work, envelope)

    @query(schemas.FindEventsRequest, schemas.EventsAnswer)
    def find_events(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """Events, the newest first."""
        given = ("type", "correlation_id", "subject")
        where = {key: request[key] for key in given if request[key] is not None}
        if request["place"] is not None:
            where["place"] = store.under(request["place"])
        where |= store.span(request["from_at"], request["until_at"])
        page = store.page_of_events(reader, where, request["after"], request["limit"])
        return {"events": schemas.event_documents(list(page.items)), "next": page.next}

    @query(schemas.GetEventRequest, schemas.OneEventAnswer)
    def get_event(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """One event, and what it led to directly (at most 100)."""
        entry = _event(reader, request["event_id"])
        (document,) = schemas.event_documents([entry], budget=len(entry.data))
        effects = store.effects(reader, entry.event_id, limit=100)
        return {"event": document, "led_to": schemas.event_documents(effects, budget=0)}

    @query(schemas.GetTraceRequest, schemas.EventsAnswer)
    def get_trace(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """All events that one case, declaration or command started, in the order of time."""
        page = store.trace(reader, request["correlation_id"], request["after"], request["limit"])
        return {"events": schemas.event_documents(list(page.items)), "next": page.next}

    @query(schemas.GetEventRequest, schemas.EventsAnswer)
    def get_chain(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """Why an event happened: its causes from the first one down to itself."""
        links = store.chain(reader, _event(reader, request["event_id"]))
        return {"events": schemas.event_documents(links), "next": None}

    @query(schemas.GetFlowRequest, schemas.FlowAnswer)
    def get_flow(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """How many events of which type, and how many in each minute."""
        return store.flow(reader, request["place"], request["from_at"], request["until_at"])

    # -- parked messages ----------------------------------------------------------------------

    @parked()
    def take_parked(self, work: Work, incoming: Incoming) -> None:
        """Keep a message that its subscription could not handle, encrypted; or hear of a replay."""
        word = replays.read_word(incoming)
        if word is not None:
            self._hear(work, word)
            return
        digest = hashlib.sha256(incoming.body).hexdigest()
        message_id = incoming.properties.get("message_id") or natural_id("bytes", digest)
        arrival = rules.arrival_of(incoming.headers, str(message_id))
        parked_id = rules.parked_id_of(arrival, digest)
        message = rules.park(
            work.get(store.PARKED, parked_id),
            arrival,
            parked_id=parked_id,
            sealed=self._sealed(incoming),
            size=len(incoming.body),
            at=work.now,
        )
        work.save(store.PARKED, message)

    def _hear(self, work: Work, word: replays.Word) -> None:
        """A replay is behind its subscription; the next victim need not wait for the clock."""
        message = work.get(store.PARKED, word.replay_id)
        if message is None or message.origin != word.origin:
            work.drop("word of an unknown replay")
            return
        work.save(store.PARKED, rules.settle(message))
        self._replay_next(work)

    def _sealed(self, incoming: Incoming) -> bytes:
        kept = {k: v for k, v in incoming.headers.items() if not k.startswith("x-")}
        content_type = incoming.properties.get("content_type")
        return self.vault.seal(
            {
                "body": incoming.body,
                "headers": orjson.dumps(kept, default=str, option=orjson.OPT_NON_STR_KEYS),
                "content_type": content_type if isinstance(content_type, str) else "",
            }
        )

    @query(schemas.FindParkedRequest, schemas.ParkedListAnswer)
    def find_parked(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """Parked messages without their content, the latest first."""
        given = ("state", "reason", "origin", "stack")
        where = {key: request[key] for key in given if request[key] is not None}
        page = store.page_of_parked(reader, where, request["after"], request["limit"])
        return {"parked": page.items, "next": page.next}

    @query(schemas.CountParkedRequest, schemas.ParkedCausesAnswer)
    def count_parked(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """How many messages are parked, grouped by what was wrong and where."""
        causes = store.causes_of_parked(reader, request["state"])
        return {"causes": causes, "count": store.count_parked(reader, request["state"])}

    @query(schemas.ParkedRequest, schemas.ParkedContentAnswer)
    def get_parked(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """One parked message with its content, masked."""
        message = _parked(reader, request["parked_id"])
        return schemas.content_document(message, self.vault.open(message.sealed))

    @command(schemas.ParkedRequest, schemas.ParkedAnswer)
    def replay_parked(self, work: Work, request: dict[str, Any]) -> ParkedMessage:
        """Send a parked message to the subscription it came from once more."""
        return self._replay(work, _parked(work, request["parked_id"]), _who(work))

    def _replay(self, work: Work, message: ParkedMessage, by: str) -> ParkedMessage:
        changed, said = rules.replay(message, by=by, at=work.now)
        opened = self.vault.open(message.sealed)
        work.save(store.PARKED, changed)
        stored = replays.Stored(
            origin=message.origin,
            body=bytes(opened["body"]),
            headers=orjson.loads(bytes(opened["headers"])),
            message_id=message.message_id,
            content_type=opened["content_type"],
        )
        replays.replay(work, message.parked_id, stored)
        self._say(work, said)
        return changed

    @command(schemas.DiscardParkedRequest, schemas.ParkedAnswer)
    def discard_parked(self, work: Work, request: dict[str, Any]) -> ParkedMessage:
        """Give a parked message up; it stays readable and is never sent again."""
        message = _parked(work, request["parked_id"])
        reason = request["reason"]
        changed, said = rules.discard(message, by=_who(work), reason=reason, at=work.now)
        work.save(store.PARKED, changed)
        self._say(work, said)
        return changed

    @timer(every=_EVERY, due=store.refused_replays)
    def take_back(self, work: Work, key: str) -> None:
        """Park again, saying why, what could not be replayed because its queue is gone."""
        why = replays.take_back(work, key)
        if why is not None:
            work.save(store.PARKED, rules.refuse(_parked(work, key), why))

    @timer(every=_EVERY, due=store.next_victim)
    def replay_victim(self, work: Work, _key: str) -> None:
        """Replay, once and one at a time, what died of the delivery limit; then it is a person's.

        If it is the killer itself it takes no other victim along.
        """
        self._replay_next(work)

    def _replay_next(self, work: Work) -> None:
        work.guard("parked", "victims")  # two journals would each find nobody under way
        for key in store.next_victim(work, work.now, 1):
            self._replay(work, _parked(work, key), rules.AUTOMATIC)

    def _say(self, work: Work, events: list[Any]) -> None:
        for event in events:
            work.publish(event, place=f"{self.city}.{self.district}")


def _event(reader: Reader, event_id: str) -> Any:
    entry = reader.get(store.EVENTS, event_id)
    if entry is None:
        raise NotFound.of("event", event_id)
    return entry


def _parked(reader: Reader, parked_id: str) -> ParkedMessage:
    message = reader.get(store.PARKED, parked_id)
    if message is None:
        raise NotFound.of("parked message", parked_id)
    return message


def _who(work: Work) -> str:
    """The person a trusted door named, else the caller itself."""
    return work.actor or work.caller or "unknown"
