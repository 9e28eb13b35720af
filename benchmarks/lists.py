"""The first page of every list when its collection holds 300,000 records."""

from __future__ import annotations

import random
import time
from statistics import median

import amqp

from benchmarks import copies, forms
from benchmarks.town import Town
from lianfang.client import District
from lianfang.runtime.broker import open_connection
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.topology import EVENTS

#: The list, and the service and collection that it pages through.
LISTS = {
    "declaration.find_places": ("declaration", "places"),
    "declaration.find_residents": ("declaration", "residences"),
    "declaration.find_declarations": ("declaration", "declarations"),
    "screening.find_cases": ("screening", "cases"),
    "screening.find_contacts": ("screening", "contacts"),
    "screening.find_assessments": ("screening", "dossiers"),
    "isolation.find_seals": ("isolation", "seals"),
    "isolation.find_orders": ("isolation", "orders"),
    "dispatch.find_tasks": ("dispatch", "tasks"),
    "dispatch.find_rounds": ("dispatch", "rounds"),
    "journal.find_events": ("journal", "events"),
    "journal.find_parked": ("journal", "parked"),
}
_LOOKS = 5
_PAGE = 50


def measure(
    district: PrivateDistrict, caller: District, town: Town, records: int
) -> dict[str, float]:
    """The median time of each list's first page in milliseconds, the call included."""
    _make_one_of_each(district, caller, town)
    pages: dict[str, float] = {}
    for method, (service, name) in LISTS.items():
        stored = district.database(service)[name]
        copies.fill(stored, records, copies.by_index(stored))
        pages[method] = round(median(_look(caller, method, town) for _ in range(_LOOKS)), 1)
    return pages


def _look(caller: District, method: str, town: Town) -> float:
    place = f"4403.{town.district}"
    scope = {
        "declaration.find_places": {"under": place},
        "declaration.find_residents": {"place": place},
        "screening.find_contacts": {},
        "journal.find_parked": {},
    }.get(method, {"place": place})
    started = time.monotonic()
    caller.query(method, limit=_PAGE, **scope)
    return (time.monotonic() - started) * 1000


def _make_one_of_each(district: PrivateDistrict, caller: District, town: Town) -> None:
    """What the cascade left without any: declarations, assessments, a parked message."""
    building = town.building(town.buildings - 1)
    chance = random.Random(0)
    some = [forms.form(3_000_000 + n, building, 0, n, chance) for n in range(forms.CALL)]
    caller.command("declaration.submit_declarations", forms=some)
    connection = open_connection(district.amqp_uri, "benchmarks")
    garbage = amqp.Message(b"no event", content_type="application/json", message_id="garbage")
    connection.channel().basic_publish(garbage, EVENTS, f"case.confirmed.{building}")
    connection.close()
    wait_until_idle(caller)
