"""What is learned does not depend on the order in which it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from lianfang.events.declaration import ResidentSnapshot, Sighting
from lianfang.events.dispatch import StopPerson, StopRecord
from lianfang.vocabulary import Finding, Presence, PresenceSource, StopOutcome
from services.isolation.domain.doors import Door, learn_stop
from services.isolation.domain.facts import Residence, learn_residence, learn_sighting
from services.isolation.domain.roll import judge_resident

NOW = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)


def told(revision: int, **facts: object) -> ResidentSnapshot:
    return ResidentSnapshot(
        residence_id="r",
        person_id="p",
        household_id="h",
        building="b",
        room="r0101",
        revision=revision,
        stays_since=NOW - timedelta(days=90),
        **facts,  # type: ignore[arg-type]
    )


def seen(revision: int, presence: Presence, hours: int) -> Sighting:
    return Sighting(
        residence_id="r",
        person_id="p",
        household_id="h",
        presence=presence,
        seen_at=NOW + timedelta(hours=hours),
        revision=revision,
    )


def test_a_residence_is_the_same_whatever_came_first() -> None:
    def first(known: Residence | None) -> Residence:
        return learn_residence(known, told(1), NOW)

    def moved_out(known: Residence | None) -> Residence:
        later = NOW + timedelta(hours=3)
        return learn_residence(known, told(4, ended_at=later), later, "moved")

    def there(known: Residence | None) -> Residence:
        return learn_sighting(known, seen(2, Presence.PRESENT, 1), "b", PresenceSource.HEAD_COUNT)

    def gone(known: Residence | None) -> Residence:
        return learn_sighting(known, seen(3, Presence.AWAY, 2), "b", PresenceSource.GATE)

    ends = set()
    for order in permutations([first, moved_out, there, gone, first, there]):
        known: Residence | None = None
        for learn in order:
            known = learn(known)
        ends.add(known)
    (end,) = ends
    assert end is not None
    assert (end.known_at, end.ended_why, end.presence) == (NOW, "moved", "unknown")
    assert end.look is not None
    assert end.look.is_there is False


def test_a_door_keeps_the_newest_revision_of_each_stop() -> None:
    def stop(revision: int, finding: Finding) -> StopRecord:
        return StopRecord(
            stop_id="s",
            household_id="h",
            outcome=StopOutcome.DONE,
            recorded_at=NOW + timedelta(hours=1),
            revision=revision,
            persons=(StopPerson(person_id="p", finding=finding),),
        )

    stops = [stop(1, Finding.ABSENT), stop(2, Finding.PRESENT), stop(3, Finding.LIVES_ELSEWHERE)]
    for order in permutations(stops):
        door: Door | None = None
        for record in order:
            door = learn_stop(door, "b", "head_count", record, "w")
        assert door is not None
        found = door.found("p", NOW)
        assert found is not None
        assert found[0] == Finding.LIVES_ELSEWHERE


def test_what_was_looked_at_before_the_seal_decides_nothing() -> None:
    residence = learn_residence(None, told(1), NOW)
    before = learn_sighting(residence, seen(2, Presence.AWAY, -5), "b", PresenceSource.HEAD_COUNT)
    judged = judge_resident(before, None, NOW, NOW.date(), is_dead=False)
    assert judged is not None
    assert judged.status == "expected"
