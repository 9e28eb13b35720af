"""A building, and valid forms of people who do not exist, for the tests of declaration."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lianfang.testing.pump import Pump

STREET = "4403.nanshan.440305001"
COMMUNITY = f"{STREET}.440305001012"
ENCLOSURE = f"{COMMUNITY}.e01"
GATE = f"{ENCLOSURE}.g1"
BUILDING, OTHER = f"{ENCLOSURE}.b01", f"{ENCLOSURE}.b02"
#: Nine in the morning of 3 February 2020 in Shenzhen.
NOW = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(n: int, born: str = "") -> str:
    """A resident ID that nobody has: an area never assigned, a valid check digit."""
    born = born or f"1980{1 + n // 1000:02d}01"
    body = f"990000{born}{n % 1000:03d}"
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def found(pump: Pump) -> None:
    """Two buildings behind a gate."""
    pump.call(
        "declaration.register_place",
        places=[
            {"path": STREET, "name": "南头街道"},
            {"path": COMMUNITY, "name": "星河社区", "community_type": "commodity_housing"},
            {"path": ENCLOSURE, "name": "星河花园"},
            {"path": GATE, "name": "1号门"},
            {"path": BUILDING, "name": "1栋", "exits": [GATE], "floors": 30},
            {"path": OTHER, "name": "2栋", "exits": [GATE], "floors": 30},
        ],
    )


def leg(**changes: Any) -> dict[str, Any]:
    """A flight that is over."""
    return {
        "mode": "plane",
        "number": "CZ3456",
        "row": 12,
        "from_division": "341000",
        "to_division": "440300",
        "from_text": "黄山",
        "depart_at": "2020-01-30T08:00:00+08:00",
        "arrive_at": "2020-01-30T10:00:00+08:00",
    } | changes


def form(n: int = 1, **changes: Any) -> dict[str, Any]:
    """A full form; a change `basic__phone=…` reaches into a group."""
    made: dict[str, Any] = {
        "basic": {
            "name": f"申报人{n}",
            "document_type": "resident_id",
            "document_number": number(n),
            "nationality": "CHN",
            "phone": f"1380000{n:04d}",
        },
        "person_type": {
            "type": "returning",
            "legs": [leg()],
            "emergency_contact": "联系人甲",
            "emergency_phone": "13900001111",
        },
        "health": {"temperature": 36.5, "symptoms": ["fatigue"], "contact_claims": []},
        "residence": {"building": BUILDING, "room": "r0101", "floor": 1, "tenure": "owner"},
        "other": {
            "workplace": "某科技有限公司",
            "plate": "粤B12345",
            "needs": ["pet"],
            "statement_version": "2020-02",
            "statement_agreed": True,
        },
    }
    for field, value in changes.items():
        group, _, name = field.partition("__")
        if name:
            made[group][name] = value
        else:
            made[group] = value
    return made


def row(n: int = 1, **changes: str) -> dict[str, str]:
    """A row of the residents' roll."""
    return {
        "building": BUILDING,
        "room": "r0101",
        "floor": "1",
        "household": "h1",
        "name": f"住户{n}",
        "document_type": "resident_id",
        "document_number": number(n),
        "phone": f"1380000{n:04d}",
        "presence": "present",
        "needs": "elderly;pet",
        "stays_since": "2019-10-01T00:00:00+08:00",
    } | changes


def submit(pump: Pump, *forms: dict[str, Any]) -> list[dict[str, Any]]:
    """Declare; the answers."""
    taken: list[dict[str, Any]] = pump.call("declaration.submit_declarations", forms=list(forms))[
        "declarations"
    ]
    return taken


def load(pump: Pump, *rows: dict[str, str], first: int = 1, name: str = "file") -> dict[str, Any]:
    """Import rows of the roll; the report."""
    report: dict[str, Any] = pump.call(
        "declaration.import_residents", import_id=name, first_row=first, rows=list(rows)
    )
    return report
