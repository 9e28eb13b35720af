"""Every kind of damage: how it is planted, and what exactly an audit must say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from lianfang.envelope import natural_id
from tests.component.audit.played import Expected, Played, Row

Plant = Callable[[Played], Expected]
#: Each kind of damage, and the invariants that it breaks.
KINDS: dict[str, tuple[Plant, frozenset[str]]] = {}


def kind(*broken: str) -> Callable[[Plant], Plant]:
    """Register a kind of damage under its name, with what it breaks."""

    def registered(plant: Plant) -> Plant:
        KINDS[plant.__name__] = (plant, frozenset(broken))
        return plant

    return registered


def again(document: Row, **other: Any) -> Row:
    """The same thing once more, under another id."""
    return {**document, "_id": "00000000-second-document", **other}


# -- receipts -------------------------------------------------------------------------------------


@kind("receipts-kept")
def receipt_of_a_command_that_left_no_trace(d: Played) -> Expected:
    d.promise(
        {"caller": "pump", "method": "screening.report_case", "request_id": "x1", "answer": {}}
    )
    return {"receipts-kept": ["x1"]}


@kind("receipts-kept")
def receipt_whose_answer_was_another(d: Played) -> Expected:
    command = d.one("screening.commands")
    d.alter("screening.commands", command, answer=orjson.dumps({"forged": True}))
    return {"receipts-kept": [command["_id"]["request_id"]]}


@kind("receipts-kept")
def command_remembered_twice(d: Played) -> Expected:
    command = d.one("isolation.commands")
    d.put("isolation.commands", {**command, "_id": {**command["_id"], "caller": "pump "}})
    request = command["_id"]["request_id"]
    d.promise({"request_id": request, "answer": orjson.loads(command["answer"])})
    return {"receipts-kept": [request]}


@kind("receipts-in-effect")
def declaration_promised_to_two_callers(d: Played) -> Expected:
    command = d.one("declaration.commands", _id__method="submit_declaration")
    twin = {**command, "_id": {**command["_id"], "request_id": "x2"}}
    d.put("declaration.commands", twin)
    answer = orjson.loads(command["answer"])
    method = "declaration.submit_declaration"
    d.promise({"caller": "pump", "method": method, "request_id": "x2", "answer": answer})
    return {"receipts-in-effect": [answer["declaration_id"]]}


@kind("receipts-in-effect", "decisions-said", "journal-complete")
def declaration_promised_and_never_said(d: Played) -> Expected:
    form = d.one("declaration.declarations", revision=1)
    word = natural_id("declaration.submitted", form["_id"], 1, 1)
    d.lose("journal.events", d.one("journal.events", _id=word))
    return {
        "receipts-in-effect": [form["_id"]],
        "decisions-said": [form["_id"]],
        "journal-complete": [word],
    }


@kind("declarations-settled", "copy:isolation.persons", "copy:dispatch.alarms")
def declaration_lost_on_its_way_to_screening(d: Played) -> Expected:
    dossier = d.one("screening.dossiers", outcome="pass")
    d.lose("screening.dossiers", dossier)
    return {
        "declarations-settled": [dossier["statement"]["declaration_id"]],
        "copy:isolation.persons": [f"{dossier['_id']}: verdict: nobody told"],
        "copy:dispatch.alarms": [f"{dossier['_id']}: verdict: nobody told"],
    }


@kind("verdicts-declared")
def verdict_on_what_nobody_declared(d: Played) -> Expected:
    dossier = d.one("screening.dossiers", outcome="pass")
    statement = {**dossier["statement"], "declaration_id": "d-nobody", "revision": 1}
    d.put("screening.dossiers", again(dossier, statement=statement))
    return {"verdicts-declared": ["second-document"]}


# -- messages -------------------------------------------------------------------------------------


@kind("queues-empty")
def message_that_nobody_takes(d: Played) -> Expected:
    d.send("q.dispatch.foci")
    return {"queues-empty": ["q.dispatch.foci: 1"]}


@kind("nothing-unacknowledged")
def message_in_hand_for_ever(d: Played) -> Expected:
    d.hold("q.isolation.tasks")
    return {"nothing-unacknowledged": ["q.isolation.tasks: 1"]}


@kind("queues-empty")
def queue_that_is_gone(d: Played) -> Expected:
    d.page("q.screening.stops")
    return {"queues-empty": ["q.screening.stops: missing"]}


@kind("nothing-unrouted")
def message_that_reaches_no_queue(d: Played) -> Expected:
    d.send("unrouted")
    return {"nothing-unrouted": ["unrouted: 1"]}


@kind("no-retry-pending")
def message_that_waits_to_be_tried_again(d: Played) -> Expected:
    # On the page only: the ladder of the profile `test` lasts a tenth of a second.
    d.page("retry.2", messages_ready=1, messages=1)
    return {"no-retry-pending": ["retry.2: 1"]}


@kind("parking-taken")
def parked_message_that_the_journal_never_took(d: Played) -> Expected:
    d.send("parking")
    return {"parking-taken": ["parking: 1"]}


_OUTBOX = {"exchange": "events", "key": "focus.declared.4403", "body": b"{}", "tries": 0}


@kind("outboxes-empty")
def row_that_no_outbox_sent(d: Played) -> Expected:
    d.put("isolation.outbox", {"_id": "row-1", "stuck": False, **_OUTBOX})
    return {"outboxes-empty": ["row-1"]}


@kind("outboxes-unstuck")
def row_that_the_broker_refuses(d: Played) -> Expected:
    d.put("isolation.outbox", {"_id": "row-2", "stuck": True, "error": "too large", **_OUTBOX})
    return {"outboxes-unstuck": ["row-2"]}


@kind("journal-once")
def event_under_a_second_id(d: Played) -> Expected:
    d.put("journal.events", again(d.one("journal.events", type="tasks.opened")))
    return {"journal-once": ["second-document"]}


@kind("journal-unbroken")
def event_missing_in_its_numbering(d: Played) -> Expected:
    ended = {event["subject"] for event in d.all("journal.events", type="tasks.cancelled")}
    opened = d.one("journal.events", type="tasks.opened", subject={"$in": sorted(ended)})
    d.lose("journal.events", opened)
    return {"journal-unbroken": [opened["subject"]]}


@kind("events-heard")
def event_that_a_subscription_never_heard(d: Played) -> Expected:
    row = d.one("isolation.inbox", _id__sub="places")
    d.lose("isolation.inbox", row)
    return {"events-heard": [row["_id"]["id"]]}


@kind("journal-complete")
def event_that_the_journal_never_heard(d: Played) -> Expected:
    event = d.one("journal.events", type="place.registered")
    d.lose("journal.events", event)
    return {"journal-complete": [event["_id"]]}


@kind("events-heard")
def parked_message_that_vanished(d: Played) -> Expected:
    message = d.one("journal.parked")
    d.lose("journal.parked", message)
    return {"events-heard": [message["message_id"]]}


@kind("parked-accounted")
def parked_message_of_no_subscription(d: Played) -> Expected:
    d.put("journal.parked", again(d.one("journal.parked"), origin="q.nobody.knows"))
    return {"parked-accounted": ["second-document"]}


@kind("parked-accounted")
def parked_message_given_up_by_nobody(d: Played) -> Expected:
    message = d.one("journal.parked")
    d.alter("journal.parked", message, state="discarded")
    return {"parked-accounted": [message["_id"]]}


# -- identity -------------------------------------------------------------------------------------


@kind("keys-natural", "copy:screening.residences", "copy:isolation.residences")
def residence_written_twice(d: Played) -> Expected:
    home = d.one("declaration.residences", building=d.one("declaration.residences")["building"])
    d.put("declaration.residences", again(home))
    return {
        "keys-natural": ["second-document"],
        "copy:screening.residences": ["second-document: missing"],
        "copy:isolation.residences": ["second-document: missing"],
    }


@kind("persons-once")
def person_known_twice_by_one_document(d: Played) -> Expected:
    person = d.one("declaration.persons", fingerprints__0={"$exists": True})
    d.put("declaration.persons", again(person, moves=0))
    return {"persons-once": [person["_id"]]}


@kind("residences-placed")
def household_that_is_gone(d: Played) -> Expected:
    home = d.one("declaration.households")
    d.lose("declaration.households", home)
    members = d.all("declaration.residences", household_id=home["_id"])
    return {"residences-placed": [member["_id"] for member in members]}
