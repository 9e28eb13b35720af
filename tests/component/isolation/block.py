"""A block of closed or closable buildings, told to isolation by the events of other services."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.events.declaration import (
    PlaceRegistered,
    PlaceSnapshot,
    PresenceRecorded,
    ResidentLeft,
    ResidentRegistered,
    ResidentSnapshot,
    Sighting,
)
from lianfang.events.dispatch import StopPerson, StopRecord, StopsRecorded, TaskCompleted
from lianfang.events.screening import (
    CaseAmended,
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    ContactDropped,
    ContactIdentified,
    DeclarationAssessed,
    Stay,
)
from lianfang.testing.pump import Pump
from lianfang.vocabulary import (
    CauseKind,
    Classification,
    CommunityType,
    ContactCategory,
    ContactKind,
    Finding,
    FoundBy,
    Outcome,
    Presence,
    PresenceSource,
    StopOutcome,
)

COMMUNITY = "4403.nanshan.440305001.440305001012"
ENCLOSURE = f"{COMMUNITY}.e01"
B1, B2, B3 = (f"{ENCLOSURE}.b0{n}" for n in (1, 2, 3))
START = datetime(2020, 2, 3, 1, 0, tzinfo=UTC)
LONG_AGO = datetime(2019, 10, 1, tzinfo=UTC)


class Block:
    """Says what other services would say; keeps revisions by subject."""

    def __init__(self, pump: Pump) -> None:
        pump.use("isolation")
        self.pump = pump
        pump.now = START
        self._revisions: dict[str, int] = {}
        self.households: dict[str, tuple[str, str]] = {}

    def _next(self, subject: str) -> int:
        self._revisions[subject] = self._revisions.get(subject, 0) + 1
        return self._revisions[subject]

    # -- places and people --------------------------------------------------------------------

    def places(self, *places: PlaceSnapshot) -> None:
        batch = natural_id("batch", *(p.path for p in places))
        event = PlaceRegistered(batch_id=batch, places=places, revision=self._next(batch))
        self.pump.publish(event, COMMUNITY)

    def building(
        self,
        path: str,
        exits: Iterable[str] = (),
        kind: CommunityType = CommunityType.COMMODITY_HOUSING,
    ) -> str:
        self.places(
            PlaceSnapshot(path=ENCLOSURE, name="e", revision=1, community_type=kind),
            PlaceSnapshot(path=path, name="b", revision=1, exits=tuple(exits)),
        )
        return path

    def resident(
        self, person: str, household: str, building: str, **facts: Any
    ) -> ResidentSnapshot:
        residence = natural_id("residence", person, household)
        self.households[person] = (household, building)
        facts = {"stays_since": LONG_AGO, "presence": Presence.PRESENT, **facts}
        return ResidentSnapshot(
            residence_id=residence,
            person_id=person,
            household_id=household,
            building=building,
            room="r0101",
            revision=facts.pop("revision", None) or self._next(residence),
            **facts,
        )

    def live(self, building: str, *residents: ResidentSnapshot) -> None:
        batch = natural_id("batch", building, *(f"{r.person_id}{r.revision}" for r in residents))
        event = ResidentRegistered(batch_id=batch, building=building, residents=residents)
        self.pump.publish(event, building)

    def household(self, building: str, household: str, *persons: str, **facts: Any) -> None:
        self.live(building, *(self.resident(p, household, building, **facts) for p in persons))

    def left(self, person: str, reason: str, ended_at: datetime) -> None:
        household, building = self.households[person]
        resident = self.resident(person, household, building, ended_at=ended_at)
        event = ResidentLeft(
            residence_id=resident.residence_id,
            reason=reason,
            resident=resident,
            revision=resident.revision,
        )
        self.pump.publish(event, building)

    def seen(self, person: str, presence: Presence, at: datetime | None = None) -> None:
        household, building = self.households[person]
        residence = natural_id("residence", person, household)
        sighting = Sighting(
            residence_id=residence,
            person_id=person,
            household_id=household,
            presence=presence,
            seen_at=at or self.pump.now,
            revision=self._next(residence),
        )
        event = PresenceRecorded(
            batch_id=natural_id("seen", residence, sighting.revision),
            building=building,
            source=PresenceSource.HEAD_COUNT,
            sightings=(sighting,),
        )
        self.pump.publish(event, building)

    # -- cases ----------------------------------------------------------------------------------

    def case(self, case_id: str, person: str, *stays: Stay | str, **facts: Any) -> CaseConfirmed:
        return CaseConfirmed(**self._case(case_id, person, stays, facts))

    def _case(self, case_id: str, person: str, stays: Any, facts: dict[str, Any]) -> dict[str, Any]:
        now = facts.setdefault("decided_at", self.pump.now)
        return {
            "case_id": case_id,
            "person_id": person,
            "household_id": self.households.get(person, ("h", ""))[0],
            "classification": Classification.CONFIRMED,
            "basis": "RT-PCR, twice",
            "decided_by": "Dr Invented",
            "onset_on": day_of(now) - timedelta(days=1),
            "infectious_from_on": day_of(now) - timedelta(days=3),
            "stays": tuple(
                Stay(place=s, last_present_at=now) if isinstance(s, str) else s for s in stays
            ),
            "reporting_district": "nanshan",
            "owning_district": "nanshan",
            "policy_version": "test",
            "revision": self._next(case_id),
            **facts,
        }

    def confirm(self, case_id: str, person: str, *stays: Stay | str, **facts: Any) -> None:
        event = self.case(case_id, person, *stays, **facts)
        self.pump.publish(event, stays_place(stays), correlation_id=case_id)

    def amend(
        self, case_id: str, former: str, person: str, *stays: Stay | str, **facts: Any
    ) -> None:
        event = CaseAmended(
            **self._case(case_id, person, stays, facts),
            former_person_id=former,
            reason="wrong person",
            amended_by="Dr Invented",
        )
        self.pump.publish(event, stays_place(stays), correlation_id=case_id)

    def discard(self, case_id: str, person: str) -> None:
        event = CaseDiscarded(
            case_id=case_id,
            person_id=person,
            reason="two negatives",
            decided_by="Dr Invented",
            decided_at=self.pump.now,
            revision=self._next(case_id),
        )
        self.pump.publish(event, ENCLOSURE, correlation_id=case_id)

    def close(self, case_id: str, person: str, outcome: str) -> None:
        event = CaseClosed(
            case_id=case_id,
            person_id=person,
            outcome=outcome,
            decided_by="Dr Invented",
            decided_at=self.pump.now,
            revision=self._next(case_id),
        )
        self.pump.publish(event, ENCLOSURE, correlation_id=case_id)

    def contact(self, case_id: str, person: str, **facts: Any) -> None:
        contact_id = natural_id("contact", case_id, person)
        household, building = self.households.get(person, (None, B1))
        facts = {
            "category": ContactCategory.CLOSE,
            "kind": ContactKind.HOUSEHOLD,
            "last_exposure_on": day_of(self.pump.now),
            **facts,
        }
        event = ContactIdentified(
            contact_id=contact_id,
            case_id=case_id,
            person_id=person,
            household_id=household,
            building=building,
            found_by=FoundBy.RULE,
            first_exposure_on=day_of(self.pump.now) - timedelta(days=1),
            basis="lives with the case",
            owning_district="nanshan",
            policy_version="test",
            revision=self._next(contact_id),
            **facts,
        )
        self.pump.publish(event, building, correlation_id=case_id)

    def drop(self, case_id: str, person: str) -> None:
        contact_id = natural_id("contact", case_id, person)
        event = ContactDropped(
            contact_id=contact_id,
            case_id=case_id,
            person_id=person,
            reason="case discarded",
            revision=self._next(contact_id),
        )
        self.pump.publish(event, B1, correlation_id=case_id)

    def assess(self, person: str, outcome: Outcome, last_exposure_on: date | None = None) -> None:
        household, building = self.households[person]
        assessment_id = natural_id("assessment", person)
        event = DeclarationAssessed(
            assessment_id=assessment_id,
            declaration_id=natural_id("declaration", person),
            person_id=person,
            household_id=household,
            building=building,
            outcome=outcome,
            reasons=("key area",),
            assessed_at=self.pump.now,
            policy_version="test",
            last_exposure_on=last_exposure_on,
            revision=self._next(assessment_id),
        )
        self.pump.publish(event, building)

    # -- rounds and tasks -----------------------------------------------------------------------

    def count(self, building: str, household: str, **findings: Finding) -> None:
        """A head count stop; without findings the household is ticked as complete."""
        self.stop("head_count", building, household, **findings)

    def stop(self, kind: str, building: str, household: str, **findings: Finding) -> None:
        stop_id = natural_id("stop", kind, building, household)
        revision = self._next(stop_id)
        stop = StopRecord(
            stop_id=stop_id,
            household_id=household,
            outcome=StopOutcome.DONE,
            recorded_at=self.pump.now,
            revision=revision,
            persons=tuple(StopPerson(person_id=p, finding=f) for p, f in findings.items()),
        )
        event = StopsRecorded(
            record_id=natural_id("record", stop_id, revision),
            round_id=natural_id("round", kind, building),
            kind=kind,
            building=building,
            recorded_by="Worker Invented",
            received_at=self.pump.now,
            stops=(stop,),
        )
        self.pump.publish(event, building)

    def done(self, kind: str, case_id: str, place: str, *persons: str) -> None:
        task_id = natural_id("task", kind, case_id, place)
        event = TaskCompleted(
            task_id=task_id,
            kind=kind,
            place=place,
            cause_kind=CauseKind.CASE,
            cause_id=case_id,
            at=self.pump.now,
            person_ids=persons,
            revision=self._next(task_id),
        )
        self.pump.publish(event, place)

    # -- what stands ------------------------------------------------------------------------------

    def settle(self, **delivery: Any) -> None:
        self.pump.settle(**delivery)

    def ask(self, method: str, **document: Any) -> Any:
        return self.pump.call(f"isolation.{method}", **document)

    def do(self, method: str, **document: Any) -> Any:
        answer = self.ask(method, **document)
        self.pump.settle()
        return answer

    def seal(self, building: str = B1) -> dict[str, Any]:
        return self.ask("get_seal", building=building)

    def orders(self, **where: Any) -> list[dict[str, Any]]:
        return self.ask("find_orders", open=True, limit=500, **where)["orders"]

    def order(self, person: str) -> dict[str, Any] | None:
        found = self.orders(person_id=person)
        assert len(found) <= 1
        return found[0] if found else None

    def measures(self, **where: Any) -> dict[str, int]:
        counts: dict[str, int] = {}
        for order in self.orders(**where):
            counts[order["measure"]] = counts.get(order["measure"], 0) + 1
        return counts

    def roll(self, building: str = B1) -> dict[str, str]:
        entries = self.ask("get_seal_roll", seal_id=self.seal(building)["seal_id"])["entries"]
        return {entry["person_id"]: entry["status"] for entry in entries}

    def wait(self, **span: float) -> None:
        self.pump.now = self.pump.now + timedelta(**span)
        self.pump.tick()


def stays_place(stays: Iterable[Stay | str]) -> str:
    """A place for the envelope."""
    return next((s if isinstance(s, str) else s.place for s in stays), ENCLOSURE)
