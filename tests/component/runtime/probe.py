"""A small service on the real runtime: each message says what its handler has to do."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from marshmallow import fields

from lianfang.errors import NotYetKnown, Rejected
from lianfang.events.journal import MessageDiscarded, MessageReplayed
from lianfang.places import wire_place
from lianfang.runtime import command, query, subscribe, timer
from lianfang.runtime.documents import Collection, Index
from lianfang.runtime.logs import log
from lianfang.schemas.fields import Answer, Count, Id, Request, Text

PLACE = "4403.nanshan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A message that had its effect, and how often."""

    key: str
    times: int = 1
    redelivered: bool = False
    at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something whose time comes."""

    key: str
    due_at: datetime
    rung: int = 0


SEEN = Collection("seen", Seen, "key")
ALARMS = Collection("alarms", Alarm, "key", [Index("due_at")])


class Add(Request):
    """Say something, once."""

    key = Id(required=True)
    note = Text(load_default="", max=100)
    facts = fields.Dict(load_default=dict)
    what = Text(load_default="ok")


class Found(Answer):
    """What there is of it."""

    key = Text()
    times = Count()
    note = Text()


class Ask(Request):
    """Ask for one."""

    key = Id(required=True)


def due(reader: Any, now: datetime, limit: int) -> list[str]:
    found = reader.find(ALARMS, {"due_at": {"$lte": now}}, [("due_at", 1)], limit)
    return [alarm.key for alarm in found]


class Probe:
    """Answers to the name of the journal, so that it may say the journal's events."""

    name = "journal"

    @subscribe("one", MessageDiscarded)
    def one(self, work: Any, event: MessageDiscarded) -> None:
        """One message at a time."""
        log.info("probe_at_work", key=event.parked_id)
        self._do(work, event.parked_id, event.reason)

    @subscribe("many", MessageReplayed, batch=50)
    def many(self, work: Any, event: MessageReplayed) -> None:
        """A batch in one unit."""
        self._do(work, event.parked_id, event.by)

    def _do(self, work: Any, key: str, what: str) -> None:
        if what == "slow":
            time.sleep(1.5)
        if what == "reject":
            raise Rejected("as asked")
        if what == "early":
            raise NotYetKnown("as asked")
        if what == "bug":
            raise KeyError("张三 13800138000")
        seen = work.get(SEEN, key)
        redelivered = work.message.raw.redelivered
        if seen is None:
            work.save(SEEN, Seen(key=key, redelivered=redelivered, at=work.now))
        else:
            work.save(SEEN, replace(seen, times=seen.times + 1, redelivered=redelivered))
        if what == "taint":
            raise Rejected("after a change, as asked")

    @command(Add, Found)
    def add(self, work: Any, request: dict[str, Any]) -> Seen:
        """Note it down, and say so."""
        log.info("probe_is_asked", key=request["key"])
        if request["what"] == "slow":
            time.sleep(1.0)
        if request["what"] == "bug":
            raise KeyError(request["note"])
        seen = work.get(SEEN, request["key"])
        changed = replace(seen or Seen(key=request["key"], times=0), note=request["note"])
        changed = replace(changed, times=changed.times + 1)
        work.save(SEEN, changed)
        said = MessageDiscarded(
            parked_id=f"said-{changed.key}", origin="q", by="probe", reason="ok", at=work.now
        )
        work.publish(said, place=wire_place(PLACE))
        return changed

    @query(Ask, Found)
    def find(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """How often it was seen."""
        seen = reader.get(SEEN, request["key"])
        return {"key": request["key"], "times": seen.times if seen else 0}

    @timer(every=0.2, due=due)
    def ring(self, work: Any, key: str) -> None:
        """Ring once, then look again in a year."""
        alarm = work.get(ALARMS, key)
        if alarm is None or alarm.due_at > work.now:
            return
        later = alarm.due_at + timedelta(days=365)
        work.save(ALARMS, replace(alarm, due_at=later, rung=alarm.rung + 1))
