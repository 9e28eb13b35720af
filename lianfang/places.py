"""Place paths: one dotted path names a place, and its prefixes name everything above it.

`4403.nanshan.440305001.440305001012.e03.b07.u2.r1203` is city, management district, street,
community, enclosure, building, unit, room. Below the community the first letter of a segment gives
its kind, never its position: an urban-village building has rooms and no unit.
"""

from __future__ import annotations

import re
from enum import StrEnum

from lianfang.errors import InvalidPayload


class Level(StrEnum):
    """The kinds of place, from the city down to a room."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    ENCLOSURE = "enclosure"
    BUILDING = "building"
    UNIT = "unit"
    ROOM = "room"
    GATE = "gate"


#: The five levels of joint prevention, lowest first: the ladder on which undone tasks climb.
COMMAND_LEVELS = (Level.ENCLOSURE, Level.COMMUNITY, Level.STREET, Level.DISTRICT, Level.CITY)

_UPPER = (Level.CITY, Level.DISTRICT, Level.STREET, Level.COMMUNITY)
_UPPER_FORM = (
    re.compile(r"[0-9]{4}"),
    re.compile(r"[a-z]{2,20}"),
    re.compile(r"[0-9]{9}"),
    re.compile(r"[0-9]{12}"),
)
_LOWER = {
    "e": Level.ENCLOSURE,
    "b": Level.BUILDING,
    "u": Level.UNIT,
    "r": Level.ROOM,
    "g": Level.GATE,
}
_LOWER_FORM = re.compile(r"[ebugr][0-9a-z]{1,12}")
#: What may stand directly under what, below the community.
_PARENTS = {
    Level.ENCLOSURE: {Level.COMMUNITY},
    Level.BUILDING: {Level.ENCLOSURE, Level.COMMUNITY},
    Level.GATE: {Level.ENCLOSURE, Level.BUILDING},
    Level.UNIT: {Level.BUILDING},
    Level.ROOM: {Level.BUILDING, Level.UNIT},
}


def level_of(path: str) -> Level:
    """The kind of the place at the end of `path`, read from its last segment."""
    segments = path.split(".")
    if len(segments) <= len(_UPPER):
        return _UPPER[len(segments) - 1]
    return _LOWER.get(segments[-1][:1], Level.ROOM)


def check(path: str) -> str:
    """Return `path` when it is well formed.

    Raises:
        InvalidPayload: naming the first segment that is wrong and why.
    """
    segments = path.split(".")
    for form, segment, level in zip(_UPPER_FORM, segments, _UPPER, strict=False):
        if not form.fullmatch(segment):
            raise InvalidPayload.of("place", f"{segment!r} is not a {level} segment")
    above = _UPPER[min(len(segments), len(_UPPER)) - 1]
    for segment in segments[len(_UPPER) :]:
        if not _LOWER_FORM.fullmatch(segment):
            raise InvalidPayload.of("place", f"{segment!r} is no segment below a community")
        level = _LOWER[segment[0]]
        if above not in _PARENTS[level]:
            raise InvalidPayload.of("place", f"a {level} cannot stand under a {above}")
        above = level
    return path


def contains(ancestor: str, path: str) -> bool:
    """Whether `path` is `ancestor` or lies below it."""
    return path == ancestor or path.startswith(ancestor + ".")


def parent(path: str) -> str | None:
    """The place directly above, or None above the city."""
    head, _, _ = path.rpartition(".")
    return head or None


def ancestors(path: str) -> tuple[str, ...]:
    """Every place above `path`, the nearest first."""
    segments = path.split(".")
    return tuple(".".join(segments[:n]) for n in range(len(segments) - 1, 0, -1))


def at_level(path: str, level: Level) -> str | None:
    """The ancestor of `path` (or itself) that is a `level`, or None when it has none."""
    for place in (path, *ancestors(path)):
        if level_of(place) == level:
            return place
    return None


def wire_place(path: str) -> str:
    """The part of `path` that may travel in an envelope: it stops at the building.

    A health fact beside a room number is personal data: units and rooms never reach a routing key.
    """
    building = at_level(path, Level.BUILDING)
    if building is not None:
        return building
    gate = level_of(path) == Level.GATE
    return (parent(path) or path) if gate else path
