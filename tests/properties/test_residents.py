"""Residents: what was seen, told and found of them, in any order and again, is known alike by all.

The declaration service's residence says what happens to it; the copies of screening and isolation,
and a seal's roll, have to be the same whatever arrived first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import IllegalTransition
from lianfang.events.declaration import ResidentSnapshot
from lianfang.events.declaration import Sighting as SightingSaid
from lianfang.events.dispatch import StopPerson, StopRecord
from lianfang.vocabulary import Finding, Presence, PresenceSource, RollStatus, StopOutcome
from services.declaration.domain import residence as home
from services.declaration.domain.documents import DocumentType
from services.declaration.domain.person import Identifier, Person, linked
from services.declaration.domain.residence import Residence, Seen
from services.isolation.domain import facts
from services.isolation.domain.doors import Door, learn_stop
from services.isolation.domain.roll import Entry, Sheet, enter, judge_resident, judge_stranger
from services.screening.domain.residences import with_sighting, with_snapshot
from tests.properties.walks import deliveries

SHOWN = {Presence, Finding, RollStatus}
NOW = datetime(2020, 2, 3, 1, tzinfo=UTC)
IMPOSED = NOW + timedelta(minutes=5)
START = Residence(
    residence_id="r",
    person_id="p",
    household_id="h",
    building="b",
    room_path="b.r1",
    room="r1",
    stays_since=NOW - timedelta(days=9),
)
instants = st.integers(0, 9).map(lambda minutes: NOW + timedelta(minutes=minutes))
sightings = st.builds(
    Seen,
    presence=st.sampled_from([*Presence, Presence.MOVED_OUT, Presence.MOVED_OUT]),
    seen_at=instants,
    source=st.sampled_from(PresenceSource),
    contactable=st.booleans(),
) | st.builds(home.finding_as_seen, st.sampled_from(Finding), instants)

# -- the residence itself ---------------------------------------------------------------------


def test_any_order_of_the_same_sightings_ends_alike() -> None:
    reached = set()

    @given(deliveries(st.lists(sightings, max_size=6)))
    def follows(sent: tuple[list[Seen], list[Seen]]) -> None:
        ends = []
        for order in sent:
            residence = START
            for sighting in order:
                before = residence
                residence = home.seen(residence, sighting) or residence
                assert home.seen(residence, sighting) is None, "told again it is no news"
                assert residence.revision == before.revision + (residence is not before)
                if before.ended_reason == home.DECEASED:
                    assert residence.ended_reason == home.DECEASED
                reached.add(residence.presence)
            ends.append(replace(residence, revision=1))
        assert ends[0] == ends[1]
        if ends[0].ended_reason == home.DECEASED:
            with pytest.raises(IllegalTransition):
                home.reopened(ends[0], START)
        else:
            assert home.reopened(ends[0], START).ended_at is None

    follows()
    assert reached == set(Presence)


fingerprints = st.builds(
    Identifier, document_type=st.sampled_from(DocumentType), fingerprint=st.sampled_from("abc")
)


@given(deliveries(st.lists(fingerprints, unique_by=lambda i: i.fingerprint)))
def test_a_person_keeps_every_document_once(sent: tuple[list[Any], list[Any]]) -> None:
    known = []
    for order in sent:
        person = Person(person_id="p", sealed=b"x", facts="f")
        for identifier in order:
            person = linked(person, identifier)
            assert linked(person, identifier) is person
        assert person.fingerprints == tuple(i.fingerprint for i in person.identifiers)
        known.append(person)
    assert set(known[0].identifiers) == set(known[1].identifiers)
    assert len(known[0].identifiers) == len(known[1].identifiers) == len(sent[0])


# -- the copies of others ---------------------------------------------------------------------

Word = tuple[str, Any, Any]


def told(history: Iterable[Seen], *, since: datetime, known_at: datetime) -> list[Word]:
    """What the declaration service says of a residence through these sightings."""
    residence = replace(START, stays_since=since)
    words: list[Word] = [("resident", home.snapshot(residence), (known_at, None))]
    for sighting in history:
        after = home.seen(residence, sighting)
        if after is None:
            continue
        residence = after
        words.append(("presence", home.sighting(residence), sighting.source))
        if residence.ended_reason:
            about = (sighting.seen_at, residence.ended_reason)
            words.append(("resident", home.snapshot(residence), about))
    return words


words = st.builds(
    lambda history, since, known: told(history, since=since, known_at=known),
    st.lists(sightings, max_size=5),
    instants.map(lambda at: at - timedelta(minutes=1)),
    instants,
)


@given(deliveries(words))
def test_the_copies_of_a_residence_are_the_same_whatever_came_first(
    sent: tuple[list[Word], list[Word]],
) -> None:
    in_isolation = [isolations_copy(order) for order in sent]
    in_screening = [screenings_copy(order) for order in sent]
    assert in_isolation[0] == in_isolation[1]
    assert in_screening[0] == in_screening[1]


def isolations_copy(order: Iterable[Word]) -> facts.Residence | None:
    known: facts.Residence | None = None
    for _, word, about in order:
        if isinstance(word, ResidentSnapshot):
            known = facts.learn_residence(known, word, *about)
            assert facts.learn_residence(known, word, *about) is known
        else:
            known = facts.learn_sighting(known, word, "b", about)
            assert facts.learn_sighting(known, word, "b", about) == known
    return known


def screenings_copy(order: Iterable[Word]) -> Any:
    known = None
    for _, word, _about in order:
        if isinstance(word, SightingSaid):
            known = with_sighting(known, "b", word)
            assert with_sighting(known, "b", word) is known
        else:
            known = with_snapshot(known, word)
            assert with_snapshot(known, word) is known
    return known


# -- the roll ---------------------------------------------------------------------------------

stops = st.builds(
    lambda n, outcome, finding, at, revision: StopRecord(
        stop_id=f"s{n}",
        household_id="h",
        outcome=outcome,
        recorded_at=at,
        revision=revision,
        persons=(StopPerson(person_id="p", finding=finding),) if finding else (),
    ),
    st.integers(1, 2),
    st.sampled_from(StopOutcome),
    st.none() | st.sampled_from(Finding),
    instants,
    st.integers(1, 3),
)


def test_what_a_roll_says_of_a_person_follows_from_what_is_known() -> None:
    reached = set()

    @given(
        deliveries(words),
        deliveries(st.lists(stops, max_size=3, unique_by=lambda s: (s.stop_id, s.revision))),
        st.booleans(),
    )
    def follows(
        residences: tuple[list[Word], list[Word]],
        recorded: tuple[list[StopRecord], list[StopRecord]],
        recent: bool,
    ) -> None:
        trace_from = date(2020, 2, 3) if recent else date(2020, 3, 1)
        judged = []
        for order, records in zip(residences, recorded, strict=True):
            residence = isolations_copy(order)
            assert residence is not None
            door = door_after(records)
            found = judge_resident(residence, door, IMPOSED, trace_from, is_dead=False)
            stranger = judge_stranger("p", door, IMPOSED) if door else None
            judged.append((found, stranger))
        assert judged[0] == judged[1]
        reached.update(found.status for found in judged[0] if found)

    follows()
    assert reached == set(RollStatus)


def door_after(records: Iterable[StopRecord]) -> Door | None:
    door: Door | None = None
    for record in records:
        door = learn_stop(door, "b", "head_count", record, "x")
        assert learn_stop(door, "b", "head_count", record, "x") is door
    return door


entries = st.builds(
    lambda person, status: Entry(person_id=person, status=status, reason=str(status)),
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(RollStatus),
)
happenings = st.tuples(st.lists(entries, max_size=3), st.sets(st.sampled_from(["p1", "p2"])))


@given(st.lists(happenings, max_size=6))
def test_a_sheet_names_everybody_once_and_says_only_what_is_new(
    history: list[tuple[list[Entry], set[str]]],
) -> None:
    sheet = Sheet(sheet_id="s", seal_id="x", building="b", household_id="h")
    revisions: dict[str, int] = {}
    for found, dropped in history:
        wanted = {entry.person_id: entry for entry in found}
        gone = dropped - set(wanted)
        before = sheet
        sheet, said = enter(sheet, wanted.values(), gone)
        assert enter(sheet, wanted.values(), gone) == (sheet, ())
        assert (sheet is before) == (said == ())
        persons = [entry.person_id for entry in sheet.entries]
        assert persons == sorted(set(persons))
        for entry in said:
            assert entry.revision == revisions.get(entry.person_id, 0) + 1
            revisions[entry.person_id] = entry.revision
        for entry in sheet.entries:
            last = wanted.get(entry.person_id)
            assert last is None or entry.status is last.status
