"""The publisher: acks, nacks, returns, silence, blocks, refusals and resets in any interleaving.

A broker of our own says each, over a real socket. What it did not take on is never confirmed, and
what nothing went wrong with always is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.runtime.publisher import ChannelRefused, Outgoing, Publisher
from tests.properties.scripted_broker import Say, ScriptedBroker
from tests.properties.walks import COSTLY

#: For a window whose confirms stay away; every other one may take its time.
SHORT, LONG = 0.03, 30.0
FATES = ("ack", "ack", "ack", "nack", "return")
ENDS = ("", "", "", "", "silence", "block", "refuse", "reset")


@dataclass(frozen=True)
class Window:
    """The fate of each message, in which order it is told, and what happens after `told` words."""

    fates: tuple[str, ...]
    order: tuple[int, ...]
    together: bool
    told: int
    end: str

    @property
    def script(self) -> list[Say]:
        said = self._together() if self.together else [Say(self.fates[n], n) for n in self.order]
        if not self.end:
            return [Say("stale"), *said]
        return [*said[: self.told], *([Say(self.end)] if self.end != "silence" else [])]

    def _together(self) -> list[Say]:
        """Each run of acks or nacks as one, returns each by itself."""
        said: list[Say] = []
        for n, fate in enumerate(self.fates):
            if said and said[-1].what == fate != "return":
                said.pop()
            said.append(Say(fate, n, multiple=fate != "return"))
        return said

    def of(self, fate: str) -> set[int]:
        return {n for n, mine in enumerate(self.fates) if mine == fate}


def windows_of(size: int) -> st.SearchStrategy[Window]:
    return st.builds(
        Window,
        st.lists(st.sampled_from(FATES), min_size=size, max_size=size).map(tuple),
        st.permutations(range(size)).map(tuple),
        st.booleans(),
        st.integers(0, size),
        st.sampled_from(ENDS),
    )


windows = st.integers(1, 6).flatmap(windows_of)


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    made = ScriptedBroker()
    yield made
    made.close()


@dataclass
class Speaker:
    """One publisher and what it was told about each window."""

    broker: ScriptedBroker
    publisher: Publisher
    names: Iterator[int]
    #: Nothing that went wrong with the window before may still lie on the wire.
    healthy: bool = True

    def publish(self, window: Window) -> None:
        ids = [f"m{next(self.names)}" for _ in window.fates]
        messages = [Outgoing(id=one, exchange="", routing_key="k", body=b"{}") for one in ids]
        self.broker.expect(ids, window.script)
        self.publisher._confirm_timeout = SHORT if window.end == "silence" else LONG
        if self.publisher.blocked:
            self.publisher._connection.on_unblocked()
        returned: set[str] = set()
        try:
            confirmed = self.publisher.publish(messages, returned)
        except ChannelRefused:
            confirmed = set()
        assert confirmed <= self.broker.taken, "a confirm that nobody gave"
        assert not confirmed & returned
        if self.healthy and not window.end:
            assert confirmed == {ids[n] for n in window.of("ack")}
            assert returned == {ids[n] for n in window.of("return")}
        self.healthy = not window.end


def test_nothing_is_confirmed_that_the_broker_did_not_take_on(broker: ScriptedBroker) -> None:
    names = count()
    seen: set[str] = set()

    @COSTLY
    @given(st.lists(windows, min_size=1, max_size=5))
    def holds(happening: list[Window]) -> None:
        publisher = Publisher(broker.uri, "test")
        speaker = Speaker(broker, publisher, names)
        for window in happening:
            speaker.publish(window)
            seen.add(window.end)
        publisher.close()

    holds()
    assert seen == set(ENDS)
