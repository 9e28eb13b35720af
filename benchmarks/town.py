"""The town of the cascade: fifty buildings of 2,000 residents in 700 households, and its teams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchmarks import forms
from lianfang.client import District

RESIDENTS, HOUSEHOLDS = 2_000, 700
_PER_FLOOR = 20
_ENCLOSURES = 10
_ROLES = (
    "community health police grid property volunteer driver disinfection investigator counsellor"
)


@dataclass(frozen=True, slots=True)
class Town:
    """Where the buildings stand; everything else follows from their numbers."""

    district: str
    buildings: int

    def building(self, n: int) -> str:
        """The path of the `n`th building, counted from 0; ten share an enclosure."""
        return f"{self._enclosure(n // _ENCLOSURES)}.b{n % _ENCLOSURES + 1:02d}"

    def _enclosure(self, n: int) -> str:
        return f"{forms.community(self.district, 1)}.e{n + 1:02d}"

    def places(self) -> list[dict[str, Any]]:
        """Every place from the street down; each building has a gate of its own."""
        community = forms.community(self.district, 1)
        found: list[dict[str, Any]] = [
            {"path": community.rpartition(".")[0], "name": "试验街道"},
            {"path": community, "name": "试验社区", "community_type": "commodity_housing"},
        ]
        for n in range(self.buildings):
            if n % _ENCLOSURES == 0:
                found.append({"path": self._enclosure(n // _ENCLOSURES), "name": "试验花园"})
            path = self.building(n)
            gate = f"{path}.g1"
            found.append({"path": path, "name": f"{n + 1}栋", "exits": [gate], "floors": 35})
            found.append({"path": gate, "name": "1号门"})
        return found

    def rows(self, building: int) -> Iterator[dict[str, str]]:
        """The roll of one building as rows of the import."""
        path = self.building(building)
        for n in range(RESIDENTS):
            number = building * RESIDENTS + n
            household = n * HOUSEHOLDS // RESIDENTS
            floor = household // _PER_FLOOR + 1
            yield {
                "building": path,
                "unit": "",
                "room": f"r{floor:02d}{household % _PER_FLOOR + 1:02d}",
                "floor": str(floor),
                "household": f"{building}-{household}",
                "name": forms.person_name(number),
                "gender": forms.gender(number),
                "birth_on": forms.birth_day(number).isoformat(),
                "document_type": "resident_id",
                "document_number": forms.document_number(number),
                "phone": f"138{number:08d}",
                "kind": "usual",
                "needs": "elderly;chronic_medicine" if number % 40 == 0 else "",
                "presence": "present",
                "stays_since": "2019-10-01T00:00:00+08:00",
                "guardian_document_number": "",
            }


def staff(caller: District, town: Town, now: datetime) -> None:
    """One organisation per level above the enclosure, each with three teams on duty."""
    community = forms.community(town.district, 1)
    levels = zip(
        ("city", "district", "street", "community"),
        ("4403", f"4403.{town.district}", community.rpartition(".")[0], community),
        strict=True,
    )
    shift = {"from_at": _text(now - timedelta(days=1)), "until_at": _text(now + timedelta(days=9))}
    for level, place in levels:
        org = f"org-{level}"
        caller.command(
            "dispatch.register_organisation", org_id=org, name=org, level=level, place=place
        )
        caller.command("dispatch.set_responsibility", place=place, org_id=org)
        for n in range(3):
            team = f"team-{level}-{n}"
            caller.command(
                "dispatch.register_team",
                team_id=team,
                org_id=org,
                name=team,
                kind="community",
                roles=_ROLES.split(),
            )
            caller.command("dispatch.set_roster", team_id=team, shifts=[shift])


def _text(instant: datetime) -> str:
    return instant.isoformat()
