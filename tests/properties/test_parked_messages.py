"""A parked message: every order of arrivals, replays, words and decisions keeps to its states."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given

from services.journal.domain.parked import (
    Arrival,
    ParkedMessage,
    ParkedState,
    discard,
    park,
    refuse,
    replay,
    settle,
)
from tests.properties.walks import SAME, paths, walk

SHOWN = {ParkedState}
NOW = datetime(2020, 2, 3, 1, tzinfo=UTC)
ARRIVAL = Arrival(
    origin="q.isolation.cases",
    reason="bug",
    error="KeyError",
    stack="abc",
    tries=1,
    type="case.confirmed",
    message_id="m1",
)
PARKED, REPLAYING = ParkedState.PARKED, ParkedState.REPLAYING
REPLAYED, DISCARDED = ParkedState.REPLAYED, ParkedState.DISCARDED


def arrive(known: ParkedMessage | None) -> ParkedMessage:
    return park(known, ARRIVAL, parked_id="p", sealed=b"x", size=1, at=NOW)


ACTS = {
    "arrive": arrive,
    "replay": lambda message: replay(message, by="x", at=NOW)[0],
    "settle": settle,
    "refuse": lambda message: refuse(message, "there is no queue"),
    "discard": lambda message: discard(message, by="x", reason="y", at=NOW)[0],
}
MOVES = {
    PARKED: {
        "arrive": SAME,
        "replay": REPLAYING,
        "settle": REPLAYED,
        "refuse": SAME,
        "discard": DISCARDED,
    },
    REPLAYING: {"arrive": PARKED, "replay": REPLAYING, "settle": REPLAYED, "refuse": PARKED},
    REPLAYED: {"arrive": PARKED, "settle": SAME, "refuse": SAME},
    DISCARDED: {"arrive": SAME, "settle": SAME, "refuse": SAME},
}


def test_a_parked_message_keeps_to_its_states() -> None:
    reached = set()

    @given(paths(ACTS, rarely=["discard"]))
    def walks(path: list[str]) -> None:
        stages = walk(arrive(None), path, ACTS, MOVES)
        reached.update(stage.state for stage in stages)
        message = stages[-1]
        assert message.sealed == b"x"
        assert (message.discarded_by is not None) == (message.state is DISCARDED)
        assert message.attempt <= message.revision

    walks()
    assert reached == set(ParkedState)
