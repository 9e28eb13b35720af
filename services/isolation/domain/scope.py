"""How far one case closes: the unit, the building, all behind one exit, or the enclosure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lianfang.places import Level, ancestors, at_level, contains, level_of
from services.isolation.domain.facts import Place
from services.isolation.domain.rules import Rules


def scope_of(path: str, places: Mapping[str, Place], rules: Rules) -> tuple[str, ...]:
    """The place paths that a case in `path` closes, sorted.

    `places` must hold the building, its units, its ancestors, and every place that shares an exit
    with one of them. A unit closes alone only where policy says so and it has exits that no other
    unit of the building needs; an urban-village building without units closes whole. Whatever needs
    one of the closed exits is closed too, one step and no further.
    """
    building = at_level(path, Level.BUILDING) or path
    wanted = _wanted_scope(building, places, rules)
    if wanted == "enclosure":
        return (at_level(building, Level.ENCLOSURE) or building,)
    root = building
    if wanted == "unit" and level_of(path) == Level.UNIT and _has_own_exits(path, places):
        root = path
    exits = set(exits_of([root], places))
    joined = {
        other.path
        for other in places.values()
        if level_of(other.path) in (Level.BUILDING, Level.UNIT) and exits & set(other.exits)
    }
    return widest({root, *joined})


def exits_of(scope: Iterable[str], places: Mapping[str, Place]) -> tuple[str, ...]:
    """Every gate that the closed places need, sorted; each gets a post."""
    roots = tuple(scope)
    return tuple(
        sorted(
            {
                gate
                for place in places.values()
                if any(contains(root, place.path) for root in roots)
                and level_of(place.path) in (Level.BUILDING, Level.UNIT)
                for gate in place.exits
            }
        )
    )


def widest(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that lie in no other of them, sorted."""
    once = sorted(set(paths))
    return tuple(p for p in once if not any(q != p and contains(q, p) for q in once))


def overlap(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two scopes close a common place."""
    others = tuple(other)
    return any(contains(a, b) or contains(b, a) for a in one for b in others)


def covers(scope: Iterable[str], path: str) -> bool:
    """Whether somebody who lives in `path` is inside."""
    return any(contains(root, path) for root in scope)


def _wanted_scope(building: str, places: Mapping[str, Place], rules: Rules) -> str:
    for path in (building, *ancestors(building)):
        place = places.get(path)
        if place is not None and place.community_type is not None:
            return rules.seal_scope.get(place.community_type, rules.default_scope)
    return rules.default_scope


def _has_own_exits(unit: str, places: Mapping[str, Place]) -> bool:
    place = places.get(unit)
    if place is None or not place.exits:
        return False
    building = at_level(unit, Level.BUILDING) or unit
    siblings = {
        gate
        for other in places.values()
        if other.path != unit and contains(building, other.path) and other.path != building
        for gate in other.exits
    }
    return not siblings & set(place.exits)
