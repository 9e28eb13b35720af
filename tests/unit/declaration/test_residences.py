"""Residences: how they end and open again; chunks keep households whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import IllegalTransition
from lianfang.vocabulary import Finding, Presence, PresenceSource
from services.declaration.domain.residence import (
    DECEASED,
    MOVED_OUT,
    Residence,
    Seen,
    ended,
    finding_as_seen,
    in_chunks,
    reopened,
    revised,
    seen,
)

NOW = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)


def a_residence(person: str = "p1", household: str = "h1") -> Residence:
    return Residence(
        residence_id=f"{person}/{household}",
        person_id=person,
        household_id=household,
        building="b",
        room_path="b.r1",
        room="r1",
    )


def test_a_residence_that_is_over_opens_when_somebody_is_seen_there_later() -> None:
    gone = seen(a_residence(), finding_as_seen(Finding.LIVES_ELSEWHERE, NOW))
    assert gone is not None
    assert gone.ended_at == NOW
    back = seen(gone, finding_as_seen(Finding.PRESENT, NOW + timedelta(hours=1)))
    assert back is not None
    assert (back.ended_at, back.ended_reason, back.revision) == (None, None, 3)


def test_moving_out_ends_a_residence() -> None:
    out = Seen(presence=Presence.MOVED_OUT, seen_at=NOW, source=PresenceSource.PHONE)
    gone = seen(a_residence(), out)
    assert gone is not None
    assert gone.ended_reason == MOVED_OUT


def test_nobody_lives_again_where_they_died() -> None:
    dead = ended(a_residence(), DECEASED, NOW)
    with pytest.raises(IllegalTransition):
        reopened(dead, a_residence())


def test_an_unchanged_residence_is_no_news() -> None:
    known = a_residence()
    assert revised(known, replace(known, import_id="another file")) is None
    changed = revised(known, replace(known, floor=3))
    assert changed is not None
    assert changed.revision == known.revision + 1


@given(st.lists(st.integers(0, 60), max_size=700))
def test_chunks_hold_everybody_once_and_households_whole(homes: list[int]) -> None:
    residences = [a_residence(f"p{n}", f"h{home}") for n, home in enumerate(homes)]
    chunks = list(in_chunks(residences))
    assert sorted(r.person_id for c in chunks for r in c) == sorted(r.person_id for r in residences)
    households = [{r.household_id for r in chunk} for chunk in chunks]
    assert sum(map(len, households)) == len(set(homes))
