"""Who was there when, whatever order it was told in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.events.declaration import ResidentSnapshot
from lianfang.events.declaration import Sighting as Said
from lianfang.vocabulary import Presence, ResidenceKind
from services.screening.domain.residences import (
    Residence,
    main_residence,
    was_there,
    with_sighting,
    with_snapshot,
)

WINDOW = (date(2020, 2, 1), date(2020, 2, 3))


def day(n: int, month: int = 2) -> datetime:
    return datetime(2020, month, n, 4, tzinfo=UTC)


def snapshot(revision: int = 1, **facts: object) -> ResidentSnapshot:
    return ResidentSnapshot(
        residence_id="r", person_id="p", household_id="h", building="b", room="r1",
        revision=revision, **facts,
    )  # fmt: skip


def seen(presence: Presence, at: datetime) -> Said:
    return Said(
        residence_id="r", person_id="p", household_id="h", presence=presence, seen_at=at, revision=1
    )


def lived(*words: object) -> Residence:
    state: Residence | None = None
    for word in words:
        if isinstance(word, ResidentSnapshot):
            state = with_snapshot(state, word)
        else:
            state = with_sighting(state, "b", word)
    assert state is not None
    return state


@pytest.mark.parametrize(
    ("words", "there"),
    [
        ([snapshot()], True),
        ([snapshot(kind=ResidenceKind.REGISTERED_ONLY)], False),
        ([snapshot(stays_since=day(4))], False),
        ([snapshot(stays_since=day(3))], True),
        ([snapshot(ended_at=day(31, 1))], False),
        ([snapshot(ended_at=day(1))], True),
        ([snapshot(presence=Presence.AWAY)], False),
        ([snapshot(), seen(Presence.AWAY, day(20, 1))], False),
        ([snapshot(), seen(Presence.AWAY, day(20, 1)), seen(Presence.AWAY, day(5))], False),
        ([snapshot(), seen(Presence.AWAY, day(20, 1)), seen(Presence.PRESENT, day(2))], True),
        ([snapshot(), seen(Presence.PRESENT, day(1)), seen(Presence.AWAY, day(3))], True),
        ([snapshot(), seen(Presence.AWAY, day(3))], True),
        ([seen(Presence.PRESENT, day(2))], False),
    ],
)
def test_only_who_may_have_stayed_there_in_the_window_was_there(
    words: list[object], there: bool
) -> None:
    for order in permutations(words):
        assert was_there(lived(*order), *WINDOW) is there


@given(st.data())
def test_any_order_and_repetition_of_words_gives_the_same_residence(
    data: st.DataObject,
) -> None:
    words = [
        snapshot(1),
        snapshot(2, presence=Presence.AWAY),
        snapshot(3, ended_at=day(2)),
        seen(Presence.AWAY, day(1)),
        seen(Presence.PRESENT, day(2)),
        seen(Presence.AWAY, day(3)),
    ]
    shuffled = data.draw(st.permutations(words * 2))
    assert lived(*shuffled) == lived(*words)


def test_the_usual_standing_residence_stands_for_the_person() -> None:
    ended = lived(snapshot(ended_at=day(1)))
    assert main_residence([ended]) is ended
    assert main_residence([lived(seen(Presence.PRESENT, day(1)))]) is None
