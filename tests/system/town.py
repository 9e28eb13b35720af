"""A small invented town on a stage of all five services, played through RPC as a person would.

A stage is the pump (one process, deliveries in the test's hands) or real processes.

Request ids are counted, so two towns that are played alike get the same ids everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from lianfang.vocabulary import Role


class Stage(Protocol):
    """Where the town is played."""

    #: The present instant of all services.
    now: datetime

    def use(self, *names: str) -> None:
        """Take these services, and only these."""

    def call(self, method: str, **document: Any) -> Any:
        """The answer of an RPC method."""

    def settle(self, seed: int | None = None, copies: int = 1) -> int:
        """Return when everything that was said has been heard."""

    def tick(self) -> int:
        """Let every clock settle what is due."""


STREET = "4403.nanshan.440305001"
COMMUNITY = f"{STREET}.440305001012"
#: Morning of 3 February 2020 in Shenzhen.
START = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
SERVICES = ("journal", "declaration", "screening", "isolation", "dispatch")
LONG_AGO = "2019-10-01T00:00:00+00:00"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def document_number(n: int) -> str:
    """A number that nobody has: an area code that was never assigned, a valid check digit."""
    body = f"990000{1950 + n % 50}0{1 + n % 9}1{n % 9 + 1}{n % 1000:03d}"
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True))
    return body + "10X98765432"[total % 11]


class Town:
    """What a test sees of the town."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.use(*SERVICES)
        stage.now = START
        self._requests = 0
        self._persons = 0
        #: How the next `settle` delivers: seed and copies.
        self.delivery: dict[str, Any] = {}
        self._found()

    # -- acting -------------------------------------------------------------------------------

    def do(self, method: str, **document: Any) -> Any:
        """A command, delivered to the end."""
        self._requests += 1
        answer = self.stage.call(method, request_id=f"r{self._requests}", **document)
        self.stage.settle(**self.delivery)
        return answer

    def ask(self, method: str, **document: Any) -> Any:
        """A query."""
        return self.stage.call(method, **document)

    def wait(self, **span: float) -> None:
        """Let time pass, then every clock settle what is due."""
        self.stage.now = self.stage.now + timedelta(**span)
        self.stage.tick()

    def at(self, **span: float) -> str:
        """An instant relative to now, as on the wire."""
        return (self.stage.now + timedelta(**span)).isoformat()

    # -- building -----------------------------------------------------------------------------

    def _found(self) -> None:
        self.do(
            "declaration.register_place",
            places=[
                {"path": STREET, "name": "南头街道"},
                {"path": COMMUNITY, "name": "星河社区", "community_type": "commodity_housing"},
            ],
        )
        for level, place in (
            ("community", COMMUNITY),
            ("street", STREET),
            ("district", "4403.nanshan"),
            ("city", "4403"),
        ):
            self._staff(level, place)

    def _staff(self, level: str, place: str) -> None:
        self.do(
            "dispatch.register_organisation",
            org_id=f"org-{level}",
            name=f"{level} organisation",
            level=level,
            place=place,
        )
        self.do("dispatch.set_responsibility", place=place, org_id=f"org-{level}")
        self.do(
            "dispatch.register_team",
            team_id=f"team-{level}",
            org_id=f"org-{level}",
            name=f"{level} team",
            kind="aid",
            roles=list(Role),
        )
        shift = {"from_at": self.at(days=-1), "until_at": self.at(days=40)}
        self.do("dispatch.set_roster", team_id=f"team-{level}", shifts=[shift])

    def enclosure(self, segment: str, kind: str = "commodity_housing", gates: int = 1) -> str:
        """An enclosure with its gates; returns its path."""
        path = f"{COMMUNITY}.{segment}"
        places = [{"path": path, "name": f"小区{segment}", "community_type": kind}]
        places += [{"path": f"{path}.g{n}", "name": f"{n}号门"} for n in range(1, gates + 1)]
        self.do("declaration.register_place", places=places)
        return path

    def building(self, path: str, exits: Iterable[str] = (), **facts: Any) -> str:
        """A building; returns its path."""
        place = {"path": path, "name": path.rpartition(".")[2], "exits": list(exits), **facts}
        self.do("declaration.register_place", places=[place])
        return path

    def household(self, building: str, room: str, size: int = 2, **facts: Any) -> list[str]:
        """A household of `size` persons in a room; returns their ids."""
        residents = [
            {
                "room": room,
                "household": f"{building}/{room}",
                "name": f"住户{self._persons + n}",
                "document_type": "resident_id",
                "document_number": document_number(self._persons + n),
                "stays_since": LONG_AGO,
                **facts,
            }
            for n in range(1, size + 1)
        ]
        self._persons += size
        return self.register(building, residents)

    def register(self, building: str, residents: list[dict[str, Any]], **more: Any) -> list[str]:
        """Residents as they are found or declared; returns the persons' ids."""
        answer = self.do(
            "declaration.register_residents", building=building, residents=residents, **more
        )
        return [resident["person_id"] for resident in answer["residents"]]

    # -- the story ----------------------------------------------------------------------------

    def confirm(self, person_id: str, **facts: Any) -> str:
        """A medic confirms; returns the case's id."""
        answer = self.do(
            "screening.confirm_case",
            **{
                "person_id": person_id,
                "classification": "confirmed",
                "basis": "positive by RT-PCR, twice",
                "decided_by": "Dr Invented",
                "decided_at": self.at(),
                "onset_on": "2020-02-02",
                **facts,
            },
        )
        case_id: str = answer["case_id"]
        return case_id

    def discard(self, case_id: str) -> None:
        """The case is none."""
        self.do(
            "screening.discard_case",
            case_id=case_id,
            reason="two negatives, the first result was another person's",
            decided_by="Dr Invented",
            second_signature="Dr Second",
        )

    def seal(self, building: str) -> dict[str, Any]:
        """The seal of a building."""
        found: dict[str, Any] = self.ask("isolation.get_seal", building=building)
        return found

    def open_orders(self, **where: Any) -> list[dict[str, Any]]:
        """The orders that stand."""
        found: list[dict[str, Any]] = self.ask(
            "isolation.find_orders", open=True, limit=500, **where
        )["orders"]
        return found

    def measures(self, **where: Any) -> dict[str, int]:
        """How many open orders of each measure."""
        counts: dict[str, int] = {}
        for order in self.open_orders(**where):
            counts[order["measure"]] = counts.get(order["measure"], 0) + 1
        return counts

    def order_of(self, person_id: str) -> dict[str, Any] | None:
        """The one open order of a person."""
        found = self.open_orders(person_id=person_id)
        assert len(found) <= 1
        return found[0] if found else None

    def roll(self, seal_id: str) -> dict[str, dict[str, Any]]:
        """A seal's roll by person."""
        entries = self.ask("isolation.get_seal_roll", seal_id=seal_id)["entries"]
        return {entry["person_id"]: entry for entry in entries}

    def tasks(self, **where: Any) -> list[dict[str, Any]]:
        """Tasks that match."""
        found: list[dict[str, Any]] = self.ask("dispatch.find_tasks", limit=500, **where)["tasks"]
        return found

    def rounds(self, **where: Any) -> list[dict[str, Any]]:
        """Rounds that match."""
        found: list[dict[str, Any]] = self.ask("dispatch.find_rounds", limit=500, **where)["rounds"]
        return found

    def record(self, kind: str, seal_id: str, stops: list[dict[str, Any]]) -> None:
        """A team records stops of the open round of a kind."""
        (found,) = (r for r in self.rounds(seal_id=seal_id, kind=kind) if r["state"] == "open")
        self.do(
            "dispatch.record_stops",
            round_id=found["round_id"],
            recorded_by="Worker Invented",
            stops=[{"recorded_at": self.at(), **stop} for stop in stops],
        )
