"""Wires that go silent, break, slow down or end at one end only, while declarations come in.

Nobody is told what happens: heartbeats, confirm timeouts and the driver's monitor have to notice by
themselves, and let go of what is lost. After each fault a declaration must find its whole way again
within half a minute.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lianfang.audit.district import still_queues
from lianfang.client import District
from lianfang.testing.district import INGEST
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.servers import Servers
from tests.faults.accounts import duplicates, settle
from tests.faults.flow import Flow, found, private_name
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.proxy import Proxies, Proxy
from tests.faults.wire import BLACK_HOLE, DEAF, GOOD, MUTE, Line, Wire
from tests.faults.wired import WiredDistrict

#: The longest that a mended wire, or a slow one, may leave the system without flow.
FLOW_SECONDS = 30.0
_PER_SECOND = 10.0
_GHOSTS_SECONDS, _LOOK_EVERY = 60.0, 0.5
_LATE = Wire(up=Line(delay=0.15), down=Line(delay=0.15, jitter=0.05))
_TRICKLE = Wire(up=Line(piece=1), down=Line(piece=1))

Wires = Callable[[WiredDistrict], list[Proxy]]


def _brokers(district: WiredDistrict) -> list[Proxy]:
    return list(district.to_broker.values())


def _databases(district: WiredDistrict) -> list[Proxy]:
    return list(district.to_database.values())


def _all(district: WiredDistrict) -> list[Proxy]:
    return list(district.wires)


def _of_declaration(district: WiredDistrict) -> list[Proxy]:
    return [district.to_broker["declaration"], district.to_database["declaration"]]


def _one_of_each(district: WiredDistrict) -> list[Proxy]:
    """Of each service the server that it hears from most, so that all lose something at once."""
    brokers = [district.to_broker[name] for name in ("screening", "journal")]
    return [*brokers, district.to_database["declaration"]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to which wires, and for how long."""

    name: str
    begin: Callable[[Proxy], object]
    wires: Wires
    seconds: float
    #: The wire still carries everything, so declarations go their way meanwhile too.
    flows: bool = False


def _becomes(wire: Wire) -> Callable[[Proxy], None]:
    def begin(proxy: Proxy) -> None:
        proxy.wire = wire

    return begin


#: Half-open: the servers' ends are gone, new connections are good; only time tells the clients.
_FORGETS = Proxy.forget

FAULTS = {
    Scale.SHORT: (
        Fault("reset", Proxy.reset, _all, 0.5),
        Fault("300 ms late", _becomes(_LATE), _all, 0.5, flows=True),
        Fault("byte by byte", _becomes(_TRICKLE), _of_declaration, 0.5, flows=True),
        Fault("silent brokers, silent database", _becomes(BLACK_HOLE), _one_of_each, 3.0),
    ),
    Scale.LONG: (
        Fault("reset of every wire", Proxy.reset, _all, 0.5),
        Fault("reset of the brokers'", Proxy.reset, _brokers, 0.5),
        Fault("reset of the databases'", Proxy.reset, _databases, 0.5),
        Fault("300 ms late", _becomes(_LATE), _all, 20.0, flows=True),
        Fault("byte by byte", _becomes(_TRICKLE), _all, 20.0, flows=True),
        Fault("silent brokers", _becomes(BLACK_HOLE), _brokers, 40.0),
        Fault("silent databases", _becomes(BLACK_HOLE), _databases, 40.0),
        Fault("silent for a moment", _becomes(BLACK_HOLE), _all, 3.0),
        Fault("brokers that hear nothing", _becomes(DEAF), _brokers, 40.0),
        Fault("brokers that say nothing", _becomes(MUTE), _brokers, 40.0),
        Fault("databases that hear nothing", _becomes(DEAF), _databases, 40.0),
        Fault("databases that say nothing", _becomes(MUTE), _databases, 40.0),
        Fault("half-open brokers", _FORGETS, _brokers, 0.0),
        Fault("half-open databases", _FORGETS, _databases, 0.0),
        Fault("half-open everything", _FORGETS, _all, 0.0),
    ),
}


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Let every fault of the scale happen once under load, in a random order."""
    faults = list(FAULTS[scale])
    random.Random(seed).shuffle(faults)
    with Proxies() as proxies:
        district = WiredDistrict(servers, private_name("wire"), INGEST, proxies, seed)
        try:
            district.prepare()
            with district.running() as children, district.caller() as caller:
                say("places")
                found(caller, district.name)
                part = _Part(district, Flow(district, _PER_SECOND, seed), say)
                part.play(faults)
                say("everything comes to rest")
                _rest(district, caller)
                part.broken += [f"{c.name} died" for c in children.values() if not c.alive]
                return part.judge()
        finally:
            district.erase()
            district.client.close()


def _rest(district: WiredDistrict, caller: District) -> None:
    """Return when nothing is on its way, nor held for a client that is gone without a word.

    The broker takes two heartbeats to notice; until then it keeps what that client had received.
    """
    until = time.monotonic() + _GHOSTS_SECONDS
    while any(q.get("messages_unacknowledged") for q in _queues(district)):
        if time.monotonic() > until:
            break  # the audit names the queue
        time.sleep(_LOOK_EVERY)
    wait_until_idle(caller, INGEST)


def _queues(district: WiredDistrict) -> list[dict[str, Any]]:
    return still_queues(district.servers.administration, district.vhost)


class _Part:
    def __init__(self, district: WiredDistrict, flow: Flow, say: Say) -> None:
        self._district, self._flow, self._say = district, flow, say
        #: Seconds without flow, by fault.
        self.away: dict[str, float] = {}
        self.broken: list[str] = []

    def play(self, faults: list[Fault]) -> None:
        """One fault after the other while declarations come in."""
        with self._flow:
            for fault in faults:
                self._say(fault.name)
                self._suffer(fault)

    def _suffer(self, fault: Fault) -> None:
        wires = fault.wires(self._district)
        for proxy in wires:
            fault.begin(proxy)
        if fault.flows:
            self._note(f"{fault.name}, meanwhile", self._flow.seconds())
        self._flow.wait(fault.seconds)
        for proxy in wires:
            proxy.wire = GOOD
        self._note(fault.name, self._flow.seconds())

    def _note(self, fault: str, seconds: float) -> None:
        self.away[fault] = round(seconds, 1)
        if seconds > FLOW_SECONDS:
            self.broken.append(f"{fault}: no flow for {seconds:.1f} s")

    def judge(self) -> Outcome:
        """Compare receipts and state."""
        account = settle(self._district, self._flow.receipts, self._flow.ledger)
        came_again = duplicates(self._district)
        if not any(came_again.values()):
            self.broken.append("nothing came again: nothing was tested")
        return Outcome(
            part="network",
            faults=len(self.away),
            acknowledged=account.acknowledged,
            lost=account.lost,
            duplicates_delivered=came_again["redelivered"] + came_again["commands repeated"],
            duplicate_effects=account.twice,
            recovery_s=max(self.away.values()),
            broken=(*self.broken, *self._flow.refused, *account.broken),
            figures={"seconds without flow": self.away, **came_again},
        )
