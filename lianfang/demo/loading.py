"""Loads the invented district through the doors that a real one uses: imports, registers, forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from lianfang.client.ledger import Ledger
from lianfang.demo.declarations import DECLARED_AT, Declarant, forms
from lianfang.demo.desk import Desk
from lianfang.demo.district import InventedDistrict
from lianfang.demo.divisions import Division
from lianfang.demo.staff import Organisation

IMPORT_ROWS, FORMS = 1_000, 100
_SUBMIT = "declaration.submit_declarations"
_LONG_AGO = "2019-10-01T00:00:00+08:00"
Step = Callable[[int], None]


def place_rows(district: InventedDistrict, divisions: list[Division]) -> Iterator[dict[str, str]]:
    """Rows of the places' import: the real divisions, then the invented places below them."""
    for division in divisions:
        yield _place(division.path, division.name)
    for enclosure in district.enclosures:
        kind = str(enclosure.community_type)
        yield _place(enclosure.path, enclosure.name, community_type=kind)
        for gate in enclosure.gates:
            yield _place(gate, f"{enclosure.name}{gate.rpartition('.g')[2]}号门")
        for building in enclosure.buildings:
            yield _place(
                building.path,
                building.name,
                use=str(building.use),
                community_type=kind,
                exits=";".join(building.exits),
                floors=str(building.floors),
                grid=f"grid-{building.path[-2:]}",
                shared_facilities="true" if building.shared_facilities else "",
            )
            for path in building.exits:
                yield _place(path, f"{building.name}{path.rpartition('.g')[2]}号出入口")
            for unit in building.units:
                yield _place(f"{building.path}.{unit}", f"{building.name}{unit[1:]}单元")


def _place(path: str, name: str, **facts: str) -> dict[str, str]:
    blank = {"use": "", "community_type": "", "exits": "", "floors": "", "grid": ""}
    return {"path": path, "name": name, **blank, "shared_facilities": "", **facts}


def resident_rows(district: InventedDistrict) -> Iterator[dict[str, str]]:
    """Rows of the residents' import, building by building."""
    for household in district.households:
        for resident in household.residents:
            yield {
                "building": household.building,
                "unit": household.unit,
                "room": household.room,
                "floor": str(household.floor),
                "household": household.key,
                "name": resident.name,
                "gender": "male" if resident.male else "female",
                "birth_on": resident.born_on.isoformat(),
                "document_type": "resident_id",
                "document_number": resident.document_number,
                "phone": resident.phone,
                "kind": "usual",
                "needs": ";".join(resident.needs),
                "presence": "present",
                "stays_since": _LONG_AGO,
                "guardian_document_number": resident.guardian_number,
            }


def load(
    desk: Desk, method: str, import_id: str, rows: Iterator[dict[str, str]], step: Step
) -> dict[str, int]:
    """Import in calls of a thousand rows; the counts of the last answer."""
    first, report = 1, {}
    while chunk := list(islice(rows, IMPORT_ROWS)):
        report = desk.do(method, import_id=import_id, first_row=first, rows=chunk)
        first += len(chunk)
        step(len(chunk))
    return {name: report[name] for name in ("imported", "unchanged", "duplicates", "refused")}


def enlist(desk: Desk, organisations: list[Organisation], step: Step) -> int:
    """Register every organisation with its teams on duty; how many teams."""
    shift = {
        "from_at": (DECLARED_AT - timedelta(days=1)).isoformat(),
        "until_at": (DECLARED_AT + timedelta(days=60)).isoformat(),
    }
    teams = 0
    for organisation in organisations:
        desk.do(
            "dispatch.register_organisation",
            org_id=organisation.org_id,
            name=organisation.name,
            level=str(organisation.level),
            place=organisation.place,
        )
        desk.do("dispatch.set_responsibility", place=organisation.place, org_id=organisation.org_id)
        for team in organisation.teams():
            desk.do("dispatch.register_team", **team)
            desk.do("dispatch.set_roster", team_id=team["team_id"], shifts=[shift])
            teams += 1
        step(1)
    return teams


def send(desk: Desk, declarants: list[Declarant], receipts: Ledger, step: Step) -> list[str]:
    """Send all forms through the door, and keep each receipt; the ids of the declarations."""
    declared: list[str] = []
    for number, chunk in enumerate(forms(declarants, FORMS), 1):
        command = {"method": _SUBMIT, "request_id": f"demo-{desk.run}-{number}"}
        answer: dict[str, Any] = desk.do(**command, forms=chunk)
        receipts.note({**command, "answer": answer})
        declared += [one["declaration_id"] for one in answer["declarations"]]
        step(len(chunk))
    return declared
