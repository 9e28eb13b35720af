"""Everything parked is replayed, before and after its cause is mended: each takes effect once.

The cause that is mended is a clock: screening's is days behind, so what is declared today lies in
its future. Beside it stand poison, which no mending helps, and a subscription that was retired.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import amqp
import orjson

from benchmarks import forms
from lianfang.client import District
from lianfang.errors import IllegalTransition
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.processes import Child
from lianfang.testing.servers import Servers
from lianfang.topology import PARKING
from tests.faults.audited import audited
from tests.faults.families import poisons
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.poison import declare, new_ledger, register_places, subscriptions
from tests.faults.rogue import Rogue
from tests.faults.tap import Tap
from tests.system.processes import wait_for

_FIRST = 6_000_000
_BEHIND = timedelta(days=3)
_RETIRED = "q.dispatch.retired"
_SCREENING = "q.screening.declarations"
_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Declarations that can be mended, and poison that cannot."""

    declarations: int
    poison: int


_SIZES = {
    Scale.SHORT: Size(declarations=60, poison=24),
    Scale.LONG: Size(declarations=500, poison=120),
}


@dataclass(slots=True)
class Story:
    """What happened so far."""

    district: PrivateDistrict
    caller: District
    size: Size
    ledger: Path
    receipts: list[str] = field(default_factory=list)
    #: Replays that were accepted.
    replays: int = 0
    #: Replays that found the message done already.
    refused: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def parked(self) -> Any:
        """The journal's parked messages."""
        return self.district.database("journal").parked

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.broken.append(otherwise)

    def wait_for(self, count: int, **where: Any) -> None:
        """Return when so many parked messages match.

        Raises:
            RuntimeError: they never do; with what there is instead.
        """
        try:
            wait_for(lambda: self.parked.count_documents(where) >= count, _SECONDS)
        except AssertionError as error:
            found = Counter(
                (row["state"], row["attempt"], row["reason"]) for row in self.parked.find()
            )
            raise RuntimeError(f"{count} never became {where}: {dict(found)}") from error

    def replay(self, where: dict[str, Any], by: str) -> None:
        """Replay all that match, in somebody's name."""
        # All at first: one that comes back would be found again further on in the index.
        for parked_id in [row["_id"] for row in self.parked.find(where, {"_id": 1})]:
            try:
                self.caller.command("journal.replay_parked", parked_id=parked_id, actor=by)
            except IllegalTransition:
                self.refused += 1
            else:
                self.replays += 1


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Park, replay in vain, mend, replay twice."""
    district = PrivateDistrict(servers, "replay")
    try:
        say("preparing a district")
        district.prepare()
        with (
            district.running() as children,
            district.caller() as caller,
            Tap(district.amqp_uri) as tap,
        ):
            story = Story(district, caller, _SIZES[scale], new_ledger("replay"))
            say("parking")
            _park(story, seed)
            before = {row["_id"]: row["sealed"] for row in story.parked.find()}
            tap.take()
            say("replaying in vain")
            story.replay({}, "operator:li")
            story.wait_for(len(before) - 1, attempt=2)
            story.wait_for(1, reason="origin_gone")
            say("mending, and replaying twice")
            _mend_and_replay(story, children["screening"])
            wait_until_idle(caller)
            _judge(story, before)
            story.broken += audited(district, story.ledger, excused=_RETIRED)
            return _outcome(story, tap)
    finally:
        district.erase()
        district.client.close()


def _park(story: Story, seed: int) -> None:
    register_places(story.caller, story.district.name)
    wait_until_idle(story.caller)
    behind = datetime.now(UTC) - _BEHIND
    story.caller.query("screening.set_clock", now=behind.isoformat())
    for batch in forms.calls(story.district.name, story.size.declarations, _FIRST):
        story.receipts += declare(story.caller, batch, story.ledger)
    with Rogue(story.district.uri_of("journal")) as rogue:
        for queue, poison in poisons(subscriptions(), story.size.poison, seed):
            rogue.send(queue, poison)
    with Rogue(story.district.uri_of("dispatch")) as rogue:
        headers = {"x-origin": _RETIRED, "x-reason": "bug", "x-message-id": "of old"}
        rogue.put(_RETIRED, amqp.Message(b"{}", application_headers=headers), PARKING)
    story.wait_for(story.size.declarations + story.size.poison + 1)


def _mend_and_replay(story: Story, screening: Child) -> None:
    """Both copies of each declaration wait in the queue before anybody reads the first."""
    story.caller.query("screening.set_clock", now=datetime.now(UTC).isoformat())
    screening.stop()
    mendable = {"origin": _SCREENING, "message_id": {"$in": _message_ids(story)}}
    story.replay(mendable, "operator:li")
    story.replay(mendable, "operator:wang")
    story.expect(story.refused == 0, f"{story.refused} replays were refused while under way")
    screening.restart()
    story.wait_for(story.size.declarations, state="replayed")
    story.replay(mendable, "operator:li")
    story.expect(
        story.refused == story.size.declarations, "a message that is done was replayed again"
    )
    story.replay({"state": "parked", "reason": {"$ne": "origin_gone"}}, "operator:li")
    story.wait_for(story.size.poison, attempt=3)


def _message_ids(story: Story) -> list[str]:
    events = story.district.database("journal").events
    return [row["_id"] for row in events.find({"type": "declaration.submitted"}, {"_id": 1})]


# -- what became of it ----------------------------------------------------------------------------


def _judge(story: Story, before: dict[str, bytes]) -> None:
    rows = list(story.parked.find())
    story.expect(len(rows) == len(before), f"{len(rows) - len(before)} records too many")
    changed = [row["_id"] for row in rows if row["sealed"] != before.get(row["_id"])]
    story.expect(not changed, f"stored bytes changed: {changed[:3]}")
    found = Counter((row["state"], row["attempt"]) for row in rows)
    size = story.size
    expected = {("replayed", 2): size.declarations, ("parked", 3): size.poison, ("parked", 1): 1}
    story.expect(found == expected, f"states and attempts are {dict(found)}, not {expected}")
    (retired,) = story.parked.find({"origin": _RETIRED})
    story.expect(_RETIRED in retired["error"], f"nobody says that {_RETIRED} is gone")
    events = story.district.database("journal").events
    told = [orjson.loads(row["data"]) for row in events.find({"type": "message.replayed"})]
    unnamed = [each for each in told if not each["by"].startswith("operator:") or not each["at"]]
    story.expect(len(told) == story.replays, f"{len(told)} of {story.replays} replays are told")
    story.expect(not unnamed, f"{len(unnamed)} replays without a name")


def _outcome(story: Story, tap: Tap) -> Outcome:
    published = [orjson.loads(message.body) for message in tap.take()]
    kinds = Counter(each["type"] for each in published)
    astray = kinds["declaration.submitted"]
    story.expect(astray == 0, f"{astray} replays went through the exchange, not to their origin")
    verdicts = Counter(
        each["data"]["declaration_id"]
        for each in published
        if each["type"] == "declaration.assessed"
    )
    lost = [each for each in story.receipts if each not in verdicts]
    return Outcome(
        part="replay",
        faults=story.replays,
        acknowledged=len(story.receipts),
        lost=len(lost),
        duplicates_delivered=story.size.declarations,
        duplicate_effects=sum(count - 1 for count in verdicts.values()),
        broken=tuple(story.broken),
        figures={
            "parked": story.parked.count_documents({}),
            "replays": story.replays,
            "replays_refused_because_done": story.refused,
            "declarations_replayed_twice": story.size.declarations,
            "verdicts_published": sum(verdicts.values()),
        },
    )
