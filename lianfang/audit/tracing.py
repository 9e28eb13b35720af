"""Invariants of contacts, exposures and samples: what screening derived from cases and doors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from lianfang.audit.copies import INFECTED
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.days import day_of

_EXPOSING = (*INFECTED, "closed")
_HOMES = ("residence", "dormitory")
_OPEN_SAMPLES = ("requested", "collected", "received")
_HOUSEHOLD = "household:"


@invariant(
    "contacts-caused",
    "每名现存密接、每条现存暴露都属于未被排除的病例",
    "every standing contact and exposure belongs to a case that was not discarded",
    "screening",
)
def contacts_caused(evidence: Evidence) -> Iterator[Verdict]:
    """What a case brought about goes with it."""
    for name, where in (
        ("screening.contacts", {"state": {"$ne": "dropped"}}),
        ("screening.exposures", {"standing": True}),
    ):
        rows = evidence.rows(name, where, "case_id", "person_id")
        for row, found in evidence.beside(
            rows, "screening.cases", lambda r: [r["case_id"]], "state", "person_id"
        ):
            case = found.get(row["case_id"], {"state": "gone", "person_id": None})
            own = row.get("person_id") is not None and row["person_id"] == case["person_id"]
            yield judged(case["state"] in _EXPOSING and not own, f"{name} {row['_id']}")


@invariant(
    "households-traced",
    "感染者可传染期间同住的人都是其密接",
    "whoever certainly lived with an infected person in the infectious days is a contact",
    "screening",
)
def households_traced(evidence: Evidence) -> Iterator[Verdict]:
    """Whoever may have been away is left to the policy; the others are certain."""
    cases = evidence.rows("screening.cases", {"state": {"$in": list(INFECTED)}})
    homes = ((case, key) for case in cases for key in _households(case))
    for (case, _), residents in evidence.gathered(
        homes, "screening.residences", "household_id", lambda pair: pair[1]
    ):
        together = [r["person_id"] for r in residents if _lived_with(case, r)]
        where = {"case_id": case["_id"], "state": {"$ne": "dropped"}}
        contacts = evidence.rows("screening.contacts", where, "person_id")
        known = {contact["person_id"] for contact in contacts}
        for person_id in together:
            yield judged(person_id in known, f"{case['_id']}: {person_id}")


def _households(case: Row) -> Iterable[str]:
    return (k.removeprefix(_HOUSEHOLD) for k in case["reach"] if k.startswith(_HOUSEHOLD))


def _lived_with(case: Row, residence: Row) -> bool:
    """Certainly: a usual stay since before, nobody said otherwise, and the case was there then."""
    if case["infectious_from_on"] is None or residence["person_id"] == case["person_id"]:
        return False
    first = date.fromisoformat(case["infectious_from_on"])
    since = residence["stays_since"]
    stays = [s for s in case["stays"] if s["place"] == residence["building"]]
    return (
        bool(residence["known"])
        and residence["kind"] != "registered_only"
        and residence["ended_at"] is None
        and not residence["sightings"]
        and residence["presence"] in ("present", "unknown")
        and (since is None or day_of(since) <= first)
        and any(s["use"] in _HOMES and day_of(s["last_present_at"]) >= first for s in stays)
    )


@invariant(
    "people-are-their-cases",
    "每名感染者的个人档案都指向其病例，反之亦然",
    "every infected person's dossier points to the case, and only theirs do",
    "screening",
)
def people_are_their_cases(evidence: Evidence) -> Iterator[Verdict]:
    """Contacts who became cases are told apart by it."""
    cases = evidence.rows("screening.cases", {"state": {"$in": list(INFECTED)}}, "person_id")
    for case, found in evidence.beside(cases, "screening.dossiers", lambda c: [c["person_id"]]):
        dossier = found.get(case["person_id"], {})
        fine = dossier.get("infected") and dossier.get("case_id") == case["_id"]
        yield judged(bool(fine), f"{case['person_id']}: case {case['_id']}")
    infected = evidence.rows("screening.dossiers", {"infected": True}, "case_id")
    for dossier, found in evidence.beside(infected, "screening.cases", lambda d: [d["case_id"]]):
        case = found.get(dossier["case_id"], {})
        fine = case.get("person_id") == dossier["_id"] and case["state"] in _EXPOSING
        yield judged(fine, f"{dossier['_id']}: case {dossier['case_id']}")


@invariant(
    "crossings-complete",
    "每趟车次、航班的交汇点恰好列出其现存暴露",
    "every carrier-day lists exactly the exposures that stand on it",
    "screening",
)
def crossings_complete(evidence: Evidence) -> Iterator[Verdict]:
    """An exposure that is not listed is met by no later declaration."""
    standing = {"standing": True, "carrier": {"$ne": None}}
    for exposure, found in evidence.beside(
        evidence.rows("screening.exposures", standing, "carrier"),
        "screening.crossings",
        lambda e: [_carrier_day(e["carrier"])],
    ):
        day = _carrier_day(exposure["carrier"])
        listed = found.get(day, {}).get("exposure_ids", ())
        yield judged(exposure["_id"] in listed, f"{day}: {exposure['_id']}")
    crossings = evidence.rows("screening.crossings", {"exposure_ids.0": {"$exists": True}})
    for crossing, found in evidence.beside(
        crossings, "screening.exposures", lambda c: c["exposure_ids"]
    ):
        for key in crossing["exposure_ids"]:
            exposure = found.get(key, {"standing": False})
            fine = exposure["standing"] and _carrier_day(exposure["carrier"]) == crossing["_id"]
            yield judged(bool(fine), f"{crossing['_id']}: {key}")


def _carrier_day(carrier: Row) -> str:
    number = "".join(carrier["number"].split()).upper()
    return f"{carrier['mode']}:{number}:{carrier['on']}"


@invariant(
    "swabs-kept",
    "上门采样的每支管都在，且管内恰是上门记录所写的人",
    "every tube that was filled at a door is there, and holds whom the visits name",
    "screening",
)
def swabs_kept(evidence: Evidence) -> Iterator[Verdict]:
    """After a result, corrected visits are not taken into the tube any more."""
    taken = (
        (visit, person)
        for visit in evidence.rows("screening.visits", {"persons.sample_id": {"$ne": None}})
        for person in visit["persons"]
        if person["sample_id"]
    )
    for (visit, person), found in evidence.beside(
        taken, "screening.samples", lambda pair: [pair[1]["sample_id"]]
    ):
        sample = found.get(person["sample_id"])
        late = sample is not None and sample["state"] not in _OPEN_SAMPLES
        swabs = sample["swabs"] if sample else ()
        kept = any(
            (s["visit_id"], s["person_id"]) == (visit["_id"], person["person_id"]) for s in swabs
        )
        yield judged(late or kept, f"{person['sample_id']}: {person['person_id']}")
    filled = (
        (sample, swab)
        for sample in evidence.rows("screening.samples", {"state": {"$in": list(_OPEN_SAMPLES)}})
        for swab in sample["swabs"]
    )
    for (sample, swab), found in evidence.beside(
        filled, "screening.visits", lambda pair: [pair[1]["visit_id"]]
    ):
        persons = found.get(swab["visit_id"], {"persons": ()})["persons"]
        named = any(
            (p["person_id"], p["sample_id"]) == (swab["person_id"], sample["_id"]) for p in persons
        )
        yield HOLDS if named else f"{sample['_id']}: {swab['person_id']}: no visit"
