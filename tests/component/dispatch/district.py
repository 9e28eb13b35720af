"""A small district for the tests of dispatch: its organisations, and other services' words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianfang.envelope import natural_id
from lianfang.events import CHUNK
from lianfang.events.isolation import (
    Cause,
    OrderSnapshot,
    QuarantineExtended,
    QuarantineOrdered,
    QuarantineWithdrawn,
    SealImposed,
    SealSnapshot,
    SealWithdrawn,
)
from lianfang.events.screening import CaseConfirmed, CaseDiscarded, Stay
from lianfang.testing.pump import Pump
from lianfang.vocabulary import (
    CauseKind,
    Classification,
    Measure,
    Need,
    OrderState,
    Role,
    SealState,
)

COMMUNITY = "4403.nanshan.440305001.440305001012"
ENCLOSURE = f"{COMMUNITY}.e01"
BUILDING = f"{ENCLOSURE}.b01"
GATE = f"{ENCLOSURE}.g1"
SEAL, CASE = "seal-1", "case-1"
#: Nine in the morning of 3 February 2020 in Shenzhen.
START = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
DAY_ONE = date(2020, 2, 3)
LEVELS = {
    "enclosure": ENCLOSURE,
    "community": COMMUNITY,
    "street": "4403.nanshan.440305001",
    "district": "4403.nanshan",
    "city": "4403",
}
ROLES = [role.value for role in Role]


def staff(pump: Pump, level: str, teams: int = 1, roles: Iterable[str] = ROLES) -> None:
    """An organisation that answers for a level, with teams on duty for weeks."""
    org = f"org-{level}"
    pump.call(
        "dispatch.register_organisation", org_id=org, name=org, level=level, place=LEVELS[level]
    )
    pump.call("dispatch.set_responsibility", place=LEVELS[level], org_id=org)
    shift = {"from_at": START - timedelta(days=1), "until_at": START + timedelta(days=40)}
    for n in range(1, teams + 1):
        team = f"team-{level}-{n}"
        pump.call(
            "dispatch.register_team",
            team_id=team,
            org_id=org,
            name=team,
            kind="aid",
            roles=list(roles),
        )
        pump.call("dispatch.set_roster", team_id=team, shifts=[shift])


def seal(state: SealState = SealState.PROVISIONAL, **facts: Any) -> SealSnapshot:
    """The seal of the building."""
    known = {
        "seal_id": SEAL,
        "state": state,
        "scope": (BUILDING,),
        "exits": (GATE,),
        "causes": (CASE,),
        "imposed_at": START,
        "day_one_on": DAY_ONE,
        "due_on": DAY_ONE + timedelta(days=13),
        "order_due_at": START + timedelta(hours=2),
        "lapses_at": START + timedelta(hours=24),
        "households": 3,
        "persons": 6,
        "policy_version": "test",
    }
    return SealSnapshot(**{**known, **facts})


def imposed(revision: int = 1, **facts: Any) -> SealImposed:
    return SealImposed(seal_id=SEAL, building=BUILDING, seal=seal(**facts), revision=revision)


def withdrawn(revision: int = 9) -> SealWithdrawn:
    return SealWithdrawn(
        seal_id=SEAL, building=BUILDING, seal=seal(SealState.WITHDRAWN), revision=revision
    )


def order(person: str, household: str, measure: Measure = Measure.SEALED, **facts: Any) -> Any:
    """One person's order as it is now."""
    known = {
        "order_id": natural_id("order", person),
        "person_id": person,
        "household_id": household,
        "building": BUILDING,
        "measure": measure,
        "state": OrderState.ORDERED,
        "start_on": DAY_ONE,
        "due_on": DAY_ONE + timedelta(days=13),
        "causes": (Cause(kind=CauseKind.SEAL, id=SEAL, due_on=DAY_ONE + timedelta(days=13)),),
        "revision": 1,
        "seal_id": SEAL,
        "waitlisted": measure == Measure.FACILITY,
    }
    return OrderSnapshot(**{**known, **facts})


def orders(
    snapshots: Iterable[OrderSnapshot],
    decision: str = "decision-1",
    event: Any = QuarantineOrdered,
    size: int = CHUNK,
) -> list[Any]:
    """One decision about these orders, in chunks."""
    listed = list(snapshots)
    pieces = [tuple(listed[n : n + size]) for n in range(0, len(listed), size)]
    return [
        event(
            decision_id=decision,
            building=BUILDING,
            orders=piece,
            policy_version="test",
            chunk=n,
            chunks=len(pieces),
        )
        for n, piece in enumerate(pieces, 1)
    ]


def extended(snapshots: Iterable[OrderSnapshot], decision: str = "decision-2") -> list[Any]:
    return orders(snapshots, decision, QuarantineExtended)


def ended(
    snapshots: Iterable[OrderSnapshot], decision: str = "decision-3", size: int = CHUNK
) -> list[Any]:
    return orders(snapshots, decision, QuarantineWithdrawn, size)


def confirmed(case_id: str = CASE, person: str = "p1", **facts: Any) -> CaseConfirmed:
    """A confirmed case that stayed in the building."""
    known = {
        "case_id": case_id,
        "person_id": person,
        "household_id": "h1",
        "classification": Classification.CONFIRMED,
        "basis": "test",
        "decided_by": "Medic Invented",
        "decided_at": START,
        "infectious_from_on": DAY_ONE,
        "stays": (Stay(place=BUILDING, last_present_at=START),),
        "reporting_district": "nanshan",
        "owning_district": "nanshan",
        "policy_version": "test",
        "revision": 2,
    }
    return CaseConfirmed(**{**known, **facts})


def discarded(case_id: str = CASE, revision: int = 3) -> CaseDiscarded:
    return CaseDiscarded(
        case_id=case_id,
        person_id="p1",
        reason="false positive",
        decided_by="Medic Invented",
        decided_at=START,
        revision=revision,
    )


def building_orders() -> list[OrderSnapshot]:
    """Three households: the case's, one with a pet and an elderly person, one with the ill."""
    return [
        order("p1", "h1"),
        order("p2", "h1", Measure.FACILITY),
        order("p3", "h2", needs=(Need.PET, Need.ELDERLY)),
        order("p4", "h2"),
        order("p5", "h3", needs=(Need.CHRONIC_MEDICINE,)),
    ]


def say(pump: Pump, *events: Any, correlation_id: str = CASE) -> None:
    """Publish events as their producers would."""
    for event in events:
        pump.publish(event, BUILDING, correlation_id=correlation_id)


def counted(pump: Pump, **where: Any) -> dict[str, int]:
    """Tasks by kind."""
    found: dict[str, int] = pump.call("dispatch.count_tasks", **where)["by_kind"]
    return found


def tasks(pump: Pump, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pump.call("dispatch.find_tasks", limit=500, **where)["tasks"]
    return found


def rounds(pump: Pump, **where: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pump.call("dispatch.find_rounds", limit=500, **where)["rounds"]
    return found


def at(**later: float) -> datetime:
    """An instant some time after the beginning."""
    return START + timedelta(**later)


def day(number: int) -> str:
    """The day so many days after the first."""
    return (DAY_ONE + timedelta(days=number)).isoformat()
