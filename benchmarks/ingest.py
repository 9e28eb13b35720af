"""Ingest: three contenders through the same door, interleaved, and ours once more at scale.

The median of the runs counts. Ours at a million stored residents runs in the same rounds, so that
growth compares neighbours in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from statistics import median

from benchmarks import forms, stock
from benchmarks.door import pour
from benchmarks.references import Target, reference
from lianfang.testing.district import INGEST, PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.servers import Servers

#: What a declaration leaves in every journal: it was submitted, and it was assessed.
_KINDS = ("declaration.submitted", "declaration.assessed")
EVENTS_PER_DECLARATION = len(_KINDS)
SMALL, LARGE = 10_000, 1_000_000
#: Declarants are numbered from here, beyond every stored resident.
_FIRST_DECLARANT = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    declarations: int = 20_000
    runs: int = 3
    large: int = LARGE


@dataclass(slots=True)
class Runs:
    """Every run of every contender, in the order in which they ran."""

    size: Size
    all: list[dict[str, object]] = field(default_factory=list)

    def seconds(self, contender: str) -> float:
        """The median duration of a contender's runs."""
        return median(float(str(r["seconds"])) for r in self.all if r["contender"] == contender)

    def figures(self) -> dict[str, float]:
        """The ratios, from medians."""
        ours = self.seconds("ours")
        peaks = [
            float(str(mb))
            for run in self.all
            if str(run["contender"]).startswith("ours")
            for mb in dict(run["peak_rss_mb"]).values()  # type: ignore[call-overload]
        ]
        return {
            "ingest_vs_plain_nameko": self.seconds("plain_nameko") / ours,
            "ingest_vs_floor": self.seconds("floor") / ours,
            "growth_1m_vs_10k": self.seconds("ours_large") / ours,
            "service_rss_mb_max": max(peaks),
        }


def measure(servers: Servers, size: Size, step: Callable[[str], None]) -> Runs:
    """Run every contender `size.runs` times; `step` is told before each piece of work."""
    runs = Runs(size)
    step("loading a million residents")
    large = PrivateDistrict(servers, "benchlarge", INGEST)
    try:
        _found(large, size.large)
        for round_number in range(size.runs):
            for name in ("plain_nameko", "floor"):
                step(f"ingest {round_number + 1}/{size.runs}: {name}")
                with reference(servers, name) as target:
                    runs.all.append(_run(name, round_number, target, size))
            step(f"ingest {round_number + 1}/{size.runs}: ours")
            with _small_district(servers) as small, _running(small) as target:
                runs.all.append(_run("ours", round_number, target, size, small))
            step(f"ingest {round_number + 1}/{size.runs}: ours at {size.large:,} residents")
            with _running(large) as target:
                runs.all.append(_run("ours_large", round_number, target, size, large))
    finally:
        large.erase()
    return runs


@contextmanager
def _small_district(servers: Servers) -> Iterator[PrivateDistrict]:
    district = PrivateDistrict(servers, "benchsmall", INGEST)
    try:
        _found(district, SMALL)
        yield district
    finally:
        district.erase()


@contextmanager
def _running(district: PrivateDistrict) -> Iterator[Target]:
    with district.running() as children:
        journal = district.database("journal").events
        yield Target(
            district.operator_uri, journal.estimated_document_count, list(children.values())
        )


def _found(district: PrivateDistrict, residents: int) -> None:
    """An empty district, its places registered by their own service, its residents loaded."""
    district.prepare()
    with district.running(), district.caller() as caller:
        for places in _chunks(forms.places(district.name), 100):
            caller.command("declaration.register_place", places=places)
        stock.register(caller, district.name)
        wait_until_idle(caller, INGEST)
    stock.load(district, residents)


def _chunks(items: list[dict[str, object]], size: int) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _run(
    contender: str, n: int, target: Target, size: Size, district: PrivateDistrict | None = None
) -> dict[str, object]:
    """One run; complete only when each declaration's two events are in the journal."""
    first = _FIRST_DECLARANT + n * size.declarations
    name = district.name if district else "bench"
    calls = list(forms.calls(name, size.declarations, first))
    expected = EVENTS_PER_DECLARATION * size.declarations
    before = {child.name: child.cpu_seconds() for child in target.children}
    kept = _kept(district) if district else {}
    poured = pour(target.amqp_uri, calls, target.journal_count, expected)
    if district:
        _check_kept(district, kept, size.declarations)
    return {
        "contender": contender,
        "run": n + 1,
        "declarations": size.declarations,
        "per_second": round(size.declarations / poured.seconds, 1),
        **asdict(poured),
        "cpu_seconds": {
            c.name: round(c.cpu_seconds() - before[c.name], 2) for c in target.children
        },
        "peak_rss_mb": {c.name: round(c.peak_rss_mb(), 1) for c in target.children},
    }


def _kept(district: PrivateDistrict) -> dict[str, int]:
    events = district.database("journal").events
    return {kind: events.count_documents({"type": kind}) for kind in _KINDS}


def _check_kept(district: PrivateDistrict, before: dict[str, int], declarations: int) -> None:
    """Each declaration's two events, once each.

    Raises:
        RuntimeError: something was lost or came twice; then no figure counts.
    """
    added = {kind: count - before[kind] for kind, count in _kept(district).items()}
    if set(added.values()) != {declarations}:
        raise RuntimeError(f"{declarations} declarations, in the journal: {added}")
