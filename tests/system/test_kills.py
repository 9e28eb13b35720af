"""SIGKILL in the middle of the cascade: the service starts again and the end is the same."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from lianfang.testing.district import SERVICES as PROCESSES
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.servers import Servers
from tests.system.digest import SERVICES, difference, state_of
from tests.system.processes import ProcessStage, running, wait_for
from tests.system.town import Town

HOUSEHOLDS = 40


@pytest.fixture(scope="module")
def stage() -> Iterator[ProcessStage]:
    """Five processes for all tests of this module."""
    letters = "".join("abcdefghij"[int(c, 16) % 10] for c in uuid4().hex[:8])
    with running(PrivateDistrict(Servers.read(), f"kill{letters}")) as ready:
        yield ready


def play(stage: ProcessStage, victim: str | None) -> dict[str, dict[str, str]]:
    """A case in a building of forty households; the victim dies while the cascade runs."""
    stage.reset()
    town = Town(stage)
    enclosure = town.enclosure("e01")
    building = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
    residents = [
        {
            "room": f"r{n:04d}",
            "household": f"{building}/{n}",
            "name": "住户",
            "document_type": "passport",
            "document_number": f"E{n:04d}{k:04d}",
            "stays_since": "2019-10-01T00:00:00+00:00",
        }
        for n in range(HOUSEHOLDS)
        for k in range(2)
    ]
    persons = town.register(building, residents)
    stage.call(
        "screening.confirm_case",
        request_id="the-case",
        person_id=persons[0],
        classification="confirmed",
        basis="positive by RT-PCR, twice",
        decided_by="Dr Invented",
        decided_at=town.at(),
        onset_on="2020-02-02",
    )
    if victim is not None:
        if victim in ("isolation", "dispatch"):
            wait_for(
                lambda: stage.saw("seal.imposed" if victim == "dispatch" else "case.confirmed")
            )
        stage.kill_and_restart(victim)
    stage.settle()
    databases = stage.databases()
    return state_of({name: databases[name] for name in SERVICES}, times=False)


@pytest.fixture(scope="module")
def undisturbed(stage: ProcessStage) -> dict[str, dict[str, str]]:
    """The end state when nobody dies."""
    state = play(stage, None)
    orders = [
        key for collection in state if collection.endswith(".orders") for key in state[collection]
    ]
    assert len(orders) == 2 * HOUSEHOLDS
    return state


@pytest.mark.parametrize("victim", PROCESSES)
def test_a_killed_service_ends_in_the_same_state(
    stage: ProcessStage, undisturbed: dict[str, dict[str, str]], victim: str
) -> None:
    disturbed = play(stage, victim)
    assert disturbed == undisturbed, difference(undisturbed, disturbed)
