"""The organisations and teams of the demo: five levels, each with every kind of team. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lianfang.demo.district import InventedDistrict
from lianfang.demo.divisions import Division
from lianfang.places import Level, parent
from lianfang.vocabulary import Role

#: A kind of team, its name, and what its members together may do.
TEAMS: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("trinity", "三位一体工作组", (Role.COMMUNITY, Role.HEALTH, Role.POLICE, Role.GRID)),
    ("gate", "围合值守组", (Role.COMMUNITY, Role.PROPERTY)),
    ("aid", "援助服务组", (Role.COMMUNITY, Role.VOLUNTEER)),
    ("transfer", "转运组", (Role.HEALTH, Role.DRIVER)),
    ("disinfection", "消杀组", (Role.DISINFECTION,)),
    ("investigation", "流调组", (Role.INVESTIGATOR, Role.HEALTH)),
    ("counselling", "心理援助组", (Role.COUNSELLOR,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Who answers for a place."""

    org_id: str
    name: str
    level: Level
    place: str

    def teams(self) -> Iterator[dict[str, Any]]:
        """The organisation's teams as they are registered."""
        for kind, name, roles in TEAMS:
            yield {
                "team_id": f"{self.org_id}.{kind}",
                "org_id": self.org_id,
                "name": f"{self.name}{name}",
                "kind": kind,
                "roles": [str(role) for role in roles],
            }


_SUFFIX = {
    "city": "社区小区组",
    "district": "社区小区组",
    "street": "工作队",
    "community": "工作站",
}


def organisations(district: InventedDistrict, divisions: list[Division]) -> Iterator[Organisation]:
    """City and district, every street, and what lies above and at each enclosure."""
    communities = {parent(enclosure.path) for enclosure in district.enclosures}
    for division in divisions:
        if division.level != "community" or division.path in communities:
            yield Organisation(
                org_id=f"org.{division.path.rpartition('.')[2]}",
                name=division.name + _SUFFIX[division.level],
                level=Level(division.level),
                place=division.path,
            )
    for enclosure in district.enclosures:
        segments = enclosure.path.split(".")
        yield Organisation(
            org_id=f"org.{segments[-2]}.{segments[-1]}",
            name=f"{enclosure.name}联防组",
            level=Level.ENCLOSURE,
            place=enclosure.path,
        )
