"""Read models that gather many sources in one document, and those fed by the word itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from lianfang.audit.copies import read_model, unlike
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import Verdict, judged
from lianfang.days import to_milliseconds
from lianfang.envelope import natural_id
from lianfang.places import Level, at_level

#: States of an order that binds or is about to.
OPEN_ORDERS = ("ordered", "served", "observing", "release_due")
_AT_DOORS = ("head_count", "notice")
_VISITED = ("home", "facility")


def _named(items: Iterable[Row], name: str, key: Any) -> Row:
    return next((item for item in items if item[name] == key), {})


# -- what isolation knows of a person -------------------------------------------------------------


def isolations_persons(evidence: Evidence) -> Iterator[Verdict]:
    """Contacts and cases of a person, and the newest verdict."""
    contacts = evidence.rows("screening.contacts")
    for contact, found in evidence.beside(
        contacts, "isolation.persons", lambda c: [c["person_id"]]
    ):
        person = found.get(contact["person_id"], {})
        held = _named(person.get("contacts", ()), "contact_id", contact["_id"])
        yield judged(_is_contact(contact, held), f"{contact['person_id']}: {contact['_id']}")
    persons = evidence.rows("isolation.persons")
    fields = ("state", "person_id")
    for person, found in evidence.beside(
        persons, "screening.contacts", _standing_contacts, *fields
    ):
        for key in _standing_contacts(person):
            contact = found.get(key, {"state": "dropped", "person_id": None})
            if contact["state"] == "dropped" or contact["person_id"] != person["_id"]:
                yield f"{person['_id']}: {key}: nobody told"
    yield from _verdicts(evidence)
    yield from _own_cases(evidence)


def _standing_contacts(person: Row) -> list[str]:
    return [c["contact_id"] for c in person["contacts"] if not c["is_dropped"]]


def _is_contact(source: Row, held: Row) -> bool:
    if not held or held["revision"] != source["revision"]:
        return False
    if source["state"] == "dropped":
        return bool(held["is_dropped"])
    names = ("case_id", "category", "last_exposure_on", "building", "household_id")
    return not held["is_dropped"] and not list(unlike(source, held, *names))


def _verdicts(evidence: Evidence) -> Iterator[Verdict]:
    """A first verdict that lets the person pass need not be kept."""
    assessed = evidence.rows("screening.dossiers", {"outcome": {"$ne": None}})
    for dossier, found in evidence.beside(assessed, "isolation.persons", lambda d: [d["_id"]]):
        held = found.get(dossier["_id"], {}).get("verdict")
        if held is None:
            first = dossier["outcome"] == "pass" and dossier["statement"]["revision"] == 1
            yield judged(first, f"{dossier['_id']}: verdict")
            continue
        names = ("outcome", "assessed_at", "building", "household_id", "last_exposure_on")
        wrong = [*unlike(dossier, held, *names)]
        yield judged(not wrong, f"{dossier['_id']}: verdict {', '.join(wrong)}")
    judged_ = evidence.rows("isolation.persons", {"verdict": {"$ne": None}}, "_id")
    for person, found in evidence.beside(
        judged_, "screening.dossiers", lambda p: [p["_id"]], "outcome"
    ):
        if not found.get(person["_id"], {}).get("outcome"):
            yield f"{person['_id']}: verdict: nobody told"


def _own_cases(evidence: Evidence) -> Iterator[Verdict]:
    told = evidence.rows("isolation.cases", {"person_id": {"$ne": None}}, "person_id")
    for case, found in evidence.beside(
        told, "isolation.persons", lambda c: [c["person_id"]], "case_ids"
    ):
        known = found.get(case["person_id"], {}).get("case_ids", ())
        yield judged(case["_id"] in known, f"{case['person_id']}: case {case['_id']}")


# -- doors ----------------------------------------------------------------------------------------


def isolations_doors(evidence: Evidence) -> Iterator[Verdict]:
    """Every stop of head counts and notices, at the door of its household."""
    rounds = evidence.rows("dispatch.rounds", {"kind": {"$in": list(_AT_DOORS)}}, "kind")
    recorded = (
        (round_, stop)
        for round_, stops in evidence.gathered(
            rounds, "dispatch.stops", "round_id", lambda r: r["_id"]
        )
        for stop in stops
    )
    for (round_, stop), found in evidence.beside(
        recorded, "isolation.doors", lambda pair: [_door_of(pair[1])]
    ):
        door = found.get(_door_of(stop), {})
        held = _named(door.get("stops", ()), "stop_id", stop["_id"])
        seen = [{k: p[k] for k in ("person_id", "finding")} for p in stop["persons"]]
        same = (
            bool(held)
            and held["kind"] == round_["kind"]
            and held["persons"] == seen
            and not list(
                unlike(stop, held, "outcome", "revision", at="recorded_at", by="recorded_by")
            )
        )
        yield judged(same, f"{_door_of(stop)}: stop {stop['_id']}")
    doors = evidence.rows("isolation.doors", None, "stops.stop_id")
    where = ("building", "household_id")
    for door, found in evidence.beside(
        doors, "dispatch.stops", lambda d: [s["stop_id"] for s in d["stops"]], *where
    ):
        for stop in door["stops"]:
            source = found.get(stop["stop_id"])
            if source is None or _door_of(source) != door["_id"]:
                yield f"{door['_id']}: stop {stop['stop_id']}: nobody told"


def _door_of(stop: Row) -> str:
    return natural_id("door", stop["building"], stop["household_id"])


# -- what dispatch knows of a household -----------------------------------------------------------


def dispatchs_households(evidence: Evidence) -> Iterator[Verdict]:
    """Every order and every decision of a roll, at the household it belongs to."""
    orders = evidence.rows("isolation.orders")
    for order, found in evidence.beside(
        orders, "dispatch.households", lambda o: [o["household_id"]]
    ):
        door = found.get(order["household_id"], {})
        held = _named(door.get("orders", ()), "order_id", order["_id"])
        yield judged(_is_order(order, held), f"{order['household_id']}: order {order['_id']}")
    yield from _checks(evidence)
    for door, found in evidence.beside(
        evidence.rows("dispatch.households"),
        "isolation.orders",
        lambda d: [o["order_id"] for o in d["orders"]],
        "household_id",
    ):
        yield from _superfluous(door, found)


def _is_order(source: Row, held: Row) -> bool:
    return (
        bool(held)
        and held["open"] == (source["state"] in OPEN_ORDERS)
        and held["needs"] == sorted(source["needs"])
        and not list(
            unlike(
                source, held, "person_id", "revision", "measure", "at_home", "start_on", "seal_id"
            )
        )
    )


def _checks(evidence: Evidence) -> Iterator[Verdict]:
    """Who is simply expected since the beginning is told by the order alone."""
    sheets = evidence.rows("isolation.sheets")
    for sheet, found in evidence.beside(
        sheets, "dispatch.households", lambda s: [s["household_id"]]
    ):
        checks = found.get(sheet["household_id"], {}).get("checks", ())
        held = {c["person_id"]: c for c in checks if c["seal_id"] == sheet["seal_id"]}
        for entry in sheet["entries"]:
            if entry["status"] == "expected" and entry["revision"] == 1:
                continue
            same = not list(unlike(entry, held.get(entry["person_id"], {}), "status", "revision"))
            yield judged(same, f"{sheet['household_id']}: {entry['person_id']} on the roll")


def _superfluous(door: Row, orders: dict[str, Row]) -> Iterator[Verdict]:
    scopes: set[str] = set()
    for held in door["orders"]:
        order = orders.get(held["order_id"])
        if order is None:
            yield f"{door['_id']}: order {held['order_id']}: nobody told"
        elif order["household_id"] != door["_id"] and held["open"]:
            yield f"{door['_id']}: order {held['order_id']}: is another household's now"
        if held["open"] and held["at_home"]:
            scopes |= {scope for scope in (scope_of(held, door["building"]),) if scope}
    yield judged(door["scopes"] == sorted(scopes), f"{door['_id']}: scopes")


def scope_of(order: Row, building: str) -> str | None:
    """Where an order's person is served: in the seal, at home in the community, or nowhere."""
    if order["seal_id"] is not None:
        return str(order["seal_id"])
    return home_scope(building) if order["measure"] in _VISITED else None


def home_scope(building: str) -> str:
    """The scope of home quarantine: the community of the building."""
    return natural_id("scope", at_level(building, Level.COMMUNITY) or building)


# -- symptoms -------------------------------------------------------------------------------------


def isolations_complaints(evidence: Evidence) -> Iterator[Verdict]:
    """The newest word of every report."""
    for event, found in evidence.beside(
        _reports(evidence), "isolation.complaints", lambda e: [e["subject"]]
    ):
        held, data = found.get(event["subject"]), orjson.loads(event["data"])
        newer = held is not None and held["revision"] > data["revision"]
        same = held is not None and (
            held["person_id"] == data["person_id"]
            and held["revision"] == data["revision"]
            and held["reported_at"] == _instant(data["reported_at"])
        )
        yield judged(newer or same, str(event["subject"]))
    said = evidence.rows("isolation.complaints", None, "revision")
    for complaint, found in evidence.beside(
        said, "journal.events", lambda c: [_report_event(c["_id"], c["revision"])], "_id"
    ):
        yield judged(bool(found), f"{complaint['_id']}: nobody told")


def dispatchs_alarms(evidence: Evidence) -> Iterator[Verdict]:
    """Every report of a person, and the newest verdict where it asks for an escort."""
    reported = ((e, orjson.loads(e["data"])["person_id"]) for e in _reports(evidence))
    for (event, person_id), found in evidence.beside(
        reported, "dispatch.alarms", lambda pair: [pair[1]], "reports"
    ):
        known = found.get(person_id, {}).get("reports", ())
        named = bool(_named(known, "report_id", event["subject"]))
        yield judged(named, f"{person_id}: report {event['subject']}")
    held = (
        (alarm["_id"], report["report_id"])
        for alarm in evidence.rows("dispatch.alarms", None, "reports")
        for report in alarm["reports"]
    )
    for (person_id, report_id), told in evidence.gathered(
        held, "journal.events", "subject", lambda pair: pair[1], "subject", "data"
    ):
        own = any(orjson.loads(event["data"])["person_id"] == person_id for event in told)
        yield judged(own, f"{person_id}: report {report_id}: nobody told")
    yield from _escorting_verdicts(evidence)


def _escorting_verdicts(evidence: Evidence) -> Iterator[Verdict]:
    assessed = evidence.rows("screening.dossiers", {"outcome": {"$ne": None}})
    for dossier, found in evidence.beside(assessed, "dispatch.alarms", lambda d: [d["_id"]]):
        held = found.get(dossier["_id"], {})
        if held.get("verdict") is None:
            first = dossier["statement"]["revision"] == 1 and dossier["outcome"] != "hospital"
            yield judged(first, f"{dossier['_id']}: verdict")
            continue
        same = not list(unlike(dossier, held, verdict="outcome", verdict_at="assessed_at"))
        yield judged(same, f"{dossier['_id']}: verdict")
    heard = evidence.rows("dispatch.alarms", {"verdict": {"$ne": None}}, "_id")
    for alarm, found in evidence.beside(
        heard, "screening.dossiers", lambda a: [a["_id"]], "outcome"
    ):
        if not found.get(alarm["_id"], {}).get("outcome"):
            yield f"{alarm['_id']}: verdict: nobody told"


def _reports(evidence: Evidence) -> Any:
    return evidence.rows("journal.events", {"type": "symptom.reported"}, "subject", "data")


def _instant(text: str) -> datetime:
    return to_milliseconds(datetime.fromisoformat(text))


def _report_event(report_id: str, revision: int) -> str:
    return natural_id("symptom.reported", report_id, revision, 1)


PERSONS = read_model(
    "isolation.persons", "screening", ("isolation", "screening"), isolations_persons
)
DOORS = read_model("isolation.doors", "dispatch.stops", ("isolation", "dispatch"), isolations_doors)
HOUSEHOLDS = read_model(
    "dispatch.households", "isolation", ("dispatch", "isolation"), dispatchs_households
)
COMPLAINTS = read_model(
    "isolation.complaints", "journal.events", ("isolation", "journal"), isolations_complaints
)
ALARMS = read_model(
    "dispatch.alarms", "journal.events", ("dispatch", "journal", "screening"), dispatchs_alarms
)
