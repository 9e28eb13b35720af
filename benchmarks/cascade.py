"""The main job: a roll is imported, cases are confirmed, buildings sealed, lists opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import bare, lists, roll, seals
from benchmarks.town import Town, staff
from lianfang.client import District
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.pace import morning, set_clock, wait_until_idle
from lianfang.testing.processes import Child
from lianfang.testing.servers import Servers

_NAME = "benchcascade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    buildings: int
    seals: int
    records: int


FULL = Size(buildings=50, seals=20, records=300_000)
QUICK = Size(buildings=5, seals=3, records=30_000)


def measure(
    servers: Servers, size: Size, step: Callable[[str], None]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Import, seal, insert bare, list; returns the figures and every raw one."""
    district = PrivateDistrict(servers, _NAME)
    town = Town(_NAME, size.buildings)
    try:
        district.prepare()
        with district.running() as children, district.caller() as caller:
            return _measure(district, town, list(children.values()), caller, size, step)
    finally:
        district.erase()


def _measure(
    district: PrivateDistrict,
    town: Town,
    children: list[Child],
    caller: District,
    size: Size,
    step: Callable[[str], None],
) -> tuple[dict[str, float], dict[str, Any]]:
    now = morning()
    set_clock(caller, now)
    _register(caller, town)
    staff(caller, town, now)
    step(f"import of {size.buildings * 2_000:,} residents")
    imported = roll.measure(caller, town)
    wait_until_idle(caller)
    sealed = seals.measure(district, caller, town, size.seals, step)
    step("insert_many of the same documents")
    inserted = bare.measure(district, sealed.documents)
    peaks = {child.name: round(child.peak_rss_mb(), 1) for child in children}
    step(f"first pages at {size.records:,} records")
    pages = lists.measure(district, caller, town, size.records)
    median, p95 = seals.median_and_p95(sealed.runs)
    figures = {
        "import_100k_s": imported["seconds"],
        "seal_p95_ms": p95,
        "seal_vs_insert_many": median / inserted["median_ms"],
        "list_first_page_ms": max(pages.values()),
        "service_rss_mb_max": max(peaks.values()),
    }
    raw = {
        "import": imported,
        "seals": sealed.runs,
        "insert_many": inserted,
        "first_pages_ms": pages,
        "cascade_peak_rss_mb": peaks,
    }
    return figures, raw


def _register(caller: District, town: Town) -> None:
    caller.command("declaration.register_place", places=town.places())
