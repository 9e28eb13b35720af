"""Every twentieth answer of broker and database is lost after what it answers was done.

The worst kind of doubt: whoever asked sees a broken connection, and what it asked has happened.
Everything that repeats itself is put to the test at once: transactions, commits, the outbox,
confirms, acknowledgements, and callers under their request ids.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks import forms
from lianfang.client import District
from lianfang.client.district import DEADLINE
from lianfang.client.ledger import Ledger
from lianfang.testing.district import SERVICES
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.servers import Servers
from tests.faults.accounts import duplicates, settle
from tests.faults.callers import Callers, Command, Story
from tests.faults.flow import found, ledger_of, noted, private_name
from tests.faults.frames import Amqp
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.proxy import Proxies, Proxy
from tests.faults.wire import GOOD, Wire
from tests.faults.wired import WiredDistrict

COMMANDS = {Scale.SHORT: 300, Scale.LONG: 10_000}
_RATE = 0.05
#: A declarant's commands and a patient's; of ten stories one is a patient's.
_PER_DECLARANT, _PER_PATIENT, _PATIENT_EVERY = 3, 3, 10
_MEDIC, _SECOND = "Dr Invented", "Dr Second"
_HOMES = 10
#: A driver that lost an answer asks nothing for half a second; more processes keep up the pace.
_MORE = {
    Scale.SHORT: ("declaration-2", "declaration-3"),
    Scale.LONG: (*(f"declaration-{n}" for n in range(2, 7)), "screening-2", "screening-3"),
}
_CALLERS = {Scale.SHORT: 12, Scale.LONG: 24}


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Send the commands over failing wires, then compare the state with the receipts."""
    return play(servers, scale, COMMANDS[scale], seed, say)


def play(servers: Servers, scale: Scale, commands: int, seed: int, say: Say) -> Outcome:
    """The part with so many commands."""
    processes = (*SERVICES, *_MORE[scale])
    stories = -(-commands // _PER_DECLARANT)
    with Proxies() as proxies:
        name = private_name("doubt")
        district = WiredDistrict(servers, name, processes, proxies, seed)
        try:
            district.prepare()
            with district.running() as children, district.caller() as caller:
                say("a town without faults")
                patients = _found(caller, name, stories // _PATIENT_EVERY + 1)
                door = proxies.before(servers.amqp_host, Amqp(of_caller=True), seed - 1)
                uri = district.operator_uri.replace(servers.amqp_host, door.address)
                say(f"{commands} commands")
                started = time.monotonic()
                with Ledger(ledger_of(name)) as ledger:
                    told = _stories(name, stories, patients, seed)
                    callers = Callers(
                        uri, told, _CALLERS[scale], heard=noted(ledger, name), patience=DEADLINE
                    )
                    _fail(district, door, callers)
                seconds = time.monotonic() - started
                say("everything comes to rest")
                wait_until_idle(caller)
                alive = [child.name for child in children.values() if not child.alive]
                broken = [f"{child} died" for child in alive]
                return _judge(district, callers, door, seconds, broken)
        finally:
            district.erase()
            district.client.close()


def _fail(district: WiredDistrict, door: Proxy, callers: Callers) -> None:
    failing = Wire(lost_answers=_RATE)
    district.become(failing)
    door.wire = failing
    with callers:
        callers.join()
    district.become(GOOD)
    door.wire = GOOD


def _found(caller: District, district: str, patients: int) -> list[str]:
    """Places, and persons who declared before anything fails; returns these."""
    found(caller, district)
    homes = forms.buildings(district)[-_HOMES:]
    chance = random.Random(0)
    wanted = [forms.form(n, homes[n % _HOMES], 0, n, chance) for n in range(patients)]
    persons = []
    for start in range(0, patients, forms.CALL):
        answer = caller.command(
            "declaration.submit_declarations", forms=wanted[start : start + forms.CALL]
        )
        persons += [taken["person_id"] for taken in answer["declarations"]]
    wait_until_idle(caller)
    return persons


def _stories(
    district: str, count: int, patients: list[str], seed: int
) -> Iterator[tuple[str, Story]]:
    chance = random.Random(seed)
    homes = forms.buildings(district)[:-_HOMES]
    waiting = iter(patients)
    for n in range(count):
        if n % _PATIENT_EVERY == _PATIENT_EVERY - 1:
            yield f"p{n}", _patient(next(waiting))
        else:
            number = len(patients) + n
            form = forms.form(number, homes[n % len(homes)], n, n % forms.CALL, chance)
            yield f"d{n}", _declarant(form)


def _declarant(form: dict[str, Any]) -> Story:
    """Declares, is asked for a correction, declares again."""
    taken = yield Command("declaration.submit_declaration", {"form": form})
    asked = {"declaration_id": taken["declaration_id"], "reason": "the flight is not complete"}
    yield Command("declaration.request_correction", asked)
    corrected = form | {"health": form["health"] | {"temperature": 36.6}}
    yield Command("declaration.submit_declarations", {"forms": [corrected]})


def _patient(person_id: str) -> Story:
    """Is suspected, confirmed, and then it was nothing."""
    report = {"person_id": person_id, "basis": "fever", "reported_by": _MEDIC}
    case = yield Command("screening.report_case", report)
    decision = {"classification": "confirmed", "basis": "positive, twice", "decided_by": _MEDIC}
    yield Command("screening.confirm_case", {"case_id": case["case_id"], **decision})
    discard = {"reason": "another person's tube", "decided_by": _MEDIC, "second_signature": _SECOND}
    yield Command("screening.discard_case", {"case_id": case["case_id"], **discard})


def _judge(
    district: WiredDistrict, callers: Callers, door: Proxy, seconds: float, broken: list[str]
) -> Outcome:
    account = settle(district, callers.receipts, ledger_of(district.name))
    came_again = duplicates(district)
    wires = [*district.wires, door]
    lost = sum(wire.lost for wire in wires)
    delivered = came_again["redelivered"] + came_again["commands repeated"]
    broken += callers.refused + account.broken
    broken += [f"{text} is 0: nothing was tested" for text, n in _needed(lost, delivered) if not n]
    return Outcome(
        part="execute-then-fail",
        faults=lost,
        acknowledged=account.acknowledged,
        lost=account.lost,
        duplicates_delivered=delivered,
        duplicate_effects=account.twice,
        broken=tuple(broken),
        figures={
            "answers": sum(wire.answers for wire in wires),
            "answers lost": lost,
            "commands": dict(Counter(r.command.method for r in callers.receipts)),
            "sent again by callers": callers.repeats,
            "seconds": round(seconds, 1),
            **came_again,
        },
    )


def _needed(lost: int, delivered: int) -> list[tuple[str, int]]:
    return [("answers lost", lost), ("duplicates delivered", delivered)]
