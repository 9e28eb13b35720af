"""Where screening keeps its states, with the indexes beside the queries that need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lianfang.runtime.documents import Collection, Documents, Index, Page, Reader
from services.screening.domain.cases import Case
from services.screening.domain.contacts import Contact
from services.screening.domain.dossiers import Dossier
from services.screening.domain.health import Visit
from services.screening.domain.residences import Residence
from services.screening.domain.samples import Sample
from services.screening.domain.travel import Crossing, Exposure

_SOME_DAYS = {"carrier_days.0": {"$exists": True}}
_SOME_CLAIMS = {"claimed.0": {"$exists": True}}

DOSSIERS = Collection(
    "dossiers",
    Dossier,
    "person_id",
    [
        Index("building", "_id", "outcome"),
        Index("carrier_days", where=_SOME_DAYS),
        Index("claimed", where=_SOME_CLAIMS),
    ],
)
RESIDENCES = Collection(
    "residences",
    Residence,
    "residence_id",
    [Index("household_id"), Index("person_id"), Index("building", "floor")],
)
CASES = Collection(
    "cases",
    Case,
    "case_id",
    [
        Index("origin_person_id"),
        Index("reach"),
        Index("sample_id"),
        Index("building"),
        Index("-reported_at", "-_id"),
    ],
)
CONTACTS = Collection("contacts", Contact, "contact_id", [Index("case_id"), Index("person_id")])
EXPOSURES = Collection("exposures", Exposure, "exposure_id", [Index("case_id")])
CROSSINGS = Collection("crossings", Crossing, "key")
SAMPLES = Collection("samples", Sample, "sample_id", [Index("person_ids")])
VISITS = Collection("visits", Visit, "visit_id", [Index("persons.person_id")])


def residences_of(reader: Reader, person_ids: Iterable[str]) -> list[Residence]:
    """Where these persons live."""
    return reader.find(RESIDENCES, {"person_id": {"$in": sorted(set(person_ids))}})


def residents_of(reader: Reader, household_ids: Iterable[str]) -> list[Residence]:
    """Who lives in these households, in one query."""
    return reader.find(RESIDENCES, {"household_id": {"$in": sorted(set(household_ids))}})


def residents_on(reader: Reader, building: str, floors: Iterable[int]) -> list[Residence]:
    """Who lives on these floors of a building."""
    return reader.find(RESIDENCES, {"building": building, "floor": {"$in": sorted(floors)}})


def cases_reaching(reader: Reader, keys: Iterable[str]) -> list[Case]:
    """The cases whose households or floors these keys are."""
    return reader.find(CASES, {"reach": {"$in": sorted(set(keys))}})


def cases_of(reader: Reader, origin_person_id: str) -> int:
    """How many cases began about this person."""
    return reader.count(CASES, {"origin_person_id": origin_person_id})


def cases_on_sample(reader: Reader, sample_id: str) -> list[Case]:
    """The cases that rest on a sample."""
    return reader.find(CASES, {"sample_id": sample_id})


def contacts_of(reader: Reader, case_id: str) -> list[Contact]:
    """Every contact a case ever had."""
    return reader.find(CONTACTS, {"case_id": case_id})


def contacts_about(reader: Reader, person_ids: Iterable[str]) -> list[Contact]:
    """Every contact these persons ever were."""
    return reader.find(CONTACTS, {"person_id": {"$in": sorted(set(person_ids))}})


def exposures_of(reader: Reader, case_id: str) -> list[Exposure]:
    """Every exposure a case ever had."""
    return reader.find(EXPOSURES, {"case_id": case_id})


def travellers_on(reader: Reader, days: Iterable[str]) -> list[Dossier]:
    """Who declared a leg on one of these carrier-days."""
    return reader.find(DOSSIERS, {"carrier_days": {"$in": sorted(set(days))}, **_SOME_DAYS})


def claimants_of(reader: Reader, case_id: str) -> list[Dossier]:
    """Who claims a contact with this case by name."""
    return reader.find(DOSSIERS, {"claimed": case_id, **_SOME_CLAIMS})


def preliminary_of(reader: Reader, person_ids: Iterable[str]) -> set[str]:
    """Which of these persons have a preliminary positive."""
    where = {"person_ids": {"$in": sorted(set(person_ids))}, "state": "positive_preliminary"}
    return {person for sample in reader.find(SAMPLES, where) for person in sample.person_ids}


# -- lists ----------------------------------------------------------------------------------------


def page_of_contacts(reader: Reader, request: Mapping[str, Any]) -> Page[Contact]:
    """A page of contacts of a case, of a person, in a state."""
    where = {name: request[name] for name in ("case_id", "person_id", "state") if request.get(name)}
    return reader.page(CONTACTS, where, "contact_id", request["after"], request["limit"])


def page_of_cases(reader: Reader, request: Mapping[str, Any]) -> Page[Case]:
    """A page of cases, the latest reported first."""
    where: dict[str, Any] = {"state": request["state"]} if request.get("state") else {}
    where |= inside(request.get("place"))
    return reader.page(CASES, where, "-reported_at", request["after"], request["limit"])


def page_of_dossiers(reader: Reader, request: Mapping[str, Any]) -> Page[Dossier]:
    """A page of verdicts by building."""
    where: dict[str, Any] = {"outcome": request.get("outcome") or {"$ne": None}}
    where |= inside(request.get("place"))
    return reader.page(DOSSIERS, where, "building", request["after"], request["limit"])


def count_outcomes(reader: Documents, place: str) -> dict[str, int]:
    """How many verdicts of each outcome stand at or below a place."""
    stages = [
        {"$match": {"outcome": {"$ne": None}, **inside(place)}},
        {"$group": {"_id": "$outcome", "n": {"$sum": 1}}},
    ]
    return {row["_id"]: int(row["n"]) for row in reader.raw(DOSSIERS.name).aggregate(stages)}


def inside(place: str | None) -> dict[str, Any]:
    """The filter for a place and everything below it; a range, so an index serves it."""
    return {"building": {"$gte": place, "$lt": place + "/"}} if place else {}
