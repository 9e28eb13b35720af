"""Messages come three times and in any order between two commands: the end is always the same."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from lianfang.testing.pump import Pump
from tests.system.digest import SERVICES, difference, digest, state_of
from tests.system.town import Town

SEEDS = range(1, 21)
SHARED_DESK = {
    "category": "close",
    "kind": "workplace",
    "first_exposure_on": "2020-02-01",
    "last_exposure_on": "2020-02-02",
    "basis": "shared desk",
}


def play(pump: Pump, **delivery: Any) -> dict[str, dict[str, str]]:
    """The flow of the demo in small; every command's messages are delivered as `delivery` says."""
    pump.reset()
    town = Town(pump)
    town.delivery = delivery
    enclosure = town.enclosure("e01")
    first = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
    second = town.building(f"{enclosure}.b02")
    persons = [p for room in ("r0101", "r0102", "r0201") for p in town.household(first, room)]
    others = town.household(second, "r0101", size=3)
    case_id = town.confirm(persons[0])
    colleague = {"person_id": others[1], **SHARED_DESK}
    town.do("screening.record_contacts", case_id=case_id, contacts=[colleague])
    town.confirm(persons[2])
    discarded = town.confirm(others[0])
    seal_id = town.seal(first)["seal_id"]
    town.record(
        "head_count",
        seal_id,
        [
            {
                "household_id": town.order_of(person)["household_id"],  # type: ignore[index]
                "outcome": "done",
                "persons": [{"person_id": person, "finding": finding}],
            }
            for person, finding in ((persons[3], "present"), (persons[4], "absent"))
        ],
    )
    town.discard(discarded)
    return state_of({name: pump.used[name].engine.documents.database for name in SERVICES})


@cache
def in_order(pump: Pump) -> dict[str, dict[str, str]]:
    """The state when each message comes once and in its order."""
    state = play(pump)
    assert len(state["isolation.orders"]) == 10  # nine residents, one of them sealed before a case
    assert len(state["dispatch.tasks"]) > 20
    return state


@pytest.mark.parametrize("seed", SEEDS)
def test_three_copies_in_any_order_end_in_the_same_state(session_pump: Pump, seed: int) -> None:
    expected = in_order(session_pump)
    shuffled = play(session_pump, seed=seed, copies=3)
    assert session_pump.parked() == []
    assert digest(shuffled) == digest(expected), difference(expected, shuffled)
