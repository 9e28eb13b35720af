"""The primary of the database killed, asked to step down, and frozen, under load."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import quantiles
from threading import Event

from tests.faults.load import Size
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.servers import FaultServers
from tests.faults.trial import Trial, under_load

#: Seconds after the fault within which declarations are taken and assessed again.
FLOW_WITHIN = 60.0
#: Seconds without a receipt, for 95 of 100 faults of a kind; elections take two.
SILENCE_P95 = {"kill": 8.0, "step-down": 8.0, "freeze": 20.0}
_FEW = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often each is done, how long a freeze lasts, and the load meanwhile."""

    kills: int
    step_downs: int
    freezes: int
    frozen_s: float
    size: Size


PLANS = {
    Scale.SHORT: Plan(
        kills=1, step_downs=1, freezes=1, frozen_s=0.0, size=Size(declarations=300, per_second=30)
    ),
    Scale.LONG: Plan(
        kills=20,
        step_downs=20,
        freezes=10,
        frozen_s=15.0,
        size=Size(declarations=10_000, per_second=20, patients=10),
    ),
}


def run(servers: FaultServers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Break the primary, in an order that is drawn, then judge."""
    plan = PLANS[scale]
    replicas = servers.replica_set

    def kill() -> None:
        killed = replicas.kill_primary()
        replicas.primary()
        replicas.start(killed)

    def step_down() -> None:
        replicas.step_down()
        replicas.primary()

    def freeze() -> None:
        with replicas.frozen_primary():
            replicas.primary()
            Event().wait(plan.frozen_s)

    faults: dict[str, Callable[[], None]] = {"kill": kill, "step-down": step_down, "freeze": freeze}
    counts = {"kill": plan.kills, "step-down": plan.step_downs, "freeze": plan.freezes}

    def break_it(trial: Trial) -> None:
        silences: dict[str, list[float]] = {kind: [] for kind in faults}
        kinds = [kind for kind, n in counts.items() for _ in range(n)]
        trial.chance.shuffle(kinds)
        for n, kind in enumerate(kinds, 1):
            say(f"primary: {kind}, {n} of {len(kinds)}")
            replicas.wait_until_whole()
            at = time.monotonic()
            faults[kind]()
            trial.recovered(kind, trial.load.wait_for_flow(time.monotonic()), FLOW_WITHIN)
            silences[kind].append(trial.load.longest_silence(at))
            trial.load.wait_until_taken(n / len(kinds))
        replicas.wait_until_whole()
        _judge(trial, silences)

    return under_load("mongo", servers, plan.size, seed, say, break_it)


def _judge(trial: Trial, silences: dict[str, list[float]]) -> None:
    for kind, seconds in silences.items():
        p95 = quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
        trial.figures[f"silence after a {kind}, p95 s"] = round(p95, 1)
        if len(seconds) >= _FEW and p95 > SILENCE_P95[kind]:
            trial.broken.append(f"{kind}: p95 of the silence {p95:.1f} s")
