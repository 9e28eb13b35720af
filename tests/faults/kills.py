"""Services killed at random under load, while cases are confirmed and their cascades run."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lianfang.testing.servers import Servers
from tests.faults.load import Size
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.trial import Trial, under_load

#: Seconds within which a killed service is ready again.
BACK_WITHIN = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many kills, spread evenly over the declarations of the load."""

    kills: int
    size: Size


PLANS = {
    Scale.SHORT: Plan(kills=8, size=Size(declarations=500, per_second=30, patients=2)),
    Scale.LONG: Plan(kills=200, size=Size(declarations=20_000, per_second=30, patients=30)),
}


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Kill, then judge."""
    plan = PLANS[scale]

    def kill(trial: Trial) -> None:
        district = trial.district
        with ThreadPoolExecutor(len(district.services)) as watchers:
            coming = []
            for n in range(plan.kills):
                say(f"kill {n + 1} of {plan.kills}")
                name = trial.chance.choice(district.services)
                district.wait_until_ready(name)
                at = time.monotonic()
                district.kill(name)
                coming.append((name, watchers.submit(_seconds_until_back, trial, name, at)))
                trial.load.wait_until_taken((n + 1) / plan.kills)
            for name, seconds in coming:
                trial.recovered(name, seconds.result(), BACK_WITHIN)

    return under_load("kills", servers, plan.size, seed, say, kill)


def _seconds_until_back(trial: Trial, name: str, killed_at: float) -> float:
    trial.district.wait_until_ready(name)
    return time.monotonic() - killed_at
