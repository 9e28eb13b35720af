"""The invented enclosures of the demo's district: what stands where. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.vocabulary import CommunityType, PlaceUse

STREET = "440305001"
#: The community of the story; its code is real, the enclosure in it is not.
COMMUNITY = f"{STREET}.{STREET}012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building: `rooms` per floor and the sizes of households that live in its rooms."""

    path: str
    name: str
    floors: int
    rooms: int
    sizes: tuple[int, ...]
    exits: tuple[str, ...]
    units: tuple[str, ...] = ()
    use: PlaceUse = PlaceUse.RESIDENCE
    shared_facilities: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """A closed estate or village with its gates and buildings."""

    path: str
    name: str
    community_type: CommunityType
    gates: tuple[str, ...]
    buildings: tuple[Building, ...]


_FAMILY = (1, 1, 2, 2, 2, 3, 3, 3, 4, 5)
_TENANTS = (1, 1, 1, 2, 2, 3)
_BUNKS = (6, 6, 5, 8)


def enclosures(district: str, edition: int) -> tuple[Enclosure, ...]:
    """The five enclosures; another `edition` gives others beside them."""
    return (
        _estate(f"{district}.{COMMUNITY}.{_segment(edition, 1)}", "星河名苑", 30),
        _village(f"{district}.{STREET}.{STREET}014.{_segment(edition, 2)}", "榕荫村"),
        _dormitories(f"{district}.{STREET}.{STREET}007.{_segment(edition, 3)}", "恒光宿舍区"),
        _works(f"{district}.{STREET}.{STREET}007.{_segment(edition, 4)}", "恒光科技园"),
        _estate(f"{district}.{STREET}.{STREET}016.{_segment(edition, 5)}", "半山翠庭", 30),
    )


def _segment(edition: int, n: int) -> str:
    return f"e{edition * 10 + n:02d}"


def _estate(path: str, name: str, towers: int) -> Enclosure:
    """Commodity housing: towers with a door of their own, each second one in two units."""
    buildings = []
    for n in range(1, towers + 1):
        tower = f"{path}.b{n:02d}"
        units = ("u1", "u2") if n % 2 == 0 else ()
        exits = tuple(f"{tower}.g{door}" for door in (1, 2))
        buildings.append(
            Building(
                path=tower,
                name=f"{name}{n}栋",
                floors=30,
                rooms=4,
                sizes=_FAMILY,
                exits=exits,
                units=units,
            )
        )
    gates = (f"{path}.g1", f"{path}.g2")
    return _enclosure(path, name, CommunityType.COMMODITY_HOUSING, gates, buildings)


def _village(path: str, name: str) -> Enclosure:
    """An urban village: low houses wall to wall, rooms without units, seven gates."""
    houses = [
        Building(
            path=f"{path}.b{n:03d}",
            name=f"{name}{n}号",
            floors=7,
            rooms=6,
            sizes=_TENANTS,
            exits=(f"{path}.b{n:03d}.g1",),
        )
        for n in range(1, 71)
    ]
    gates = tuple(f"{path}.g{n}" for n in range(1, 8))
    return _enclosure(path, name, CommunityType.URBAN_VILLAGE, gates, houses)


def _dormitories(path: str, name: str) -> Enclosure:
    """Workers' dormitories: one room, one household, one bathroom on the corridor."""
    blocks = [
        Building(
            path=f"{path}.b{n:02d}",
            name=f"{name}{n}号楼",
            floors=7,
            rooms=10,
            sizes=_BUNKS,
            exits=(f"{path}.b{n:02d}.g1",),
            use=PlaceUse.DORMITORY,
            shared_facilities=True,
        )
        for n in range(1, 6)
    ]
    return _enclosure(path, name, CommunityType.INDUSTRIAL, (f"{path}.g1",), blocks)


def _works(path: str, name: str) -> Enclosure:
    """An industrial park where people work and nobody lives."""
    halls = [
        Building(
            path=f"{path}.b{n:02d}",
            name=f"{name}{n}座",
            floors=8,
            rooms=0,
            sizes=(),
            exits=(f"{path}.b{n:02d}.g1",),
            use=PlaceUse.WORKPLACE,
        )
        for n in range(1, 5)
    ]
    return _enclosure(path, name, CommunityType.INDUSTRIAL, (f"{path}.g1",), halls)


def _enclosure(
    path: str,
    name: str,
    kind: CommunityType,
    gates: tuple[str, ...],
    buildings: list[Building],
) -> Enclosure:
    return Enclosure(
        path=path,
        name=name,
        community_type=kind,
        gates=gates,
        buildings=tuple(buildings),
    )
