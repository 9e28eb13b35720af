"""Services asked to end under load: each finishes what it has, and nothing comes twice."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.faults.deliveries import traced
from tests.faults.kills import BACK_WITHIN
from tests.faults.load import Size
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.servers import FaultServers
from tests.faults.trial import Trial, under_load

#: Seconds within which a service that is asked to end has ended.
STOP_WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often each service is restarted, and the load meanwhile."""

    rounds: int
    size: Size


PLANS = {
    Scale.SHORT: Plan(rounds=2, size=Size(declarations=300, per_second=40)),
    Scale.LONG: Plan(rounds=50, size=Size(declarations=10_000, per_second=40, patients=20)),
}


def run(servers: FaultServers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Restart, then judge."""
    plan = PLANS[scale]

    def restart(trial: Trial) -> None:
        with traced(servers.broker, trial.district) as deliveries:
            _restart_all(trial, plan.rounds, say)
            trial.load.wait_until_taken()
        trial.figures |= {
            "delivered": deliveries.delivered.total(),
            "put back by the broker, never delivered before": (
                deliveries.flagged.total() - deliveries.again.total()
            ),
        }
        trial.broken += [
            f"{n} messages of {queue} came again" for queue, n in deliveries.again.items() if n
        ]

    return under_load("restarts", servers, plan.size, seed, say, restart)


def _restart_all(trial: Trial, rounds: int, say: Say) -> None:
    """Each service in turn, in an order drawn anew each round."""
    district, stops = trial.district, []
    for n in range(rounds):
        for name in trial.chance.sample(district.services, len(district.services)):
            say(f"restart {n + 1} of {rounds}: {name}")
            stops.append(district.ask_to_end(name))
            if stops[-1] > STOP_WITHIN:
                trial.broken.append(f"{name} ended after {stops[-1]:.1f} s")
            ended = time.monotonic()
            district.wait_until_ready(name)
            trial.recovered(name, time.monotonic() - ended, BACK_WITHIN)
    trial.figures["slowest stop, s"] = round(max(stops), 1)
