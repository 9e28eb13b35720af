"""`lianfang audit` on a district in which a test planted each kind of damage finds each one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lianfang.audit.catalogue import INVARIANTS
from lianfang.runtime.administration import BrokerAdministration
from lianfang.testing.pump import Pump
from tests.component.audit import damage_of_state  # noqa: F401 - registers its kinds
from tests.component.audit.damage import KINDS, again
from tests.component.audit.played import Played
from tests.component.audit.story import play

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def district(
    session_pump: Pump,
    administration: BrokerAdministration,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Played]:
    """Everything happened once, and nothing was damaged yet."""
    session_pump.reset()
    ledger = tmp_path_factory.mktemp("audit") / "ledger.jsonl"
    play(session_pump, ledger)
    prefix = session_pump.settings.database_prefix
    district = Played(session_pump, administration, prefix, ledger)
    yield district
    assert district.broken() == {}, "a test left its damage behind"
    session_pump.reset()


@pytest.fixture
def played(district: Played) -> Iterator[Played]:
    """The district; what a test plants is taken back."""
    yield district
    district.mend()


def test_a_district_without_damage_has_no_offenders(played: Played) -> None:
    assert played.broken() == {}


def test_every_invariant_looked_at_something(played: Played) -> None:
    assert [f.name for f in played.findings() if not f.figure] == []


@pytest.mark.parametrize("name", KINDS)
def test_damage_is_found_where_it_is_and_nowhere_else(played: Played, name: str) -> None:
    plant, broken = KINDS[name]
    expected = plant(played)
    found = played.broken()
    assert set(found) == set(expected) == broken, found
    for rule, offenders in expected.items():
        assert len(found[rule]) == len(offenders), (rule, found[rule])
        unnamed = [o for o in offenders if not any(o in said for said in found[rule])]
        assert unnamed == [], (rule, found[rule])


#: A fact of each read model that nothing else follows from, and what it is made.
COPIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "isolation.places": ({}, {"revision": 99}),
    "screening.residences": ({}, {"floor": 99}),
    "isolation.residences": ({}, {"needs": ["infant", "disability"]}),
    "isolation.cases": ({"person_id": {"$ne": None}}, {"onset_on": "2019-01-01"}),
    "dispatch.cases": ({}, {"household_id": "elsewhere"}),
    "dispatch.seals": ({}, {"scope": ["4403.nanshan"]}),
    "dispatch.foci": ({}, {"place": "4403.nanshan"}),
    "isolation.samples": ({}, {"result": "negative"}),
    "isolation.done_tasks": ({}, {"place": "4403.nanshan"}),
    "screening.visits": ({"kind": "head_count"}, {"outcome": "missed"}),
    "isolation.persons": ({"contacts__is_dropped": False}, {"contacts__0__revision": 99}),
    "isolation.doors": ({}, {"stops__0__by": "somebody else"}),
    "dispatch.households": ({"orders__0": {"$exists": True}}, {"orders__0__revision": 99}),
    "isolation.complaints": ({}, {"revision": 99}),
    "dispatch.alarms": ({"reports__0": {"$exists": True}}, {"reports__0__report_id": "forged"}),
}


def test_every_copy_is_damaged_by_a_test() -> None:
    copies = {rule.name.removeprefix("copy:") for rule in INVARIANTS if rule.name[:5] == "copy:"}
    assert copies == set(COPIES)


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_that_differs_from_its_source_is_found(played: Played, name: str) -> None:
    where, changed = COPIES[name]
    document = played.one(name, **where)
    played.alter(name, document, **changed)
    found = played.broken()
    assert set(found) == {f"copy:{name}"}, found
    assert all(document["_id"] in offender for offender in found[f"copy:{name}"])


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_that_is_gone_is_found(played: Played, name: str) -> None:
    where, _ = COPIES[name]
    document = played.one(name, **where)
    played.lose(name, document)
    assert any(document["_id"] in offender for offender in played.broken()[f"copy:{name}"])


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_of_what_nobody_told_is_found(played: Played, name: str) -> None:
    where, _ = COPIES[name]
    invented = played.put(name, again(played.one(name, **where)))
    offenders = played.broken()[f"copy:{name}"]
    assert any(invented["_id"] in offender for offender in offenders), offenders


def test_every_invariant_is_broken_by_a_kind_of_damage() -> None:
    broken = frozenset().union(*(names for _, names in KINDS.values()))
    assert {rule.name for rule in INVARIANTS} == broken | {f"copy:{name}" for name in COPIES}


def test_a_document_of_another_shape_is_an_offender_and_ends_nothing(played: Played) -> None:
    household = played.one("dispatch.households", orders__0={"$exists": True})
    played.alter("dispatch.households", household, orders=[{}], scopes=[])
    found = played.broken()
    assert any("another shape" in offender for offender in found["copy:dispatch.households"])
    assert len(played.findings()) == len(INVARIANTS)
