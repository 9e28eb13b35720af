"""The comparison finds what it is there to find: each kind of damage, planted in real stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lianfang.client.ledger import Ledger
from lianfang.testing.district import INGEST, PrivateDistrict
from lianfang.testing.servers import Servers
from tests.faults.accounts import Account, settle
from tests.faults.callers import Command, Receipt
from tests.faults.flow import noted, private_name


@pytest.fixture
def district() -> Iterator[PrivateDistrict]:
    """Stores of a district in which nothing runs."""
    made = PrivateDistrict(Servers.read(), private_name("accounts"), INGEST)
    yield made
    made.erase()
    made.client.close()


def receipt(number: int) -> Receipt:
    """A form that somebody was told is taken."""
    answer = {"declaration_id": "d", "person_id": "p", "revision": number}
    return Receipt(f"r{number}", Command("declaration.submit_declaration", {}), answer)


def plant(district: PrivateDistrict, *, revision: int, said: int, kept: int) -> None:
    """Let the stores say that one declaration was taken so often."""
    declaration = district.database("declaration")
    declaration.declarations.insert_one({"_id": "d", "revision": revision})
    for n in range(kept):
        key = {"caller": "c", "method": "submit_declaration", "request_id": f"r{n + 1}"}
        declaration.commands.insert_one({"_id": key})
    for n in range(said):
        event = {"_id": f"e{n}", "type": "declaration.submitted", "subject": "d"}
        district.database("journal").events.insert_one(event)
    statement: dict[str, Any] = {"declaration_id": "d", "revision": revision}
    district.database("screening").dossiers.insert_one({"_id": "p", "statement": statement})


@pytest.mark.parametrize(
    ("planted", "lost", "twice"),
    [
        ({"revision": 2, "said": 2, "kept": 2}, 0, 0),
        ({"revision": 1, "said": 2, "kept": 2}, 2, 0),  # in the register and in its verdict
        ({"revision": 3, "said": 2, "kept": 2}, 0, 2),
        ({"revision": 2, "said": 1, "kept": 2}, 1, 0),  # the journal heard of one only
        ({"revision": 2, "said": 3, "kept": 2}, 0, 1),
        ({"revision": 2, "said": 2, "kept": 1}, 1, 0),  # no such command
    ],
)
def test_what_is_missing_and_what_is_too_much_is_counted(
    district: PrivateDistrict, tmp_path: Path, planted: dict[str, int], lost: int, twice: int
) -> None:
    plant(district, **planted)
    receipts = [receipt(1), receipt(2)]
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        for each in receipts:
            noted(ledger, district.name)(each)
    account = settle(district, receipts, ledger.path)
    assert (account.lost, account.twice) == (lost, twice)
    assert account.acknowledged == 2


def test_the_first_offenders_are_named() -> None:
    account = Account(4)
    account.compare("things", Counter(a=3, b=1), Counter(b=2))
    assert account.broken == ["things: 3 missing: a ×3", "things: 1 too often: b ×1"]
