"""A building whose residents screening knows, and the words of others that reach it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianfang.events.declaration import (
    ContactClaim,
    DeclarationSubmitted,
    Leg,
    PresenceRecorded,
    ResidentRegistered,
    ResidentSnapshot,
    Sighting,
)
from lianfang.events.dispatch import StopPerson, StopRecord, StopsRecorded
from lianfang.testing.pump import Pump
from lianfang.vocabulary import (
    PersonType,
    Presence,
    PresenceSource,
    StopOutcome,
    TravelMode,
)

ENCLOSURE = "4403.nanshan.440305001.440305001012.e01"
BUILDING = f"{ENCLOSURE}.b01"
NOW = datetime(2020, 2, 3, 4, 0, tzinfo=UTC)
LONG_AGO = datetime(2019, 10, 1, tzinfo=UTC)
AUDIT = {"revision", "history", "recorded_at", "updated_at", "audit"}
RUNTIME = {"inbox", "outbox", "commands", "guards", "runtime", "vault"}


def snapshot(person: str, household: str, **facts: Any) -> ResidentSnapshot:
    return ResidentSnapshot(
        **{
            "residence_id": f"r-{person}-{household}",
            "person_id": person,
            "household_id": household,
            "building": BUILDING,
            "room": "r0101",
            "revision": 1,
            "stays_since": LONG_AGO,
            **facts,
        }
    )


def leg(number: str, day: date = date(2020, 2, 1), **facts: Any) -> Leg:
    return Leg(
        **{
            "mode": TravelMode.PLANE,
            "depart_at": datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
            "from_division": "330100",
            "to_division": "440305",
            "number": number,
            **facts,
        }
    )


class House:
    """Household n (h1 … h10) has the persons pn-1 and pn-2 and lives on floor n."""

    def __init__(self, pump: Pump, households: int = 10) -> None:
        self.pump = pump
        pump.use("screening")
        pump.now = NOW
        self.registered(
            *(
                snapshot(f"p{n}-{m}", f"h{n}", floor=n, room=f"r{n:02d}01")
                for n in range(1, households + 1)
                for m in (1, 2)
            ),
        )
        pump.settle()

    # -- the words of others ------------------------------------------------------------------

    def registered(self, *residents: ResidentSnapshot, batch: str = "batch") -> None:
        event = ResidentRegistered(batch_id=batch, building=BUILDING, residents=residents)
        self.pump.publish(event, BUILDING)

    def seen(self, person: str, household: str, presence: Presence, at: datetime, n: int) -> None:
        sighting = Sighting(
            residence_id=f"r-{person}-{household}",
            person_id=person,
            household_id=household,
            presence=presence,
            seen_at=at,
            revision=n,
        )
        event = PresenceRecorded(
            batch_id=f"seen-{person}-{n}",
            building=BUILDING,
            source=PresenceSource.HEAD_COUNT,
            sightings=(sighting,),
        )
        self.pump.publish(event, BUILDING)

    def declare(self, person: str, *legs: Leg, revision: int = 1, **facts: Any) -> None:
        event = DeclarationSubmitted(
            **{
                "declaration_id": f"d-{person}",
                "person_id": person,
                "household_id": f"h-{person}",
                "building": f"{ENCLOSURE}.b09",
                "person_type": PersonType.RETURNING,
                "declared_at": self.pump.now,
                "statement_version": "2020-02-09",
                "legs": legs,
                "revision": revision,
                **facts,
            }
        )
        self.pump.publish(event, event.building)

    def claim(self, person: str, case_id: str, kind: str = "meal", **facts: Any) -> None:
        claim = ContactClaim(kind=kind, last_on=date(2020, 2, 2), case_id=case_id)
        self.declare(person, contact_claims=(claim,), **facts)

    def stop(self, household: str, *persons: StopPerson, revision: int = 1, **facts: Any) -> None:
        record = StopRecord(
            **{
                "stop_id": f"stop-{household}",
                "household_id": household,
                "outcome": StopOutcome.DONE,
                "recorded_at": self.pump.now,
                "revision": revision,
                "persons": persons,
                **facts,
            }
        )
        event = StopsRecorded(
            record_id=f"record-{household}-{revision}",
            round_id="round",
            kind="temperature",
            building=BUILDING,
            recorded_by="Worker Invented",
            received_at=self.pump.now,
            stops=(record,),
        )
        self.pump.publish(event, BUILDING)

    # -- acting and asking --------------------------------------------------------------------

    def do(self, method: str, **document: Any) -> Any:
        answer = self.pump.call(f"screening.{method}", **document)
        self.pump.settle()
        return answer

    def ask(self, method: str, **document: Any) -> Any:
        return self.pump.call(f"screening.{method}", **document)

    def confirm(self, person_id: str | None = "p1-1", **facts: Any) -> str:
        document = {
            "person_id": person_id,
            "classification": "confirmed",
            "basis": "positive by RT-PCR, twice",
            "decided_by": "Dr Invented",
            "decided_at": self.pump.now.isoformat(),
            "onset_on": "2020-02-02",
            **facts,
        }
        case_id: str = self.do("confirm_case", **document)["case_id"]
        return case_id

    def discard(self, case_id: str, **facts: Any) -> Any:
        document = {
            "case_id": case_id,
            "reason": "the tube was another person's",
            "decided_by": "Dr Invented",
            "second_signature": "Dr Second",
            **facts,
        }
        return self.do("discard_case", **document)

    def contacts(self, case_id: str, state: str | None = "identified") -> dict[str, Any]:
        found = self.ask("find_contacts", case_id=case_id, state=state, limit=500)["contacts"]
        return {contact["person_id"]: contact for contact in found}

    def at(self, **span: float) -> str:
        return (self.pump.now + timedelta(**span)).isoformat()

    def state(self) -> dict[str, Any]:
        """Everything stored but the audit fields."""
        database = self.pump.documents("screening").database
        return {
            name: {str(doc["_id"]): _kept(doc) for doc in database[name].find()}
            for name in sorted(database.list_collection_names())
            if name not in RUNTIME
        }


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(inner) for key, inner in value.items() if key not in AUDIT}
    return [_kept(item) for item in value] if isinstance(value, list) else value
