"""What is said of places and residents, in chunks per building."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianfang.envelope import natural_id
from lianfang.events import CHUNK
from lianfang.events.declaration import (
    PlaceRegistered,
    PresenceRecorded,
    ResidentLeft,
    ResidentRegistered,
)
from lianfang.vocabulary import PresenceSource
from services.declaration.domain import place as p
from services.declaration.domain import residence as r
from services.declaration.domain.residence import Residence


def announce_places(work: Any, registered: Iterable[p.Place], batch: str) -> None:
    """Publish new places in chunks; rooms travel in `resident.*` only."""
    travelling = [p.snapshot(place) for place in registered if p.travels(place)]
    chunks = [travelling[n : n + CHUNK] for n in range(0, len(travelling), CHUNK)]
    for n, chunk in enumerate(chunks, 1):
        event = PlaceRegistered(batch_id=batch, places=tuple(chunk), chunk=n, chunks=len(chunks))
        work.publish(event, place=p.common(snapshot.path for snapshot in chunk))


def announce_sightings(
    work: Any, batch: str, source: PresenceSource, seen: Iterable[Residence]
) -> None:
    """Publish who was seen, per building in chunks, and who has left by that."""
    for building, residences in by_building(seen).items():
        chunks = list(r.in_chunks(residences))
        for n, chunk in enumerate(chunks, 1):
            event = PresenceRecorded(
                batch_id=natural_id("presence", batch, building, source),
                building=building,
                source=source,
                sightings=tuple(r.sighting(residence) for residence in chunk),
                chunk=n,
                chunks=len(chunks),
            )
            work.publish(event, place=building)
        for residence in residences:
            if residence.ended_reason is not None:
                work.publish(left(residence), place=building)


def left(residence: Residence) -> ResidentLeft:
    """The end of a residence."""
    return ResidentLeft(
        residence_id=residence.residence_id,
        reason=residence.ended_reason or r.MOVED_OUT,
        resident=r.snapshot(residence),
        revision=residence.revision,
    )


def announce_residents(work: Any, batch: str, changed: Iterable[Residence]) -> None:
    """Publish residences that began or got other facts."""
    for building, residences in by_building(changed).items():
        chunks = list(r.in_chunks(residences))
        for n, chunk in enumerate(chunks, 1):
            event = ResidentRegistered(
                batch_id=natural_id("residents", batch, building),
                building=building,
                residents=tuple(r.snapshot(residence) for residence in chunk),
                chunk=n,
                chunks=len(chunks),
            )
            work.publish(event, place=building)


def by_building(residences: Iterable[Residence]) -> dict[str, list[Residence]]:
    """The residences of each building."""
    found: dict[str, list[Residence]] = {}
    for residence in residences:
        found.setdefault(residence.building, []).append(residence)
    return found
