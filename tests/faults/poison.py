"""Poison among good messages: each is parked for its own reason, and nobody else notices.

The same number of good declarations is sent twice at the same pace: alone, then among the poison.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import forms
from lianfang.client import District
from lianfang.client.ledger import Ledger
from lianfang.runtime.discovery import service_class
from lianfang.runtime.handlers import need_of
from lianfang.testing.district import SERVICES, PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.processes import Child
from lianfang.testing.servers import LOCAL, Servers
from tests.faults.audited import audited
from tests.faults.families import FAMILIES, Poison, Target, poisons
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.rogue import Rogue
from tests.faults.wrong_calls import ask_wrongly

NAME = "poison"
_FORMS = 10
_FIRST = 5_000_000
_VICTIM = "delivery_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Good messages of each half, poison of the second, and good ones a second."""

    good: int
    poison: int
    rate: int


_SIZES = {
    Scale.SHORT: Size(good=400, poison=72, rate=80),
    Scale.LONG: Size(good=10_000, poison=500, rate=80),
}


@dataclass(slots=True)
class Sent:
    """What was sent: declarations by the half they belong to, poison by where it must be found."""

    ledger: Path
    alone: list[str] = field(default_factory=list)
    among: list[str] = field(default_factory=list)
    poison: dict[tuple[str, str], Poison] = field(default_factory=dict)


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Send both halves, ask wrongly, then count."""
    size = _SIZES[scale]
    district = PrivateDistrict(servers, NAME)
    try:
        say("preparing a district")
        district.prepare()
        with district.running() as children, district.caller() as caller:
            sent = Sent(ledger=new_ledger(NAME))
            register_places(caller, district.name)
            say(f"{size.good:,} good messages alone")
            sent.alone = _declare(caller, size, _FIRST, sent.ledger, lambda _: None)
            say(f"{size.good:,} good messages among {size.poison} of poison")
            with Rogue(district.uri_of("journal")) as rogue:
                _send_both(caller, rogue, size, seed, sent)
            say("wrong calls")
            calls, broken = ask_wrongly(district.operator_uri, SERVICES)
            wait_until_idle(caller)
            broken += [*_deaths(children), *audited(district, sent.ledger)]
            peak = max(child.peak_rss_mb() for child in children.values())
            return _outcome(district, sent, calls, broken, peak)
    finally:
        district.erase()
        district.client.close()


def register_places(caller: District, district: str) -> None:
    """Every place that the forms name."""
    places = forms.places(district)
    for start in range(0, len(places), 100):
        caller.command("declaration.register_place", places=places[start : start + 100])


def subscriptions() -> list[Target]:
    """Every subscription of the district, with a type of event that it knows."""
    needs = [sub for name in SERVICES for sub in need_of(service_class(name)).subscriptions]
    return [Target(queue=sub.queue, event_type=sub.event_types[0].strip("#")) for sub in needs]


def _send_both(caller: District, rogue: Rogue, size: Size, seed: int, sent: Sent) -> None:
    coming = poisons(subscriptions(), size.poison, seed)

    def mix(progress: float) -> None:
        while len(sent.poison) < size.poison * progress:
            queue, poison = next(coming)
            rogue.send(queue, poison)
            sent.poison[queue, poison.key] = poison

    sent.among = _declare(caller, size, _FIRST + size.good, sent.ledger, mix)


def _declare(
    caller: District, size: Size, first: int, ledger: Path, between: Callable[[float], None]
) -> list[str]:
    """Declare at the pace of `size`; `between` hears after each call how much is done."""
    receipts: list[str] = []
    pause, started = threading.Event(), time.monotonic()
    for batch in _batches(size.good, first):
        receipts += declare(caller, batch, ledger)
        between(len(receipts) / size.good)
        pause.wait(max(0.0, started + len(receipts) / size.rate - time.monotonic()))
    return receipts


def new_ledger(part: str) -> Path:
    """Where the receipts of a part are kept, outside the system; nothing is in it yet."""
    path = LOCAL / "ledgers" / f"{part}.jsonl"
    path.unlink(missing_ok=True)
    return path


def declare(caller: District, batch: list[dict[str, Any]], ledger: Path) -> list[str]:
    """Declare in one call and keep the receipt; the declarations' ids."""
    request_id = str(uuid4())
    answer = caller.command("declaration.submit_declarations", request_id=request_id, forms=batch)
    with Ledger(ledger) as receipts:
        receipts.note({"request_id": request_id, "answer": answer})
    return [each["declaration_id"] for each in answer["declarations"]]


def _batches(count: int, first: int) -> Iterator[list[dict[str, Any]]]:
    for call in forms.calls(NAME, count, first):
        for start in range(0, len(call), _FORMS):
            yield call[start : start + _FORMS]


# -- what became of it ----------------------------------------------------------------------------


def _deaths(children: dict[str, Child]) -> list[str]:
    return [f"{name} died" for name, child in children.items() if not child.alive]


def _outcome(
    district: PrivateDistrict, sent: Sent, calls: int, broken: list[str], peak_rss_mb: float
) -> Outcome:
    parked = list(district.database("journal").parked.find({}, {"sealed": 0}))
    victims = [row for row in parked if row["reason"] == _VICTIM]
    broken += misparked(sent.poison, [row for row in parked if row["reason"] != _VICTIM])
    latencies, twice, strays = _latencies(district)
    if strays:
        broken.append(f"{strays} verdicts on what nobody declared")
    receipts = [*sent.alone, *sent.among]
    lost = [each for each in receipts if each not in latencies]
    if lost:
        broken.append(f"{len(lost)} declarations without a verdict: {', '.join(lost[:3])}")
    alone = [latencies[each] for each in sent.alone if each in latencies]
    among = [latencies[each] for each in sent.among if each in latencies]
    return Outcome(
        part=NAME,
        faults=len(sent.poison) + calls,
        acknowledged=len(receipts),
        lost=len(lost),
        duplicates_delivered=0,
        duplicate_effects=twice,
        broken=tuple(broken),
        figures={
            "poison": len(sent.poison),
            "parked": len(parked) - len(victims),
            "delivery_limit_victims": len(victims),
            "families": dict(Counter(each.family for each in sent.poison.values())),
            "wrong_calls": calls,
            "peak_rss_mb": round(peak_rss_mb, 1),
            "p99_ms_alone": percentile(alone, 99),
            "p99_ms_among_poison": percentile(among, 99),
            "p50_ms_alone": percentile(alone, 50),
            "p50_ms_among_poison": percentile(among, 50),
        },
    )


def misparked(sent: dict[tuple[str, str], Poison], rows: list[dict[str, Any]]) -> list[str]:
    """Every poison that is not parked where and why it must be, and everything else parked."""
    found = {(row["origin"], row["message_id"]): row["reason"] for row in rows}
    wrong = [
        f"{poison.family} in {queue} was parked as {found.get((queue, key), 'nothing')}, "
        f"not as {poison.reason}"
        for (queue, key), poison in sent.items()
        if found.get((queue, key)) != poison.reason
    ]
    strange = [
        f"{row['message_id']} of {row['origin']} was parked as {row['reason']}: {row['error']}"
        for row in rows
        if (row["origin"], row["message_id"]) not in sent
    ]
    if len(found) != len(rows):
        strange.append(f"{len(rows) - len(found)} are parked twice")
    absent = set(FAMILIES) - {poison.family for poison in sent.values()}
    return [*wrong, *strange, *(f"no poison of the family {name} was sent" for name in absent)]


def _latencies(district: PrivateDistrict) -> tuple[dict[str, float], int, int]:
    """Milliseconds from each declaration to its verdict in the journal.

    Beside them: verdicts too many of one declaration, and those of none.
    """
    events = district.database("journal").events
    submitted = {
        row["_id"]: (row["subject"], row["at"])
        for row in events.find({"type": "declaration.submitted"})
    }
    took: dict[str, float] = {}
    twice = strays = 0
    for row in events.find({"type": "declaration.assessed"}):
        if row["causation_id"] not in submitted:
            strays += 1
            continue
        declaration, at = submitted[row["causation_id"]]
        twice += declaration in took
        took[declaration] = (row["recorded_at"] - at).total_seconds() * 1000
    return took, twice, strays


def percentile(values: list[float], percent: int) -> float | None:
    """The value that so many percent do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1)
