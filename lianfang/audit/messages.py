"""Invariants of messages: nothing waits, nothing is lost on the way, nothing is kept twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

import orjson

from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.audit.subscriptions import Heard, queues_of, subscriptions_of
from lianfang.envelope import natural_id
from lianfang.events import BY_TYPE
from lianfang.events.event import Chunked
from lianfang.topology import PARKING, UNROUTED

#: The inbox forgets after 90 days; events this old are judged no more.
_REMEMBERED = timedelta(days=80)
#: Types whose revisions count every word about their subject, so none may be missing.
_NUMBERED = (
    ("declaration.submitted",),
    ("resident.moved",),
    ("sample.resulted",),
    ("case.suspected", "case.confirmed", "case.amended", "case.discarded", "case.closed"),
    ("focus.declared", "focus.cleared"),
    ("tasks.opened", "tasks.cancelled"),
)
_FAMILY = {kind: family[0] for family in _NUMBERED for kind in family}

# -- the broker -----------------------------------------------------------------------------------


@invariant(
    "queues-empty",
    "每个订阅与调用队列都在，且没有消息在等",
    "every queue of subscriptions and calls is there and nothing waits in it",
)
def queues_empty(evidence: Evidence) -> Iterator[Verdict]:
    """Whatever waits in a queue of a district at rest was never taken."""
    for name in queues_of(evidence.databases):
        queue = evidence.queue_by_name.get(name)
        if queue is None:
            yield f"{name}: missing"
        elif not _special(name):
            waiting = int(queue.get("messages_ready", 0))
            yield judged(waiting == 0, f"{name}: {waiting}")


@invariant(
    "nothing-unacknowledged",
    "没有已投递而未确认的消息",
    "nothing was delivered and not acknowledged",
)
def nothing_unacknowledged(evidence: Evidence) -> Iterator[Verdict]:
    """A message in somebody's hands is neither done nor waiting."""
    for name in queues_of(evidence.databases):
        held = int(evidence.queue_by_name.get(name, {}).get("messages_unacknowledged", 0))
        yield judged(held == 0, f"{name}: {held}")


def _waits_in(evidence: Evidence, *names: str) -> Iterator[Verdict]:
    for name in names:
        waiting = int(evidence.queue_by_name.get(name, {}).get("messages_ready", 0))
        yield judged(waiting == 0, f"{name}: {waiting}")


@invariant(
    "nothing-unrouted",
    "没有投不到任何队列的消息",
    "nothing was said that reaches no queue",
)
def nothing_unrouted(evidence: Evidence) -> Iterator[Verdict]:
    """The journal's `#` routes everything: what is unrouted shows a broken topology."""
    return _waits_in(evidence, UNROUTED)


@invariant("no-retry-pending", "没有等待重试的消息", "nothing waits to be tried again")
def no_retry_pending(evidence: Evidence) -> Iterator[Verdict]:
    """A message on the ladder is neither done nor parked."""
    return _waits_in(evidence, *(name for name in queues_of(()) if name.startswith("retry.")))


@invariant(
    "parking-taken",
    "滞留队列里的消息都已由日志服务收存",
    "the journal has taken everything that was parked",
)
def parking_taken(evidence: Evidence) -> Iterator[Verdict]:
    """What lies in the queue `parking` is in nobody's list."""
    return _waits_in(evidence, PARKING)


def _special(name: str) -> bool:
    return name in (UNROUTED, PARKING) or name.startswith("retry.")


# -- outboxes -------------------------------------------------------------------------------------


@invariant(
    "outboxes-empty",
    "每个服务的发件箱都是空的",
    "every outbox is empty: what was decided has been said",
)
def outboxes_empty(evidence: Evidence) -> Iterator[Verdict]:
    """A row that stays was committed and never said."""
    for service in evidence.databases:
        rows = 0
        for row in evidence.rows(f"{service}.outbox", {"stuck": {"$ne": True}}, "key"):
            rows += 1
            yield f"{service}: {row['_id']} {row['key']}"
        yield 0 if rows else HOLDS


@invariant(
    "outboxes-unstuck",
    "没有被消息服务器拒收而卡住的发件",
    "no outbox has a row that the broker refuses",
)
def outboxes_unstuck(evidence: Evidence) -> Iterator[Verdict]:
    """Somebody has to look at these: `release_outbox` sends them once more."""
    for service in evidence.databases:
        rows = 0
        for row in evidence.rows(f"{service}.outbox", {"stuck": True}, "key", "error"):
            rows += 1
            yield f"{service}: {row['_id']} {row['key']}: {row.get('error', '')}"
        yield 0 if rows else HOLDS


# -- the journal ----------------------------------------------------------------------------------


def _data(event: Row) -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(event["data"])
    return data


@invariant(
    "journal-once",
    "日志中每个事件只有一份，且编号由其内容得出",
    "the journal holds each event once, under the id that its content gives",
    "journal",
)
def journal_once(evidence: Evidence) -> Iterator[Verdict]:
    """The same word under another id would be a second word."""
    for event in evidence.rows("journal.events", None, "type", "subject", "data"):
        if event["type"] not in BY_TYPE:
            yield HOLDS
            continue
        data = _data(event)
        chunk = data.get("chunk", 1) if issubclass(BY_TYPE[event["type"]], Chunked) else 1
        own = natural_id(event["type"], event["subject"], data.get("revision", 1), chunk)
        yield judged(event["_id"] == own, f"{event['type']} {event['_id']}")


@invariant(
    "journal-unbroken",
    "逐号编号的事件不缺号，分段的事件不缺段",
    "where every word about a subject is numbered no number is missing, and no chunk of a word",
    "journal",
)
def journal_unbroken(evidence: Evidence) -> Iterator[Verdict]:
    """A gap is a word that was decided and that the journal never heard."""
    chunked = [kind for kind, event in BY_TYPE.items() if issubclass(event, Chunked)]
    where = {"type": {"$in": sorted({*_FAMILY, *chunked})}}
    events = evidence.rows("journal.events", where, "type", "subject", "data")
    in_order = events.sort([("subject", 1), ("at", 1), ("_id", 1)]).allow_disk_use(True)
    for subject, words in groupby(in_order, key=lambda event: event["subject"]):
        yield from _gaps(subject, list(words))


def _gaps(subject: str, words: list[Row]) -> Iterator[Verdict]:
    revisions: dict[str, set[int]] = {}
    chunks: dict[tuple[str, int], tuple[int, set[int]]] = {}
    for word in words:
        kind, data = word["type"], _data(word)
        revision = data.get("revision", 1)
        if kind in _FAMILY:
            revisions.setdefault(_FAMILY[kind], set()).add(revision)
        if issubclass(BY_TYPE[kind], Chunked):
            _, seen = chunks.setdefault((kind, revision), (data.get("chunks", 1), set()))
            seen.add(data.get("chunk", 1))
    for family, found in revisions.items():
        missing = sorted(set(range(1, max(found) + 1)) - found)
        yield judged(not missing, f"{family} {subject}: revisions {missing}")
    for (kind, revision), (wanted, seen) in chunks.items():
        missing = sorted(set(range(1, wanted + 1)) - seen)
        yield judged(not missing, f"{kind} {subject} revision {revision}: chunks {missing}")


# -- who heard what -------------------------------------------------------------------------------


@invariant(
    "events-heard",
    "每个事件都由订阅它的每个服务处理过，或滞留待处置",
    "every subscription has handled every event it is bound to, or its message is parked",
    "journal",
)
def events_heard(evidence: Evidence) -> Iterator[Verdict]:
    """Accepted = done + parked, for every subscription. The inbox remembers what is done."""
    for subscription in subscriptions_of(evidence.databases):
        if subscription.service != "journal" and not subscription.is_forgetful:
            yield from _heard_by(subscription, evidence)


def _heard_by(subscription: Heard, evidence: Evidence) -> Iterator[Verdict]:
    where: dict[str, Any] = {"type": {"$in": list(subscription.event_types)}}
    inbox, horizon = f"{subscription.service}.inbox", evidence.now - _REMEMBERED
    if evidence.collection(inbox).find_one({"at": {"$lt": horizon}}) is not None:
        where["recorded_at"] = {"$gte": horizon}
    events = evidence.rows("journal.events", where, "type")
    known = evidence.beside(events, inbox, lambda event: [subscription.inbox_key(event["_id"])])
    unheard: list[Row] = []
    for event, rows in known:
        if rows:
            yield HOLDS
        else:
            unheard.append(event)
    fields = ("origin", "message_id", "state")
    for event, messages in evidence.gathered(
        unheard, "journal.parked", "message_id", lambda event: event["_id"], *fields
    ):
        parked = [m for m in messages if m["origin"] == subscription.queue]
        excused = any(m["state"] != "replayed" for m in parked)
        yield judged(excused, f"{subscription.queue}: {event['type']} {event['_id']}")


@invariant(
    "journal-complete",
    "任何服务处理过的事件，日志中都有",
    "the journal has every event that any service handled",
    "journal",
)
def journal_complete(evidence: Evidence) -> Iterator[Verdict]:
    """A handled event without an entry would have effects that nobody can trace."""
    for service in evidence.databases:
        if service == "journal":
            continue
        rows = evidence.rows(f"{service}.inbox", None, "_id")
        for row, found in evidence.beside(
            rows, "journal.events", lambda r: [r["_id"]["id"]], "_id"
        ):
            yield judged(bool(found), f"{service}.{row['_id']['sub']}: {row['_id']['id']}")


# -- what is parked -------------------------------------------------------------------------------

_PATIENCE = timedelta(minutes=10)


@invariant(
    "parked-accounted",
    "每条滞留消息都知道来自哪个订阅、处于何种处置",
    "every parked message knows its subscription and what was decided about it",
    "journal",
)
def parked_accounted(evidence: Evidence) -> Iterator[Verdict]:
    """A message without an origin can never be replayed, one without a word never ends."""
    queues = {subscription.queue for subscription in subscriptions_of(None)}
    for message in evidence.rows("journal.parked", None):
        why = _unaccounted(message, queues)
        yield judged(not why, f"{message['_id']}: {why}")


def _unaccounted(message: Row, queues: set[str]) -> str:
    if message["origin"] not in queues:
        return f"origin {message['origin']}"
    if message["state"] == "replaying" and not message.get("replayed_by"):
        return "replaying, by nobody"
    if message["state"] == "discarded" and not (
        message.get("discarded_by") and message.get("discard_reason")
    ):
        return "discarded by nobody or for no reason"
    return ""
