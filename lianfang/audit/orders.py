"""Invariants of orders: who is closed in has one, nobody has two, none outlives its reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from lianfang.audit.copies import CLOSED_STATES, INFECTED
from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.envelope import natural_id

_QUARANTINED = {"home_quarantine": "home", "centralised_quarantine": "facility"}
_STRICTNESS = ("isolation", "facility", "sealed", "home")
_ALIVE = {"custody": {"$ne": "deceased"}}


# -- one each -------------------------------------------------------------------------------------


@invariant(
    "one-open-order",
    "任何人同时至多有一张生效的管控令",
    "nobody has two open orders",
    "isolation",
)
def one_open_order(evidence: Evidence) -> Iterator[Verdict]:
    """One person, one measure, however many reasons."""
    by_person = {"$group": {"_id": "$person_id", "n": {"$sum": 1}}}
    for row in evidence.groups("isolation.orders", {"$match": {"is_open": True}}, by_person):
        yield judged(row["n"] == 1, f"{row['_id']}: {row['n']}")


@invariant(
    "orders-consistent",
    "每张管控令的状态、措施与其存续理由一致：措施取最严，期限取最晚",
    "every order is what its reasons make it: the strictest measure, the latest day",
    "isolation",
)
def orders_consistent(evidence: Evidence) -> Iterator[Verdict]:
    """An open order stands on something; an ended one on nothing any more."""
    for order in evidence.rows("isolation.orders"):
        wrong = ", ".join(_inconsistent(order))
        yield judged(not wrong, f"{order['_id']}: {wrong}")


def _inconsistent(order: Row) -> Iterator[str]:
    standing = [reason for reason in order["reasons"] if reason["stands"]]
    is_open = order["state"] in ("ordered", "served", "observing", "release_due")
    if order["is_open"] != is_open:
        yield "is_open"
    if bool(standing) != is_open:
        yield "reasons"
    borne = standing if is_open else order["reasons"]
    if borne and order["measure"] != min((r["measure"] for r in borne), key=_STRICTNESS.index):
        yield "measure"
    if borne and order["due_on"] != max(reason["due_on"] for reason in borne):
        yield "due_on"


@invariant(
    "facility-waitlisted",
    "尚无集中隔离点与床位：须集中隔离者都在候床名单上，其余的人都不在，因此不会超额占床",
    "there are no stations yet: whoever owes a facility bed stands waitlisted, and nobody else, "
    "so that no bed is given at all",
    "isolation",
)
def facility_waitlisted(evidence: Evidence) -> Iterator[Verdict]:
    """A facility order that waits for nothing would say that its person had moved."""
    orders = evidence.rows("isolation.orders", {"is_open": True}, "measure", "waitlisted")
    for order in orders:
        owed = order["measure"] == "facility"
        yield judged(order["waitlisted"] == owed, str(order["_id"]))


# -- no order without a cause ---------------------------------------------------------------------


@invariant(
    "orders-caused",
    "每张生效管控令的每条理由都仍然成立",
    "every reason that an open order stands on still holds",
    "isolation",
    "screening",
)
def orders_caused(evidence: Evidence) -> Iterator[Verdict]:
    """No order outlives its case, its contact, its verdict or its seal."""
    for kind in _REASONS:
        yield from _still_caused(evidence, kind)


def _still_caused(evidence: Evidence, kind: str) -> Iterator[Verdict]:
    source, holds = _REASONS[kind]
    where = {"is_open": True, "reasons": {"$elemMatch": {"kind": kind, "stands": True}}}
    asked = (
        (order, reason)
        for order in evidence.rows("isolation.orders", where, "person_id", "reasons")
        for reason in order["reasons"]
        if reason["kind"] == kind and reason["stands"]
    )
    for (order, reason), found in evidence.beside(
        asked, source, lambda pair: [_source_key(kind, *pair)]
    ):
        cause = found.get(_source_key(kind, order, reason))
        fine = cause is not None and holds(cause, order, reason)
        yield judged(fine, f"{order['_id']}: {kind} {reason['id']}")


def _source_key(kind: str, order: Row, reason: Row) -> str:
    return str(order["person_id"] if kind == "assessment" else reason["id"])


def _seal_holds(seal: Row, _order: Row, _reason: Row) -> bool:
    return seal["state"] in CLOSED_STATES


def _contact_holds(contact: Row, order: Row, _reason: Row) -> bool:
    stands = contact["state"] != "dropped" and contact["category"] == "close"
    return stands and bool(contact["person_id"] == order["person_id"])


def _verdict_holds(dossier: Row, order: Row, reason: Row) -> bool:
    own = natural_id("assessment", order["person_id"])
    return dossier["outcome"] in _QUARANTINED and reason["id"] == own


def _case_holds(case: Row, order: Row, _reason: Row) -> bool:
    alive = case["state"] in INFECTED and case["custody"] != "deceased"
    return alive and bool(case["person_id"] == order["person_id"])


_REASONS: dict[str, tuple[str, Callable[[Row, Row, Row], bool]]] = {
    "seal": ("isolation.seals", _seal_holds),
    "contact": ("screening.contacts", _contact_holds),
    "assessment": ("screening.dossiers", _verdict_holds),
    "case": ("screening.cases", _case_holds),
}


# -- no cause without an order --------------------------------------------------------------------


@invariant(
    "causes-ordered",
    "每名感染者、每名密接、每个须隔离的审核结果都有生效的管控令，或有记录在案的终结理由",
    "everybody infected, in close contact or judged to quarantine has an open order because of it, "
    "or a recorded reason why it is over",
    "isolation",
    "screening",
)
def causes_ordered(evidence: Evidence) -> Iterator[Verdict]:
    """What asks for an order has got one: released by somebody, or ended by recovery or death."""
    for kind, rows, key in _causes(evidence):
        owed = list[tuple[str, str]]()
        pairs = ((str(row["person_id"]), key(row)) for row in rows)
        for (person_id, cause), orders in evidence.gathered(
            pairs, "isolation.orders", "person_id", lambda pair: pair[0]
        ):
            if any(_answers(order, kind, cause) for order in orders):
                yield HOLDS
            else:
                owed.append((person_id, cause))
        for (person_id, cause), cases in evidence.gathered(
            owed, "screening.cases", "person_id", lambda pair: pair[0]
        ):
            over = kind != "case" and any(_is_past(case) for case in cases)
            yield judged(over, f"{person_id}: {kind} {cause}")


def _causes(evidence: Evidence) -> Iterator[tuple[str, Any, Any]]:
    infected = {"state": {"$in": list(INFECTED)}, **_ALIVE}
    yield "case", evidence.rows("screening.cases", infected, "person_id"), _own_key
    close = {"state": {"$ne": "dropped"}, "category": "close"}
    yield "contact", evidence.rows("screening.contacts", close, "person_id"), _own_key
    bound = evidence.rows("screening.dossiers", {"outcome": {"$in": list(_QUARANTINED)}}, "_id")
    persons = ({"person_id": dossier["_id"]} for dossier in bound)
    yield "assessment", persons, lambda row: natural_id("assessment", row["person_id"])


def _own_key(row: Row) -> str:
    return str(row["_id"])


def _answers(order: Row, kind: str, cause: str) -> bool:
    """Whether the order stands on this cause, or ended what it asked for."""
    reasons = [r for r in order["reasons"] if (r["kind"], r["id"]) == (kind, cause)]
    if order["state"] == "released":
        return bool(reasons) and kind != "case"
    return order["state"] == "ended_by_death" or any(reason["stands"] for reason in reasons)


def _is_past(case: Row) -> bool:
    """Whoever recovered is no contact any more, and the dead are ordered nothing."""
    recovered = case["state"] == "closed" and case["outcome"] == "recovered"
    died = case["outcome"] == "died" or case["custody"] == "deceased"
    return bool(recovered or died)
