"""One service's clock is an hour ahead, then an hour behind, then right again.

Around midnight, for then an hour decides what is due: the rounds of the day open, seals and orders
end. Claims, deadlines and timers have to bear it, and what a clock ahead has done early must not be
done again by the right one.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks import forms
from benchmarks.town import Town, staff
from lianfang.client import District
from lianfang.testing.district import SERVICES, PrivateDistrict, service_of
from lianfang.testing.pace import morning, set_clock, wait_until_idle
from lianfang.testing.servers import LOCAL, ROOT, Servers
from tests.faults.accounts import Account, duplicates, settle
from tests.faults.askew import Offset
from tests.faults.callers import Command, Receipt
from tests.faults.flow import Flow, found, private_name
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say

HOUR = 3600.0
JUMPS = (HOUR, -HOUR, 0.0)
_PER_SECOND = 5.0
#: Longer than the slowest timer's pause.
_TIMERS_LOOK = 2.5
_FLOW_SECONDS = 30.0
_HOUSEHOLDS = 6
_CASE = "the-case"
_DAYS = 14
#: From one in the morning on.
_HALF_PAST_ELEVEN, _AFTER_MIDNIGHT = (
    timedelta(hours=22, minutes=30),
    timedelta(hours=23, minutes=40),
)
#: Whose clocks jump in which night; in the last one seals end.
_NIGHTS = {
    Scale.SHORT: (("dispatch", "declaration"), ("isolation",)),
    Scale.LONG: (SERVICES, SERVICES, ("dispatch",), ("isolation",), SERVICES),
}


class AskewDistrict(PrivateDistrict):
    """Each of its processes has a clock of its own."""

    def __init__(self, servers: Servers, name: str) -> None:
        super().__init__(servers, name)
        self._folder = LOCAL / "clocks" / name
        self._folder.mkdir(parents=True, exist_ok=True)
        self.offsets = {process: Offset(self._file(process)) for process in self.processes}

    def _file(self, process: str) -> Path:
        return self._folder / process

    def command(self, name: str) -> list[str]:
        """The same service, with the clock that the file says."""
        words = [sys.executable, "-m", "tests.faults.askew", service_of(name)]
        return [*words, str(self._file(name))]

    def environment(self, name: str) -> dict[str, str]:
        """The services' own; the tests are on the path too."""
        return {**super().environment(name), "PYTHONPATH": str(ROOT)}

    def erase(self) -> None:
        """Remove everything, the clocks too."""
        super().erase()
        for offset in self.offsets.values():
            offset.seconds = 0.0


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Let clocks jump around midnights under load."""
    district = AskewDistrict(servers, private_name("clock"))
    try:
        district.prepare()
        with district.running() as children, district.caller() as caller:
            part = _Part(district, caller, Flow(district, _PER_SECOND, seed), say)
            part.play(_NIGHTS[scale])
            part.broken += [f"{c.name} died" for c in children.values() if not c.alive]
            return part.judge()
    finally:
        district.erase()
        district.client.close()


class _Part:
    def __init__(self, district: AskewDistrict, caller: District, flow: Flow, say: Say) -> None:
        self._district, self._caller, self._flow, self._say = district, caller, flow, say
        self._day = morning()
        self.jumps = 0
        self.longest = 0.0
        self.broken: list[str] = []

    def play(self, nights: Sequence[Sequence[str]]) -> None:
        """A sealed building; in each night the clocks of some services jump."""
        self._say("a building is sealed")
        self._at(timedelta())
        self._seal()
        with self._flow:
            for n, services in enumerate(nights):
                # The last night is the seal's last.
                if n == len(nights) - 1:
                    self._day += timedelta(days=_DAYS - 1 - n)
                self._night(services)
                self._day += timedelta(days=1)
        self._say("everything comes to rest")
        wait_until_idle(self._caller)

    def _at(self, after_morning: timedelta) -> None:
        set_clock(self._caller, self._day + after_morning)

    def _night(self, services: Sequence[str]) -> None:
        self._at(_HALF_PAST_ELEVEN)
        for service in services:
            for seconds in JUMPS:
                self._say(f"{service} is {seconds / HOUR:+.0f} h wrong")
                self._district.offsets[service].seconds = seconds
                self.jumps += 1
                self._flow.wait(_TIMERS_LOOK)
                self._note(service, self._flow.seconds())
        self._at(_AFTER_MIDNIGHT)
        self._flow.wait(_TIMERS_LOOK)

    def _note(self, service: str, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        if seconds > _FLOW_SECONDS:
            self.broken.append(f"{service}'s clock: no flow for {seconds:.1f} s")

    def _seal(self) -> None:
        caller, name = self._caller, self._district.name
        found(caller, name)
        staff(caller, Town(name, 0), self._day)
        building = forms.buildings(name)[0]
        answer = caller.command(
            "declaration.register_residents",
            building=building,
            residents=list(_residents(building)),
        )
        wait_until_idle(caller)
        decision = {"classification": "confirmed", "basis": "positive", "decided_by": "Dr Invented"}
        confirm = Command(
            "screening.confirm_case",
            {"person_id": answer["residents"][0]["person_id"], **decision},
        )
        case = caller.command(confirm.method, request_id=_CASE, **confirm.document)
        self._flow.receipts.append(Receipt(_CASE, confirm, case))
        wait_until_idle(caller)
        seal = caller.query("isolation.get_seal", building=building)["seal_id"]
        caller.command("isolation.order_seal", seal_id=seal, decided_by="Officer Invented")
        caller.command("isolation.approve_seal", seal_id=seal, decided_by="Officer Second")
        wait_until_idle(caller)

    def judge(self) -> Outcome:
        """Compare receipts and state, and count what only a clock brings about."""
        account = settle(self._district, self._flow.receipts, self._flow.ledger)
        effects = self._effects(account)
        came_again = duplicates(self._district)
        return Outcome(
            part="clock",
            faults=self.jumps,
            acknowledged=account.acknowledged,
            lost=account.lost,
            duplicates_delivered=came_again["redelivered"] + came_again["commands repeated"],
            duplicate_effects=account.twice,
            recovery_s=round(self.longest, 1),
            broken=(*self.broken, *self._flow.refused, *account.broken),
            figures={**effects, **came_again},
        )

    def _effects(self, account: Account) -> dict[str, int]:
        """Rounds by kind, slot, day and scope; ends of seals; climbs of tasks: each once."""
        dispatch = self._district.database("dispatch")
        rounds = Counter(
            f"{row['scope_id']} {row['kind']} {row['slot']} {row['on']}"
            for row in dispatch.rounds.find()
        )
        climbs = Counter(
            f"{row['_id']} {climb['to_level']}"
            for row in dispatch.tasks.find()
            for climb in row["level_history"]
        )
        due = Counter(
            row["subject"]
            for row in self._district.database("journal").events.find({"type": "release.due"})
        )
        effects = {"rounds": rounds, "climbs": climbs, "releases due": due}
        for what, counted in effects.items():
            account.compare(what, Counter(counted.keys()), counted)
            if not counted:
                self.broken.append(f"no {what}: nothing was tested")
        return {what: counted.total() for what, counted in effects.items()}


def _residents(building: str) -> Iterator[dict[str, Any]]:
    for n in range(2 * _HOUSEHOLDS):
        yield {
            "room": f"r{n // 2 + 1:04d}",
            "household": f"home-{n // 2}",
            "name": forms.person_name(n),
            "document_type": "resident_id",
            "document_number": forms.document_number(500_000 + n),
            "stays_since": "2019-10-01T00:00:00+08:00",
        }
