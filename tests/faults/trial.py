"""What the parts with broken servers and services have in common: the load, and the verdict."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lianfang.client import District
from lianfang.testing.servers import Servers
from tests.faults.accounts import settle
from tests.faults.load import Load, Size
from tests.faults.outcome import Outcome
from tests.faults.parts import Say
from tests.faults.rig import FaultDistrict

#: Seconds after the last fault within which nothing is on its way any more.
QUIET_WITHIN = 120.0


@dataclass
class Trial:
    """A district under load, and what was done to it so far."""

    district: FaultDistrict
    load: Load
    chance: random.Random
    say: Say
    faults: int = 0
    #: Seconds until the system worked again, fault by fault.
    recoveries: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def recovered(self, what: str, seconds: float, within: float) -> None:
        """One more fault, and how long it was felt."""
        self.faults += 1
        self.recoveries.append(seconds)
        if seconds > within:
            self.broken.append(f"{what}: back after {seconds:.1f} s, not within {within:.0f} s")


def under_load(
    part: str,
    servers: Servers,
    size: Size,
    seed: int,
    say: Say,
    do: Callable[[Trial], None],
) -> Outcome:
    """Let declarations flow, `do` what the part does, wait for rest, and judge."""
    district = FaultDistrict(servers, part)
    try:
        say("preparing a district")
        district.prepare()
        with district.supervised() as caller:
            load = Load(district, size, seed)
            trial = Trial(district, load, random.Random(seed), say)
            patients = load.found(caller)
            with load.flowing(patients):
                do(trial)
                say(f"{size.declarations:,} declarations")
                load.wait_until_taken()
            say("everything comes to rest")
            return _judge(part, trial, caller)
    finally:
        district.erase()
        district.client.close()


def _judge(part: str, trial: Trial, caller: District) -> Outcome:
    district, callers = trial.district, trial.load.callers
    quiet = district.settle(caller)
    if quiet > QUIET_WITHIN:
        trial.broken.append(f"at rest only after {quiet:.0f} s")
    district.note_counters(*district.services)
    seen = district.seen
    account = settle(district, callers.receipts, trial.load.ledger)
    broken = [*trial.broken, *callers.refused, *account.broken, *district.unplanned()]
    return Outcome(
        part=part,
        faults=trial.faults,
        acknowledged=trial.load.acknowledged,
        lost=account.lost,
        # At least: what came again and was known to the inbox as well is counted once.
        duplicates_delivered=max(seen["redelivered"], seen["duplicates"]) + seen["repeated"],
        duplicate_effects=account.twice,
        recovery_s=round(max(trial.recoveries), 1) if trial.recoveries else None,
        broken=tuple(broken),
        figures={
            "cases": len(callers.receipts) - len(trial.load.taken()),
            "orders": district.database("isolation").orders.estimated_document_count(),
            "tasks": district.database("dispatch").tasks.estimated_document_count(),
            **trial.figures,
            **seen,
            "sent again by callers": callers.repeats,
            "at rest after s": round(quiet, 1),
        },
    )
