"""Places as the district knows them; an amended place has a higher revision."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lianfang import places
from lianfang.errors import InvalidPayload
from lianfang.events.declaration import PlaceSnapshot
from lianfang.places import Level
from lianfang.vocabulary import CommunityType, PlaceUse

#: Below these a place must have a known place above it; official divisions need none.
_NEEDS_PARENT = {Level.ENCLOSURE, Level.BUILDING, Level.UNIT, Level.ROOM, Level.GATE}
_SEGMENT = re.compile(r"[0-9a-z]{1,12}")
_NO_SEGMENT = re.compile(r"[^0-9a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place. Address texts are personal data: sealed, found by fingerprint."""

    path: str
    name: str
    level: Level
    revision: int = 1
    use: PlaceUse = PlaceUse.RESIDENCE
    community_type: CommunityType | None = None
    exits: tuple[str, ...] = ()
    floors: int | None = None
    grid: str | None = None
    shared_facilities: bool = False
    provisional: bool = False
    alias_fingerprints: tuple[str, ...] = ()
    sealed: bytes | None = None


def needs_parent(path: str) -> bool:
    """Whether the place above `path` must be known first."""
    return places.level_of(path) in _NEEDS_PARENT


def provisional(path: str) -> Place:
    """A unit or room found at a door that no table knows."""
    segment = path.rpartition(".")[2]
    return Place(path=path, name=segment, level=places.level_of(path), provisional=True)


def amended(known: Place | None, wanted: Place) -> Place | None:
    """The place to store, or None when nothing is new."""
    if known is None:
        return wanted
    if wanted.alias_fingerprints == known.alias_fingerprints:
        wanted = replace(wanted, sealed=known.sealed)
    if replace(wanted, revision=known.revision) == known:
        return None
    return replace(wanted, revision=known.revision + 1)


def snapshot(place: Place) -> PlaceSnapshot:
    """What travels of a place."""
    return PlaceSnapshot(
        path=place.path,
        name=place.name,
        revision=place.revision,
        use=place.use,
        community_type=place.community_type,
        exits=place.exits,
        floors=place.floors,
        grid=place.grid,
        shared_facilities=place.shared_facilities,
        provisional=place.provisional,
    )


def travels(place: Place) -> bool:
    """Rooms travel in `resident.*` only."""
    return place.level is not Level.ROOM


def common(paths: Iterable[str]) -> str:
    """The nearest place that contains all of `paths`."""
    shared: list[str] = []
    for level in zip(*(path.split(".") for path in paths), strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return ".".join(shared)


def segment(kind: str, text: str, field: str) -> str:
    """A room's or unit's segment (`r1203`) from how people write it (`1203`, `12-03`, `R1203`).

    Raises:
        InvalidPayload: nothing of it can name a place.
    """
    plain = text if text.isascii() and text.islower() else text.strip().lower()
    if not plain.isalnum() or not plain.isascii():
        plain = _NO_SEGMENT.sub("", plain)
    if plain[:1] == kind:
        plain = plain[1:]
    if not _SEGMENT.fullmatch(plain):
        raise InvalidPayload.of(field, "names no room or unit")
    return kind + plain
