"""The broker killed, stopped, and out of memory and disk, under load."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from tests.faults.load import Size
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.servers import FaultServers
from tests.faults.trial import Trial, under_load

#: Seconds after the broker is back within which declarations are taken and assessed again.
FLOW_WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many kills, and for how many seconds it is stopped and short of memory and of disk."""

    kills: int
    stopped_s: float
    alarmed_s: float
    size: Size


PLANS = {
    Scale.SHORT: Plan(
        kills=1, stopped_s=0.0, alarmed_s=2.0, size=Size(declarations=300, per_second=30)
    ),
    Scale.LONG: Plan(
        kills=20,
        stopped_s=60.0,
        alarmed_s=60.0,
        size=Size(declarations=10_000, per_second=30, patients=10),
    ),
}


def run(servers: FaultServers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Break the broker, then judge."""
    plan = PLANS[scale]
    node = servers.broker

    def kill_and_start() -> None:
        node.kill()
        node.start()

    def stop_and_start() -> None:
        node.stop_app()
        Event().wait(plan.stopped_s)
        node.start_app()

    def alarmed(begin: Callable[[], None], end: Callable[[], None]) -> Callable[[], None]:
        def act() -> None:
            begin()
            Event().wait(plan.alarmed_s)
            end()

        return act

    def break_it(trial: Trial) -> None:
        for n in range(plan.kills):
            say(f"broker kill {n + 1} of {plan.kills}")
            _flows_again(trial, f"broker kill {n + 1}", kill_and_start)
            trial.load.wait_until_taken((n + 1) / plan.kills)
        if plan.stopped_s:
            say("broker stopped")
            _flows_again(trial, "broker stopped", stop_and_start)
        say("memory alarm")
        _flows_again(trial, "memory alarm", alarmed(node.alarm_memory, node.clear_memory))
        say("disk alarm")
        _flows_again(trial, "disk alarm", alarmed(node.alarm_disk, node.clear_disk))

    return under_load("broker", servers, plan.size, seed, say, break_it)


def _flows_again(trial: Trial, what: str, fault: Callable[[], None]) -> None:
    """Do it, and measure from its end until a declaration is taken and assessed."""
    fault()
    trial.recovered(what, trial.load.wait_for_flow(time.monotonic()), FLOW_WITHIN)
