"""The journal's entrypoints."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from lianfang.envelope import Envelope, natural_id
from lianfang.errors import NotFound
from lianfang.runtime import Setting, Vault, command, parked, query, subscribe_all, timer
from lianfang.runtime.documents import Reader
from lianfang.runtime.door import Incoming
from lianfang.runtime.work import Work
from services.journal import schemas, store
from services.journal.domain import parked as rules
from services.journal.domain.parked import ParkedMessage

#: Seconds between looks for replays that have settled.
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
        """Keep a message that its subscription could not handle, encrypted."""
        digest = hashlib.sha256(incoming.body).hexdigest()
        arrival = rules.arrival_of(incoming.headers, natural_id("bytes", digest))
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
        given = ("state", "reason", "origin")
        where = {key: request[key] for key in given if request[key] is not None}
        page = store.page_of_parked(reader, where, request["after"], request["limit"])
        return {"parked": page.items, "next": page.next}

    @query(schemas.ParkedRequest, schemas.ParkedContentAnswer)
    def get_parked(self, reader: Reader, request: dict[str, Any]) -> dict[str, Any]:
        """One parked message with its content, masked."""
        message = _parked(reader, request["parked_id"])
        return schemas.content_document(message, self.vault.open(message.sealed))

    @command(schemas.ParkedRequest, schemas.ParkedAnswer)
    def replay_parked(self, work: Work, request: dict[str, Any]) -> ParkedMessage:
        """Send a parked message to the subscription it came from once more."""
        message = _parked(work, request["parked_id"])
        changed, said = rules.replay(message, by=_who(work), at=work.now)
        opened = self.vault.open(message.sealed)
        work.save(store.PARKED, changed)
        work.replay(
            message.origin,
            bytes(opened["body"]),
            orjson.loads(bytes(opened["headers"])),
            message.message_id,
            opened["content_type"],
        )
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

    @timer(every=_EVERY, due=store.settled_replays)
    def settle_replay(self, work: Work, key: str) -> None:
        """Count a replayed message as taken when it has not come back."""
        work.save(store.PARKED, rules.settle(_parked(work, key), work.now))

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
