"""`lianfang audit` as an operator runs it: what it ends with, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lianfang.audit.catalogue import INVARIANTS
from lianfang.client.ledger import Ledger
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.servers import Servers

LIANFANG = Path(sys.executable).with_name("lianfang")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def district() -> Iterator[PrivateDistrict]:
    """Prepared, and no service ever ran in it."""
    made = PrivateDistrict(Servers.read(), "audited")
    made.prepare()
    yield made
    made.erase()
    made.client.close()


@pytest.fixture
def run(district: PrivateDistrict) -> Run:
    """The command in the environment of that district."""

    def said(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
        own = {
            "LIANFANG_DISTRICT": district.name,
            "LIANFANG_DATABASE_PREFIX": district.prefix,
            "COLUMNS": "160",
        }
        return subprocess.run(
            [LIANFANG, "audit", *words],
            env={**os.environ, **district.servers.environment(), **own, **env},
            capture_output=True,
            text=True,
            check=False,
        )

    return said


@pytest.fixture
def stuck(district: PrivateDistrict) -> Iterator[str]:
    """A row that the broker refuses."""
    rows = district.database("isolation").outbox
    rows.insert_one({"_id": "row-7", "key": "seal.imposed.4403", "stuck": True, "error": "too big"})
    yield "row-7"
    rows.delete_one({"_id": "row-7"})


def test_a_district_in_order_ends_with_0_and_every_line_holds(run: Run) -> None:
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == sum("ledger" not in r.needs for r in INVARIANTS) + 1
    assert "全部成立" in done.stdout


def test_an_offender_ends_with_2_and_is_named(run: Run, stuck: str) -> None:
    done = run("--lang", "en")
    assert done.returncode == 2
    assert done.stdout.count("✗") == 2
    assert stuck in done.stdout
    assert "1 do not hold" in done.stdout


def test_machines_read_every_finding(run: Run, stuck: str, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        ledger.note({"request_id": "r1", "answer": {}})
    done = run("--json", "--ledger", str(ledger.path))
    document: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, document["holds"]) == (2, False)
    assert [finding["name"] for finding in document["findings"]] == [r.name for r in INVARIANTS]
    broken = {f["name"]: f["offenders"] for f in document["findings"] if not f["holds"]}
    assert set(broken) == {"outboxes-unstuck", "receipts-kept"}
    assert stuck in broken["outboxes-unstuck"][0]


@pytest.mark.parametrize(
    ("env", "told"),
    [
        ({"AMQP_MANAGEMENT_URI": ""}, "AMQP_MANAGEMENT_URI"),
        ({"MONGO_URI": ""}, "MONGO_URI"),
        ({"LIANFANG_DATABASE_PREFIX": "nobody"}, "nobody_journal"),
        ({"AMQP_MANAGEMENT_URI": "http://a:b@127.0.0.1:9"}, "broker management"),
    ],
)
def test_what_cannot_be_looked_at_ends_with_1_and_one_line(
    run: Run, env: dict[str, str], told: str
) -> None:
    done = run(**env)
    assert done.returncode == 1
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ledger_that_is_not_there_is_named(run: Run) -> None:
    done = run("--ledger", "/nowhere/ledger.jsonl")
    assert done.returncode == 1
    assert "/nowhere/ledger.jsonl" in done.stderr
