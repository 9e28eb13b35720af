"""Declarations with every group of the form filled in, of people who do not exist.

A call carries what a community workstation would: 100 people of 35 households in ten buildings of
one enclosure.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

CALL = 100
_STREET = "440305001"
_COMMUNITIES = 20
_BUILDINGS = 10
_FLOORS = 150
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华建文辉玲"
_FIRST_BIRTH = date(1935, 1, 1)
_BIRTH_DAYS = 25_000
_SEQUENCES = 999


def document_number(n: int) -> str:
    """The `n`th number that nobody has: an area code never assigned, a valid check digit."""
    born = birth_day(n)
    body = f"990000{born:%Y%m%d}{_sequence(n):03d}"
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


def _sequence(n: int) -> int:
    return n // _BIRTH_DAYS % _SEQUENCES + 1


def gender(n: int) -> str:
    """What the last digit but one of the `n`th document number says."""
    return "male" if _sequence(n) % 2 else "female"


def birth_day(n: int) -> date:
    """The birthday in the `n`th document number."""
    return _FIRST_BIRTH + timedelta(days=n % _BIRTH_DAYS)


def person_name(n: int) -> str:
    """A common name."""
    return _SURNAMES[n % 20] + _GIVEN[n // 20 % 27] + _GIVEN[n // 540 % 27]


def community(district: str, n: int) -> str:
    """The path of the `n`th community."""
    return f"4403.{district}.{_STREET}.{_STREET}{n:03d}"


def buildings(district: str) -> list[str]:
    """The buildings whose residents declare, by enclosure."""
    return [
        f"{community(district, c)}.e01.b{b:02d}"
        for c in range(1, _COMMUNITIES + 1)
        for b in range(1, _BUILDINGS + 1)
    ]


def places(district: str) -> list[dict[str, Any]]:
    """Every place that the forms name, from the street down."""
    found: list[dict[str, Any]] = [{"path": f"4403.{district}.{_STREET}", "name": "试验街道"}]
    for c in range(1, _COMMUNITIES + 1):
        path = community(district, c)
        found.append({"path": path, "name": f"第{c}社区", "community_type": "commodity_housing"})
        found.append({"path": f"{path}.e01", "name": f"第{c}花园"})
        found.append({"path": f"{path}.e01.g1", "name": "1号门"})
    for path in buildings(district):
        gate = path.rpartition(".")[0] + ".g1"
        found.append({"path": path, "name": f"{path[-2:]}栋", "exits": [gate], "floors": 30})
    return found


def calls(district: str, declarations: int, first: int) -> Iterator[list[dict[str, Any]]]:
    """`declarations` forms of persons from number `first` on, in calls of `CALL`."""
    chance = random.Random(first)
    for start in range(0, declarations, CALL):
        enclosure = start // CALL % _COMMUNITIES
        homes = buildings(district)[enclosure * _BUILDINGS : (enclosure + 1) * _BUILDINGS]
        yield [
            form(first + start + n, homes[n % _BUILDINGS], (first + start) // CALL, n, chance)
            for n in range(min(CALL, declarations - start))
        ]


def form(n: int, building: str, call: int, position: int, chance: random.Random) -> dict[str, Any]:
    """One full form; about three people of a call share a room."""
    floor, flat = call // _COMMUNITIES % _FLOORS + 1, position // 30 + 1
    return {
        "basic": {
            "name": person_name(n),
            "document_type": "resident_id",
            "document_number": document_number(n),
            "gender": gender(n),
            "birth_on": birth_day(n).isoformat(),
            "nationality": "CHN",
            "phone": f"138{n % 10**8:08d}",
        },
        "person_type": {
            "type": "returning",
            "legs": _legs(chance),
            "emergency_contact": person_name(n + 7),
            "emergency_phone": f"139{n % 10**8:08d}",
        },
        "health": {
            "in_home_quarantine_since": "2020-02-01",
            "stayed_in_key_area": chance.random() < 0.05,
            "contact_claims": [],
            "temperature": round(36.0 + chance.random(), 1),
            "symptoms": ["fatigue"] if chance.random() < 0.02 else [],
            "sought_care": False,
            "has_separate_room": True,
        },
        "residence": {
            "building": building,
            "room": f"r{floor:03d}{flat:02d}",
            "floor": floor,
            "kind": "usual",
            "tenure": "owner",
            "since_on": "2018-05-01",
        },
        "other": _other(n),
    }


def _other(n: int) -> dict[str, Any]:
    return {
        "workplace": "某科技有限公司",
        "work_since_on": "2020-02-10",
        "plate": f"粤B{n % 100000:05d}",
        "needs": [],
        "statement_version": "2020-02",
        "statement_agreed": True,
    }


def _legs(chance: random.Random) -> list[dict[str, Any]]:
    """The three legs of the form's own example: there, onward, and home again."""
    day = chance.randint(1, 28)
    trip = [
        ("plane", f"CZ{chance.randint(3000, 3999)}", "440300", "341000", "深圳", "黄山"),
        ("train", f"G{chance.randint(1000, 1999)}", "341000", "441900", "黄山", "东莞"),
        ("coach", f"粤S{chance.randint(10000, 99999)}", "441900", "440300", "东莞", "深圳"),
    ]
    legs = []
    for n, (mode, number, start, end, start_text, end_text) in enumerate(trip):
        leg: dict[str, Any] = {
            "mode": mode,
            "number": number,
            "row": chance.randint(1, 20),
            "from_division": start,
            "to_division": end,
            "from_text": start_text,
            "to_text": end_text,
            "depart_at": f"2020-01-{day:02d}T{8 + 4 * n:02d}:05:00+08:00",
            "arrive_at": f"2020-01-{day:02d}T{11 + 4 * n:02d}:40:00+08:00",
            "planned": False,
        }
        if mode == "train":
            leg["coach"] = f"{chance.randint(1, 16):02d}"
        legs.append(leg)
    return legs
