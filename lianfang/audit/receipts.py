"""Invariants of what was promised: receipts, and what became of every declaration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from lianfang.audit.evidence import Evidence, Row, batches
from lianfang.audit.finding import HOLDS, Verdict, invariant, judged
from lianfang.client.ledger import read
from lianfang.envelope import natural_id

#: The commands that make a revision of a declaration.
_SUBMIT = "declaration.submit_declaration"
_FORM_EVENTS = ("declaration.submitted",)
_CASE_EVENTS = (
    "case.suspected",
    "case.confirmed",
    "case.amended",
    "case.discarded",
    "case.closed",
)

# -- the ledger -----------------------------------------------------------------------------------


@invariant(
    "receipts-kept",
    "账本中的每张回执都恰好登记一次，答复与当时相同",
    "every receipt of the ledger is in the register exactly once, with the answer that was given",
    "ledger",
)
def receipts_kept(evidence: Evidence) -> Iterator[Verdict]:
    """A command is remembered with its effect in one transaction; here is what it answered."""
    assert evidence.ledger is not None  # noqa: S101 - needed, so it is there
    for batch in batches(read(evidence.ledger)):
        kept = _commands(evidence, batch)
        for receipt in batch:
            answers = kept.get(receipt["request_id"], [])
            same = [answer for answer in answers if _agrees(answer, receipt)]
            yield judged(len(same) == 1, f"{receipt['request_id']}: {len(same)} of it")


def _commands(evidence: Evidence, receipts: list[Row]) -> dict[str, list[Row]]:
    """The remembered commands of these receipts, by request."""
    keys = [_key(receipt) for receipt in receipts]
    where: dict[str, Any] = {"_id": {"$in": keys}}
    if None in keys:
        where = {"_id.request_id": {"$in": [receipt["request_id"] for receipt in receipts]}}
    kept: dict[str, list[Row]] = {}
    for service in evidence.databases:
        for row in evidence.rows(f"{service}.commands", where, "answer"):
            kept.setdefault(row["_id"]["request_id"], []).append(
                {**row["_id"], "service": service, "answer": orjson.loads(row["answer"])}
            )
    return kept


def _key(receipt: Row) -> dict[str, Any] | None:
    """The key of a command, in the order in which it is stored; None where the receipt lacks it."""
    if "caller" not in receipt or "method" not in receipt:
        return None
    method = receipt["method"].partition(".")[2]
    key = {"caller": receipt["caller"], "method": method}
    return {**key, "request_id": receipt["request_id"]}


def _agrees(command: Row, receipt: Row) -> bool:
    named = f"{command['service']}.{command['method']}"
    return (
        receipt.get("method", named) == named
        and receipt.get("caller", command["caller"]) == command["caller"]
        and bool(receipt["answer"] == command["answer"])
    )


@dataclass(frozen=True, slots=True)
class _Said:
    """What an answer promised: a declaration or a case, at a revision."""

    key: str
    revision: int
    types: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """The events of which one says it."""
        return [natural_id(kind, self.key, self.revision, 1) for kind in self.types]


@invariant(
    "receipts-in-effect",
    "回执中的每份申报、每个病例都已说出，且同一版本只答复过一次",
    "every declaration and case of a receipt was said, and none twice",
    "ledger",
    "journal",
)
def receipts_in_effect(evidence: Evidence) -> Iterator[Verdict]:
    """Two receipts of one revision would be two declarations of which one is lost."""
    assert evidence.ledger is not None  # noqa: S101 - needed, so it is there
    seen: set[tuple[str, int]] = set()
    promised = (said for receipt in read(evidence.ledger) for said in _said(receipt))
    for said, found in evidence.beside(
        promised, "journal.events", lambda promise: promise.words, "_id"
    ):
        named = f"{said.key} revision {said.revision}"
        if not found:
            yield f"{named}: not in the journal"
            continue
        once = (said.key, said.revision) not in seen or said.types != _FORM_EVENTS
        seen.add((said.key, said.revision))
        yield judged(once, f"{named}: promised twice")


def _said(receipt: Row) -> Iterator[_Said]:
    answer, method = receipt["answer"], receipt.get("method", _SUBMIT)
    for form in answer.get("declarations", [answer]):
        if method.startswith(_SUBMIT) and "declaration_id" in form:
            yield _Said(form["declaration_id"], form["revision"], _FORM_EVENTS)
    if "case_id" in answer and "revision" in answer:
        yield _Said(answer["case_id"], answer["revision"], _CASE_EVENTS)


# -- declarations ---------------------------------------------------------------------------------


@invariant(
    "declarations-settled",
    "受理 = 已审核 + 滞留：每份申报都有针对其最新版本的审核结果，或其消息滞留待处置",
    "accepted = assessed + parked: every declaration has a verdict on its newest revision, "
    "or its message is parked",
    "declaration",
    "screening",
    "journal",
)
def declarations_settled(evidence: Evidence) -> Iterator[Verdict]:
    """What a person declared last is what screening judged, with its household and claims."""
    forms = evidence.rows("declaration.declarations", None, "person_id", "revision", "facts")
    judged_ = evidence.beside(forms, "screening.dossiers", lambda form: [form["person_id"]])
    open_ones: list[Row] = []
    for form, found in judged_:
        if _is_verdict_on(found.get(form["person_id"], {}), form):
            yield HOLDS
        else:
            open_ones.append(form)
    for form, messages in evidence.gathered(
        open_ones, "journal.parked", "message_id", _submission, "origin", "message_id", "state"
    ):
        parked = [m for m in messages if m["origin"] == "q.screening.declarations"]
        yield judged(
            any(m["state"] != "replayed" for m in parked),
            f"{form['_id']} revision {form['revision']}",
        )


def _submission(form: Row) -> str:
    return natural_id("declaration.submitted", form["_id"], form["revision"], 1)


def _is_verdict_on(dossier: Row, form: Row) -> bool:
    facts, statement = form["facts"], dossier.get("statement") or {}
    claims = [c for c in facts["contact_claims"] if c["case_id"]]
    return (
        (statement.get("declaration_id"), statement.get("revision"))
        == (form["_id"], form["revision"])
        and statement["declared_at"] == facts["declared_at"]
        and dossier["outcome"] is not None
        and dossier["household_id"] == facts["household_id"]
        and dossier["building"] == facts["building"]
        and _claims(dossier["claims"]) == _claims(claims)
        and set(dossier["claimed"]) == {claim["case_id"] for claim in claims}
    )


def _claims(claims: Iterable[Row]) -> list[tuple[Any, ...]]:
    return sorted((c["case_id"], c["kind"], c["last_on"]) for c in claims)


@invariant(
    "verdicts-declared",
    "每个审核结果都有对应的申报",
    "every verdict is on a declaration that exists",
    "screening",
    "declaration",
)
def verdicts_declared(evidence: Evidence) -> Iterator[Verdict]:
    """Nobody is judged on what nobody said."""
    assessed = evidence.rows("screening.dossiers", {"outcome": {"$ne": None}}, "statement")
    for dossier, found in evidence.beside(
        assessed,
        "declaration.declarations",
        lambda d: [d["statement"]["declaration_id"]],
        "revision",
    ):
        form = found.get(dossier["statement"]["declaration_id"], {"revision": 0})
        yield judged(form["revision"] >= dossier["statement"]["revision"], str(dossier["_id"]))


# -- what was decided was said --------------------------------------------------------------------


@invariant(
    "decisions-said",
    "最新决定都已作为事件说出并进入日志",
    "the newest state of everything that is numbered was said, and the journal heard it",
    "journal",
)
def decisions_said(evidence: Evidence) -> Iterator[Verdict]:
    """From the other side than `journal-unbroken`: the last number is in the journal too."""
    for name, where, revision, types in _NUMBERED:
        if name.partition(".")[0] not in evidence.databases:
            continue
        rows = evidence.rows(name, where, revision)

        def words(row: Row, types: Any = types, revision: str = revision) -> list[str]:
            return [natural_id(kind, row["_id"], row[revision], 1) for kind in types]

        for row, found in evidence.beside(rows, "journal.events", words, "_id"):
            yield judged(bool(found), f"{name} {row['_id']} revision {row[revision]}")


#: Collections whose revision counts words, and the types of these words.
_NUMBERED: tuple[tuple[str, Row, str, tuple[str, ...]], ...] = (
    ("declaration.declarations", {}, "revision", _FORM_EVENTS),
    ("declaration.persons", {"moves": {"$gt": 0}}, "moves", ("resident.moved",)),
    ("screening.samples", {"revision": {"$gt": 0}}, "revision", ("sample.resulted",)),
    ("screening.cases", {}, "revision", _CASE_EVENTS),
    ("isolation.foci", {}, "revision", ("focus.declared", "focus.cleared")),
)
