"""Who was seen where: by the head count's stops, by phone, at the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import InvalidPayload
from lianfang.events.dispatch import StopsRecorded
from lianfang.vocabulary import PresenceSource
from services.declaration import store
from services.declaration.announcing import announce_residents, announce_sightings, left
from services.declaration.domain import residence as r
from services.declaration.domain.residence import Residence, Seen
from services.declaration.registry import no_such

#: The only kind of round that says who is there.
HEAD_COUNT = "head_count"


@dataclass(slots=True)
class _Looks:
    """The residences that sightings changed, and which of them began again by it."""

    seen: dict[str, Residence] = field(default_factory=dict)
    reopened: set[str] = field(default_factory=set)

    def announce(self, work: Any, batch: str, source: PresenceSource) -> None:
        """Say who was seen; whose residence had ended is registered anew."""
        announce_sightings(work, batch, source, self.seen.values())
        again = [self.seen[key] for key in sorted(self.reopened)]
        announce_residents(work, batch, [one for one in again if one.ended_at is None])


def record(work: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """Record sightings of one building's residents, or none of them.

    Raises:
        InvalidPayload, NotFound: seen in the future; not on the building's roll.
    """
    building, source = request["building"], request["source"]
    if work.get(store.PLACES, building) is None:
        raise no_such("building", building, "building")
    sightings = request["sightings"]
    homes: dict[str, list[Residence]] = {}
    for residence in store.residences_of(work, [s["person_id"] for s in sightings]):
        if residence.building == building:
            homes.setdefault(residence.person_id, []).append(residence)
    looks = _Looks()
    recorded = 0
    for n, sighting in enumerate(sightings):
        if sighting["seen_at"] > work.now:
            raise InvalidPayload.of(f"sightings.{n}.seen_at", "lies in the future")
        here = homes.get(sighting["person_id"])
        if not here:
            raise no_such("resident", sighting["person_id"], f"sightings.{n}.person_id")
        told = Seen(
            presence=sighting["presence"],
            seen_at=sighting["seen_at"],
            source=source,
            contactable=sighting["contactable"],
        )
        recorded += _apply(work, here, told, looks)
    batch = natural_id("batch", work.causation_id)
    looks.announce(work, batch, source)
    return {"batch_id": batch, "recorded": recorded}


def _apply(work: Any, here: Iterable[Residence], told: Seen, looks: _Looks) -> bool:
    current = [looks.seen.get(residence.residence_id, residence) for residence in here]
    open_ = [residence for residence in current if residence.ended_at is None]
    news = False
    for residence in open_ or current:
        looked = r.seen(residence, told)
        if looked is not None:
            work.save(store.RESIDENCES, looked)
            looks.seen[looked.residence_id] = looked
            if residence.ended_at is not None:
                looks.reopened.add(looked.residence_id)
            news = True
    return news


def load(work: Any, events: Iterable[StopsRecorded]) -> None:
    """Read every residence that a batch of head counts speaks of."""
    keys = [
        r.residence_id_of(person.person_id, stop.household_id)
        for event in events
        if event.kind == HEAD_COUNT
        for stop in event.stops
        for person in stop.persons
    ]
    work.load(store.RESIDENCES, keys)


def hear_stops(work: Any, event: StopsRecorded) -> None:
    """What a head count found; the latest finding of each person counts, in any order."""
    if event.kind != HEAD_COUNT:
        work.drop("no head count")
        return
    looks = _Looks()
    for stop in event.stops:
        keys = {
            p.person_id: r.residence_id_of(p.person_id, stop.household_id) for p in stop.persons
        }
        known = work.load(store.RESIDENCES, keys.values())
        for person in stop.persons:
            residence = known.get(keys[person.person_id])
            if residence is None:
                continue  # of another district, or found but never registered
            told = r.finding_as_seen(person.finding, stop.recorded_at)
            _apply(work, [residence], told, looks)
            if told.ended == r.DECEASED:
                _bury(work, person.person_id, told)
    batch = natural_id("stops", event.record_id, event.revision, event.chunk)
    looks.announce(work, batch, PresenceSource.HEAD_COUNT)


def _bury(work: Any, person_id: str, told: Seen) -> None:
    """End whatever other residences a dead person has."""
    for residence in store.residences_of(work, [person_id]):
        over = r.seen(residence, told)
        if over is not None:
            work.save(store.RESIDENCES, over)
            work.publish(left(over), place=over.building)
