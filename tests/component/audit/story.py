"""A small district to which everything happened once, so that every invariant has something to see.

Every answer of a command is noted in a ledger, as a client would.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from lianfang.client.ledger import Ledger
from lianfang.events.declaration import DeclarationSubmitted
from lianfang.testing.pump import Pump
from tests.component.declaration.town import form, leg
from tests.system.town import Town

FLIGHT = {"number": "CZ3456", "depart_at": "2020-02-02T08:00:00+08:00", "arrive_at": None}
_EXPOSURE = {
    "setting": "transport",
    "from_at": "2020-02-02T00:00:00+00:00",
    "until_at": "2020-02-02T02:00:00+00:00",
    "carrier": {"mode": "plane", "number": "CZ3456", "on": "2020-02-02"},
}
_DESK = {
    "category": "close",
    "kind": "workplace",
    "first_exposure_on": "2020-02-01",
    "last_exposure_on": "2020-02-02",
    "basis": "shared desk",
}


class Witnessed(Town):
    """A town whose answers are noted."""

    def __init__(self, pump: Pump, ledger: Path) -> None:
        self._ledger = Ledger(ledger)
        super().__init__(pump)

    def do(self, method: str, **document: Any) -> Any:
        answer = super().do(method, **document)
        receipt = {"caller": Pump.caller, "method": method, "request_id": f"r{self._requests}"}
        self._ledger.note({**receipt, "answer": answer})
        return answer

    def close(self) -> None:
        """Nothing more is noted."""
        self._ledger.close()


def play(pump: Pump, ledger: Path) -> Witnessed:
    """The whole story."""
    town = Witnessed(pump, ledger)
    sealed = town.enclosure("e01")
    first = town.building(f"{sealed}.b01", exits=[f"{sealed}.g1"])
    second, third = town.building(f"{sealed}.b02"), town.building(f"{sealed}.b03")
    office = town.building(f"{sealed}.b09", use="workplace")
    home = [p for room in ("r0101", "r0102", "r0201") for p in town.household(first, room)]
    town.household(first, "r0301", needs=["pet"])
    others = town.household(second, "r0101", size=3)
    _declare(town, third)
    case_id = _confirm(town, home[0], office)
    colleague = {"person_id": others[1], **_DESK}
    town.do("screening.record_contacts", case_id=case_id, contacts=[colleague])
    town.do("screening.record_exposures", case_id=case_id, exposures=[_EXPOSURE])
    none = town.confirm(others[0])
    _visit(town, first, home)
    town.discard(none)
    _return(town, second, others[2])
    _work(town, case_id)
    _park(pump, town, third)
    town.wait(hours=3)
    town.close()
    return town


def _declare(town: Witnessed, building: str) -> None:
    """One passes, one may not leave home, one owes a bed, one has a fever, one moves."""
    forms = [
        form(1, residence__building=building, person_type__legs=[leg(**FLIGHT)]),
        form(2, residence__building=building, residence__room="r0102", health__temperature=36.4),
        form(3, residence__building=building, residence__room="r0103", health__temperature=39.1),
        form(4, residence__building=building, residence__room="r0104"),
    ]
    for one in forms:
        one["health"]["symptoms"] = []
    forms[1]["health"]["stayed_in_key_area"] = True
    forms[3]["health"]["contact_claims"] = [{"kind": "meal", "last_on": "2020-02-02"}]
    town.do("declaration.submit_declarations", forms=forms)
    again = form(1, residence__building=building, person_type__legs=[leg(**FLIGHT)])
    again["residence"]["room"], again["health"]["symptoms"] = "r0109", []
    town.do("declaration.submit_declaration", form=again)


def _confirm(town: Witnessed, person_id: str, office: str) -> str:
    """By a sample that was positive twice; the person lived at home and worked in an office."""
    for n, result in enumerate(("positive_preliminary", "positive_confirmed")):
        row = {
            "sample_id": "s.case",
            "person_ids": [person_id],
            "tube": "single",
            "collected_at": town.at(hours=-20),
            "resulted_at": town.at(hours=-2 + n),
            "result": result,
        }
        town.do("screening.import_results", batch_id=f"b{n}", laboratory_id="lab", results=[row])
    (home,) = town.ask("declaration.find_residents", person_id=person_id)["residents"]
    stays = [
        {"place": home["building"], "last_present_at": town.at(), "use": "residence"},
        {"place": office, "last_present_at": town.at(hours=-15), "use": "workplace"},
    ]
    return town.confirm(person_id, sample_id="s.case", stays=stays)


def _visit(town: Witnessed, building: str, home: list[str]) -> None:
    """Heads are counted, notices served, temperatures and swabs taken."""
    seal = town.seal(building)
    present, absent, feverish = home[3], home[4], home[5]
    household = {p: town.order_of(p)["household_id"] for p in (present, absent, feverish)}  # type: ignore[index]

    def stop(*persons: dict[str, Any], outcome: str = "done") -> dict[str, Any]:
        key = household[persons[0]["person_id"]]
        return {"household_id": key, "outcome": outcome, "persons": list(persons)}

    seal_id = seal["seal_id"]
    found = [
        stop({"person_id": present, "finding": "present"}),
        stop({"person_id": absent, "finding": "absent"}, {"person_id": feverish}),
    ]
    town.record("head_count", seal_id, found)
    doors = sorted({order["household_id"] for order in town.open_orders(seal_id=seal_id)})
    town.record("notice", seal_id, [{"household_id": key, "outcome": "done"} for key in doors])
    (sampling,) = town.rounds(seal_id=seal_id, kind="sampling")
    assert sampling["state"] == "open"
    town.record("sampling", seal_id, [stop({"person_id": present, "sample_id": "s.door"})])
    fever = stop({"person_id": feverish, "temperature": 38.6, "symptoms": ["fever"]})
    round_ = next(r for r in town.rounds(seal_id=seal_id, kind="temperature") if r["slot"] == "am")
    entry = {**fever, "recorded_at": town.at()}
    town.do(
        "dispatch.record_stops", round_id=round_["round_id"], recorded_by="Worker", stops=[entry]
    )
    town.do("isolation.order_seal", seal_id=seal_id, decided_by="Authority")


def _return(town: Witnessed, building: str, person_id: str) -> None:
    """Somebody moves out, and is seen at home again."""
    for presence in ("moved_out", "present"):
        town.wait(minutes=5)
        seen = {"person_id": person_id, "presence": presence, "seen_at": town.at()}
        town.do("declaration.record_presence", building=building, source="gate", sightings=[seen])


def _work(town: Witnessed, case_id: str) -> None:
    """One task is done to its end."""
    (task,) = town.tasks(correlation_id=case_id, kind="terminal_disinfection")
    for step in ("accept_task", "start_task", "complete_task"):
        town.do(f"dispatch.{step}", task_id=task["task_id"], by="Worker")


def _park(pump: Pump, town: Witnessed, building: str) -> None:
    """Somebody else's producer declares from the future: screening parks it."""
    event = DeclarationSubmitted(
        declaration_id="d-future",
        person_id="p-future",
        household_id="h-future",
        building=building,
        person_type="stayed",
        declared_at=town.stage.now + timedelta(days=30),
        statement_version="2020-02",
    )
    pump.publish(event, building)
    pump.settle()
