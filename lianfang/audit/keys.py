"""Invariants of identity: whatever is one thing in the world is one document."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import Verdict, invariant, judged
from lianfang.audit.gathered import home_scope
from lianfang.envelope import natural_id


def _of(kind: str, *fields: str) -> Callable[[Row], str]:
    return lambda row: natural_id(kind, *(row[field] for field in fields))


def _exposure(row: Row) -> str:
    carrier = row["carrier"]
    if carrier is None:
        where = (row["place"], row["from_at"])
    else:
        number = "".join(carrier["number"].split()).upper()
        where = (f"{carrier['mode']}:{number}:{carrier['on']}", carrier["coach"])
    return natural_id("exposure", row["case_id"], row["about"], row["setting"], *where)


def _scope(row: Row) -> str:
    return home_scope(row["place"]) if row["kind"] == "home" else str(row["_id"])


#: Collections whose documents stand under an id that follows from what they are.
NATURAL: dict[str, Callable[[Row], str]] = {
    "declaration.residences": _of("residence", "person_id", "household_id"),
    "declaration.declarations": _of("declaration", "person_id"),
    "screening.contacts": _of("contact", "case_id", "person_id"),
    "screening.exposures": _exposure,
    "isolation.orders": _of("order", "person_id", "episode"),
    "isolation.seals": _of("seal", "anchor", "episode"),
    "isolation.sheets": _of("sheet", "seal_id", "household_id"),
    "isolation.doors": _of("door", "building", "household_id"),
    "isolation.foci": _of("focus", "place"),
    "dispatch.scopes": _scope,
}


@invariant(
    "keys-natural",
    "每个事物只有一份记录：编号由其自然键得出",
    "whatever is one thing is one document: its id follows from its natural key",
)
def keys_natural(evidence: Evidence) -> Iterator[Verdict]:
    """A second document of one thing would stand under an id that its key does not give."""
    for name, own in NATURAL.items():
        if name.partition(".")[0] in evidence.databases:
            for row in evidence.rows(name):
                yield judged(row["_id"] == own(row), f"{name} {row['_id']}")


@invariant(
    "persons-once",
    "同一证件只属于一个人",
    "no document is two persons'",
    "declaration",
)
def persons_once(evidence: Evidence) -> Iterator[Verdict]:
    """One person, one id, wherever they declared."""
    stages = (
        {"$unwind": "$fingerprints"},
        {"$group": {"_id": "$fingerprints", "persons": {"$addToSet": "$_id"}}},
    )
    for row in evidence.groups("declaration.persons", *stages):
        yield judged(len(row["persons"]) == 1, ", ".join(sorted(row["persons"])))


@invariant(
    "residences-placed",
    "每条居住记录都有其人、其户，且都在已登记的楼内",
    "every residence has its person, its household and a registered building",
    "declaration",
)
def residences_placed(evidence: Evidence) -> Iterator[Verdict]:
    """Whoever lives nowhere known is on no roll."""
    rows = evidence.rows("declaration.residences", None, "person_id", "household_id", "building")
    persons = evidence.beside(rows, "declaration.persons", lambda r: [r["person_id"]], "_id")
    known = ((row, bool(found)) for row, found in persons)
    homes = evidence.beside(
        known, "declaration.households", lambda pair: [pair[0]["household_id"]], "building"
    )
    housed = ((row, fine, found.get(row["household_id"], {})) for (row, fine), found in homes)
    for (row, fine, home), found in evidence.beside(
        housed, "declaration.places", lambda triple: [triple[0]["building"]], "_id"
    ):
        placed = fine and bool(found) and home.get("building") == row["building"]
        yield judged(placed, str(row["_id"]))
