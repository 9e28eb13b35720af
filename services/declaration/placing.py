"""Places registered and amended, one by one or from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lianfang import places
from lianfang.envelope import natural_id
from lianfang.events.declaration import PlaceAmended
from services.declaration import store
from services.declaration.announcing import announce_places
from services.declaration.domain import place as p
from services.declaration.domain.place import Place
from services.declaration.registry import no_such


def register(work: Any, vault: Any, documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Register and amend; all or, when one stands on nothing, none.

    Raises:
        NotFound: the place above or a gate is unknown.
    """
    known = load(work, documents)
    given = {document["path"] for document in documents}
    for n, document in enumerate(documents):
        missing = missing_of(document, known, given)
        if missing:
            raise no_such("place", missing[1], f"places.{n}.{missing[0]}")
    kept = [keep(work, vault, known, document) for document in documents]
    batch = natural_id("batch", work.causation_id)
    return announce(work, kept, batch)


def load(work: Any, documents: Sequence[Mapping[str, Any]]) -> dict[str, Place]:
    """The places that these documents name."""
    paths: set[str] = set()
    for document in documents:
        paths |= {document["path"], *document["exits"]}
        if p.needs_parent(document["path"]):
            paths.add(places.parent(document["path"]) or "")
    known: dict[str, Place] = work.load(store.PLACES, sorted(paths))
    return known


def missing_of(
    document: Mapping[str, Any], known: Mapping[str, Place], given: set[str]
) -> tuple[str, str] | None:
    """The field and path of what the place stands on and nobody knows."""
    path = document["path"]
    above = places.parent(path) or ""
    if p.needs_parent(path) and above not in known and above not in given:
        return "path", above
    gone = [gate for gate in document["exits"] if gate not in known and gate not in given]
    return ("exits", gone[0]) if gone else None


def keep(
    work: Any, vault: Any, known: dict[str, Place], document: Mapping[str, Any]
) -> Place | None:
    """Save a place that is new or has other facts; None when nothing is new."""
    facts = dict(document)
    aliases = facts.pop("aliases", [])
    facts["exits"] = tuple(facts["exits"])
    marks = tuple(vault.fingerprint(f"alias:{text}") for text in aliases)
    current = known.get(facts["path"])
    if current is not None and marks == current.alias_fingerprints:
        sealed = current.sealed
    else:
        sealed = vault.seal({"aliases": aliases}) if aliases else None
    level = places.level_of(facts["path"])
    wanted = Place(**facts, level=level, alias_fingerprints=marks, sealed=sealed)
    changed = p.amended(current, wanted)
    if changed is not None:
        known[changed.path] = changed
        work.save(store.PLACES, changed)
    return changed


def announce(work: Any, kept: Sequence[Place | None], batch: str) -> dict[str, Any]:
    """Publish what is new and what was amended; the counts."""
    final = {place.path: place for place in kept if place is not None}
    fresh = [place for place in kept if place is not None and place.revision == 1]
    changed = [place for place in final.values() if place.revision > 1]
    announce_places(work, fresh, batch)
    for place in changed:
        if p.travels(place):
            event = PlaceAmended(path=place.path, place=p.snapshot(place), revision=place.revision)
            work.publish(event, place=place.path)
    return {"batch_id": batch, "registered": len(fresh), "amended": len(changed)}
