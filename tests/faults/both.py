"""Broker and primary killed at the same moment, under load."""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.faults.broker import FLOW_WITHIN
from tests.faults.load import Size
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.servers import FaultServers
from tests.faults.trial import Trial, under_load


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How often, and the load meanwhile."""

    kills: int
    size: Size


PLANS = {
    Scale.SHORT: Plan(kills=1, size=Size(declarations=200, per_second=30)),
    Scale.LONG: Plan(kills=10, size=Size(declarations=5_000, per_second=20, patients=10)),
}


def run(servers: FaultServers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Kill both, then judge."""
    plan = PLANS[scale]
    node, replicas = servers.broker, servers.replica_set

    def kill(trial: Trial) -> None:
        for n in range(plan.kills):
            say(f"both, {n + 1} of {plan.kills}")
            replicas.wait_until_whole()
            node.kill()
            killed = replicas.kill_primary()
            node.start()
            replicas.primary()
            replicas.start(killed)
            trial.recovered("both", trial.load.wait_for_flow(time.monotonic()), FLOW_WITHIN)
            trial.load.wait_until_taken((n + 1) / plan.kills)

    return under_load("both", servers, plan.size, seed, say, kill)
