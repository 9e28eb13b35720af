"""How far one case closes."""

from __future__ import annotations

from dataclasses import replace

from lianfang.vocabulary import CommunityType
from services.isolation.domain.facts import Place
from services.isolation.domain.scope import exits_of, overlap, scope_of, widest
from tests.unit.isolation.test_seals import rules

E1 = "4403.nanshan.440305001.440305001012.e01"
B1, B2, B3 = f"{E1}.b1", f"{E1}.b2", f"{E1}.b3"


def places(kind: CommunityType, **exits: tuple[str, ...]) -> dict[str, Place]:
    found = {E1: Place(path=E1, revision=1, community_type=kind)}
    for name, gates in exits.items():
        path = f"{E1}.{name.replace('_', '.')}"
        found[path] = Place(path=path, revision=1, exits=gates)
    return found


def test_a_unit_is_closed_alone_only_with_exits_of_its_own() -> None:
    own = places(CommunityType.COMMODITY_HOUSING, b1=(), b1_u1=("g1",), b1_u2=("g2",))
    assert scope_of(f"{B1}.u1", own, rules()) == (f"{B1}.u1",)
    shared = places(CommunityType.COMMODITY_HOUSING, b1=(), b1_u1=("g1",), b1_u2=("g1",))
    assert scope_of(f"{B1}.u1", shared, rules()) == (B1,)
    unknown = places(CommunityType.COMMODITY_HOUSING, b1=("g1",))
    assert scope_of(f"{B1}.u1", unknown, rules()) == (B1,)


def test_an_urban_village_building_is_closed_whole_even_from_a_unit() -> None:
    village = places(CommunityType.URBAN_VILLAGE, b1=(), b1_u1=("g1",), b1_u2=("g2",))
    assert scope_of(f"{B1}.u1", village, rules()) == (B1,)


def test_all_behind_a_shared_exit_are_closed_and_not_one_step_further() -> None:
    row = places(CommunityType.INDUSTRIAL, b1=("g1",), b2=("g1", "g2"), b3=("g2",))
    assert scope_of(B1, row, rules()) == (B1, B2)
    assert exits_of((B1, B2), row) == ("g1", "g2")


def test_policy_may_close_the_enclosure() -> None:
    wide = replace(rules(), seal_scope={CommunityType.URBAN_VILLAGE: "enclosure"})
    assert scope_of(B1, places(CommunityType.URBAN_VILLAGE, b1=()), wide) == (E1,)


def test_a_place_nobody_described_is_closed_by_the_building() -> None:
    assert scope_of(B1, {}, rules()) == (B1,)


def test_scopes_keep_only_their_widest_paths() -> None:
    assert widest((f"{B1}.u1", B1, B2)) == (B1, B2)
    assert overlap((B1,), (f"{B1}.u1",))
    assert not overlap((B1,), (f"{E1}.b10",))
