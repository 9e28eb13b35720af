"""Head counts, phones and gates say who is there; the latest word counts in any order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianfang.envelope import natural_id
from lianfang.errors import InvalidPayload, NotFound
from lianfang.events.dispatch import StopPerson, StopRecord, StopsRecorded
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Finding, StopOutcome
from tests.component.declaration import town as t


@pytest.fixture
def roll(declaration: Pump) -> dict[str, dict[str, Any]]:
    """Three residents of one household, by their number."""
    t.load(declaration, *[t.row(n, presence="") for n in (1, 2, 3)])
    found = declaration.call("declaration.get_roll", building=t.BUILDING)["residents"]
    by_id = {r["person_id"]: r for r in found}
    return {
        str(n): by_id[
            declaration.call("declaration.find_residents", document_number=t.number(n))[
                "residents"
            ][0]["person_id"]
        ]
        for n in (1, 2, 3)
    }


def head_count(
    roll: dict[str, Any], findings: dict[str, Finding], minutes: int, revision: int = 1
) -> StopsRecorded:
    at = t.NOW + timedelta(minutes=minutes)
    stop = StopRecord(
        stop_id="stop",
        household_id=roll["1"]["household_id"],
        outcome=StopOutcome.DONE,
        recorded_at=at,
        revision=revision,
        persons=tuple(
            StopPerson(person_id=roll[n]["person_id"], finding=f) for n, f in findings.items()
        ),
    )
    return StopsRecorded(
        record_id=natural_id("record", minutes),
        round_id="round",
        kind="head_count",
        building=t.BUILDING,
        recorded_by="Worker Invented",
        received_at=at,
        stops=(stop,),
    )


def states(pump: Pump, roll: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    from services.declaration.store import RESIDENCES

    documents = pump.documents("declaration")
    found = documents.load(RESIDENCES, [r["residence_id"] for r in roll.values()])
    return {
        n: (x.presence, x.presence_at, x.ended_at, x.ended_reason)
        for n, r in roll.items()
        if (x := found[r["residence_id"]])
    }


def test_a_head_count_ends_in_presence_and_departures(declaration: Pump, roll: Any) -> None:
    findings = {"1": Finding.PRESENT, "2": Finding.ABSENT, "3": Finding.LIVES_ELSEWHERE}
    declaration.publish(head_count(roll, findings, 5), t.BUILDING)
    declaration.settle()
    (recorded,) = declaration.events("presence.recorded")
    assert [s.presence for s in recorded.sightings] == ["present", "away", "unknown"]
    (left,) = declaration.events("resident.left")
    assert (left.reason, left.resident.person_id) == ("lives_elsewhere", roll["3"]["person_id"])
    assert declaration.call("declaration.get_roll", building=t.BUILDING)["persons"] == 2
    assert declaration.parked() == []


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_the_same_head_counts_ends_alike(
    declaration: Pump, roll: Any, seed: int
) -> None:
    counts = [
        head_count(roll, {"1": Finding.ABSENT, "2": Finding.DECEASED, "3": Finding.PRESENT}, 5),
        head_count(roll, {"1": Finding.PRESENT, "2": Finding.PRESENT, "3": Finding.ABSENT}, 9),
        head_count(roll, {"3": Finding.LIVES_ELSEWHERE}, 7),
    ]
    for count in counts:
        declaration.publish(count, t.BUILDING)
    declaration.settle(seed=seed, copies=3)
    at = {m: t.NOW + timedelta(minutes=m) for m in (5, 7, 9)}
    assert states(declaration, roll) == {
        "1": ("present", at[9], None, None),
        "2": ("unknown", at[5], at[5], "deceased"),
        "3": ("away", at[9], None, None),
    }
    assert declaration.parked() == []


def test_an_older_word_is_no_news(declaration: Pump, roll: Any) -> None:
    def tell(presence: str, minutes: int) -> int:
        sighting = {
            "person_id": roll["1"]["person_id"],
            "presence": presence,
            "seen_at": (t.NOW - timedelta(minutes=minutes)).isoformat(),
        }
        recorded: int = declaration.call(
            "declaration.record_presence", building=t.BUILDING, source="phone", sightings=[sighting]
        )["recorded"]
        return recorded

    assert (tell("present", 5), tell("away", 9), tell("moved_out", 1)) == (1, 0, 1)
    (left,) = declaration.events("resident.left")
    assert left.reason == "moved_out"


@pytest.mark.parametrize("gone", ["moved_out", "lives_elsewhere"])
def test_whoever_is_seen_again_after_leaving_is_registered_anew(
    declaration: Pump, roll: Any, gone: str
) -> None:
    def look(presence: str, minutes: int) -> None:
        declaration.now = t.NOW + timedelta(minutes=minutes)
        declaration.call(
            "declaration.record_presence",
            building=t.BUILDING,
            source="gate",
            sightings=[
                {
                    "person_id": roll["2"]["person_id"],
                    "presence": presence,
                    "seen_at": declaration.now.isoformat(),
                }
            ],
        )

    if gone == "moved_out":
        look("moved_out", 5)
    else:
        stops = head_count(roll, {"2": Finding.LIVES_ELSEWHERE}, 5)
        declaration.publish(stops, t.BUILDING)
        declaration.settle()
    before = len(declaration.events("resident.registered"))
    look("present", 9)
    (again,) = declaration.events("resident.registered")[before:]
    (resident,) = again.residents
    assert (resident.person_id, resident.ended_at) == (roll["2"]["person_id"], None)
    (sighting,) = declaration.events("presence.recorded")[-1].sightings
    assert sighting.revision == resident.revision
    look("present", 12)
    assert len(declaration.events("resident.registered")) == before + 1


def test_nobody_is_seen_in_the_future_or_where_nobody_knows_them(
    declaration: Pump, roll: Any
) -> None:
    person = roll["1"]["person_id"]
    later = {
        "person_id": person,
        "presence": "present",
        "seen_at": (t.NOW + timedelta(hours=1)).isoformat(),
    }
    with pytest.raises(InvalidPayload):
        declaration.call(
            "declaration.record_presence", building=t.BUILDING, source="gate", sightings=[later]
        )
    now = later | {"seen_at": t.NOW.isoformat()}
    for building in (t.OTHER, f"{t.ENCLOSURE}.b77"):
        with pytest.raises(NotFound):
            declaration.call(
                "declaration.record_presence", building=building, source="gate", sightings=[now]
            )
    assert declaration.events("presence.recorded") == []


def test_a_lodger_found_at_the_door_gets_a_provisional_room(declaration: Pump, roll: Any) -> None:
    lodger = {
        "room": "r0199",
        "name": "租客",
        "document_type": "passport",
        "document_number": "e00000000",
        "seen_at": t.NOW.isoformat(),
    }
    infant = {
        "room": "r0101",
        "household_id": roll["1"]["household_id"],
        "name": "未登记婴儿",
        "birth_on": "2019-12-20",
        "guardian_id": roll["1"]["person_id"],
    }
    answer = declaration.call(
        "declaration.register_residents",
        building=t.BUILDING,
        source="head_count",
        residents=[lodger, infant, infant],
    )
    found, first, twin = answer["residents"]
    assert (found["provisional_room"], first["provisional_room"]) == (True, False)
    assert first["household_id"] == roll["1"]["household_id"]
    assert first["person_id"] != twin["person_id"]
    (seen,) = declaration.events("presence.recorded")
    assert [(s.person_id, s.revision) for s in seen.sightings] == [(found["person_id"], 2)]
    place = declaration.call("declaration.find_places", under=f"{t.BUILDING}.r0199")["places"]
    assert [p["provisional"] for p in place] == [True]
    assert all(p.path != place[0]["path"] for e in declaration.events("place.registered")
               for p in e.places)  # fmt: skip
