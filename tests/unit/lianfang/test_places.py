from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang import places
from lianfang.errors import InvalidPayload
from lianfang.places import Level

ROOM = "4403.nanshan.440305001.440305001012.e03.b07.u2.r1203"
VILLAGE_ROOM = "4403.nanshan.440305001.440305001012.e03.b07.r301"

upper = st.just("4403.nanshan.440305001.440305001012")
segment = st.from_regex(r"[0-9a-z]{1,4}", fullmatch=True)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """Any well-formed path at or below a community."""
    path = draw(upper)
    if draw(st.booleans()):
        path += f".e{draw(segment)}"
    if draw(st.booleans()):
        path += f".b{draw(segment)}"
        if draw(st.booleans()):
            path += f".u{draw(segment)}"
        if draw(st.booleans()):
            path += f".r{draw(segment)}"
    return path


@given(paths())
def test_every_well_formed_path_is_accepted_and_its_ancestors_too(path: str) -> None:
    assert places.check(path) == path
    for ancestor in places.ancestors(path):
        assert places.check(ancestor) == ancestor
        assert places.contains(ancestor, path)


@given(paths(), paths())
def test_containment_is_reflexive_and_antisymmetric(one: str, other: str) -> None:
    assert places.contains(one, one)
    if places.contains(one, other) and places.contains(other, one):
        assert one == other


@given(paths())
def test_a_wire_place_holds_no_room_and_is_an_ancestor(path: str) -> None:
    wire = places.wire_place(path)
    assert places.contains(wire, path)
    assert places.level_of(wire) not in (Level.UNIT, Level.ROOM, Level.GATE)
    assert places.wire_place(wire) == wire


def test_the_kind_is_read_from_the_segment_and_never_from_its_position() -> None:
    assert places.level_of(ROOM) == Level.ROOM
    assert places.level_of(VILLAGE_ROOM) == Level.ROOM
    assert places.at_level(VILLAGE_ROOM, Level.UNIT) is None
    assert places.at_level(ROOM, Level.UNIT).endswith(".u2")
    assert places.level_of("4403") == Level.CITY


def test_a_building_whose_name_begins_like_anothers_is_not_inside_it() -> None:
    building = places.at_level(ROOM, Level.BUILDING)
    assert not places.contains(building, building + "1")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "44",
        "4403.Nanshan",
        "4403.nanshan.4403",
        "4403.nanshan.440305001.440305001012.r1",
        "4403.nanshan.440305001.440305001012.e03.u1",
        "4403.nanshan.440305001.440305001012.e03.b07.r1.r2",
        "4403.nanshan.440305001.440305001012.e03.b07.x1",
        "4403.nanshan.440305001.440305001012.e03.b",
        "4403.nanshan.440305001.440305001012.e03..b07",
        "4403.nanshan.440305001.440305001012.",
        "4403.nanshan.440305001.440305001012.#",
        "４４０３",
        "4403.nanshan\n",
    ],
)
def test_a_malformed_path_is_refused_with_the_reason(path: str) -> None:
    with pytest.raises(InvalidPayload) as caught:
        places.check(path)
    assert "place" in caught.value.context["fields"]
