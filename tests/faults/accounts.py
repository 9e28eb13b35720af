"""Receipts against the state: what callers were told is there, and nothing is there twice.

Each form taken makes the next revision of its person's declaration, so a command that took effect
twice shows as a revision that nobody was told of.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lianfang.testing.district import PrivateDistrict
from tests.faults.audited import audited
from tests.faults.callers import Receipt

_FORMS = ("declaration.submit_declaration", "declaration.submit_declarations")
#: What a case's command says in the journal, once for each case.
_WORDS = {
    "screening.report_case": "case.suspected",
    "screening.confirm_case": "case.confirmed",
    "screening.discard_case": "case.discarded",
}


@dataclass(slots=True)
class Account:
    """What the comparison found."""

    acknowledged: int
    lost: int = 0
    twice: int = 0
    broken: list[str] = field(default_factory=list)

    def compare(self, what: str, wanted: Counter[str], found: Counter[str]) -> None:
        """Count what is missing and what is too much, and name the first offenders."""
        lost, twice = wanted - found, found - wanted
        self.lost += lost.total()
        self.twice += twice.total()
        for word, offenders in (("missing", lost), ("too often", twice)):
            if offenders:
                named = ", ".join(f"{key} ×{n}" for key, n in offenders.most_common(3))
                self.broken.append(f"{what}: {offenders.total()} {word}: {named}")


def settle(district: PrivateDistrict, receipts: Sequence[Receipt], ledger: Path) -> Account:
    """Compare everything that `receipts` promise with the stores of an idle district.

    `ledger` holds the same receipts, for the audit, which looks at all the rest too.
    """
    account = Account(len(receipts))
    revisions = _revisions(receipts)
    _check_declarations(district, account, revisions)
    _check_cases(district, account, receipts)
    commands = [
        row["_id"]["request_id"]
        for service in district.services
        for row in district.database(service).commands.find({}, {"_id": 1})
    ]
    told = Counter(receipt.request_id for receipt in receipts)
    kept = Counter(request_id for request_id in commands if request_id in told)
    account.compare("commands", told, kept)
    account.broken += audited(district, ledger)
    return account


def _revisions(receipts: Sequence[Receipt]) -> Counter[str]:
    """How often each declaration was taken, by what callers were told."""
    taken: Counter[str] = Counter()
    for receipt in receipts:
        if receipt.command.method in _FORMS:
            for answer in receipt.answer.get("declarations", [receipt.answer]):
                taken[answer["declaration_id"]] += 1
    return taken


def _check_declarations(
    district: PrivateDistrict, account: Account, revisions: Counter[str]
) -> None:
    ids = list(revisions)
    rows = district.database("declaration").declarations.find(
        {"_id": {"$in": ids}}, {"revision": 1}
    )
    account.compare("declarations", revisions, Counter({r["_id"]: r["revision"] for r in rows}))
    journal = _journal(district, "declaration.submitted")
    account.compare("journal, submitted", revisions, Counter({k: journal[k] for k in ids}))
    statements = district.database("screening").dossiers.find(
        {"statement.declaration_id": {"$in": ids}}, {"statement": 1}
    )
    assessed = {d["statement"]["declaration_id"]: d["statement"]["revision"] for d in statements}
    account.compare("assessed", revisions, Counter(assessed))


def _check_cases(district: PrivateDistrict, account: Account, receipts: Sequence[Receipt]) -> None:
    told: dict[str, Counter[str]] = defaultdict(Counter)
    states: dict[str, tuple[int, str]] = {}
    for receipt in receipts:
        word = _WORDS.get(receipt.command.method)
        if word is not None:
            case_id = receipt.answer["case_id"]
            told[word][case_id] += 1
            now = (receipt.answer["revision"], receipt.answer["state"])
            states[case_id] = max(states.get(case_id, now), now)
    for word, wanted in told.items():
        account.compare(f"journal, {word}", wanted, _journal(district, word))
    cases = {row["_id"]: row["state"] for row in district.database("screening").cases.find()}
    expected = Counter(f"{case_id} {state}" for case_id, (_, state) in states.items())
    account.compare("cases", expected, Counter(f"{key} {cases[key]}" for key in cases))


def _journal(district: PrivateDistrict, event_type: str) -> Counter[str]:
    """How many events of a type the journal has of each subject."""
    match = {"$match": {"type": event_type}}
    group = {"$group": {"_id": "$subject", "n": {"$sum": 1}}}
    rows = district.database("journal").events.aggregate([match, group], allowDiskUse=True)
    return Counter({row["_id"]: row["n"] for row in rows})


def duplicates(district: PrivateDistrict) -> dict[str, int]:
    """What came twice to the running processes, and what they did about it."""
    metrics: dict[str, tuple[str, dict[str, Any]]] = {
        "redelivered": ("lianfang_redelivered_total", {}),
        "commands repeated": ("lianfang_commands_repeated_total", {}),
        "known to the inbox": ("lianfang_messages_total", {"outcome": "duplicate"}),
        "units run again": ("lianfang_unit_reruns_total", {}),
    }
    return {
        word: sum(district.counted(name, metric, **labels) for name in district.processes)
        for word, (metric, labels) in metrics.items()
    }
