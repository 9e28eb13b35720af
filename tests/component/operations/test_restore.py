"""The backup of `docs/how-to/restore-from-backup.md`, taken and put back for real."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import forms
from lianfang.audit import audit
from lianfang.audit.district import still_queues
from lianfang.client import District
from lianfang.errors import NotFound
from lianfang.testing.district import INGEST, PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.servers import ROOT
from tests.component.operations.copied import CopiedServers

pytestmark = [
    pytest.mark.timeout(600),
    # The servers are known by their recorded pid; nobody keeps the handles of their processes.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LIANFANG = Path(sys.executable).with_name("lianfang")
NAME = "restored"
BEFORE, ON_ITS_WAY, AFTER = "before", "on-its-way", "after"


@pytest.fixture(scope="module")
def copied() -> Iterator[CopiedServers]:
    """Servers of this module's own."""
    own = CopiedServers()
    own.up()
    try:
        with pytest.MonkeyPatch.context() as patch:
            servers = own.servers
            patch.setenv("AMQP_MANAGEMENT_URI", servers.management_uri)
            patch.setenv("AMQP_HOST", servers.amqp_host)
            patch.setenv("MONGO_URI", servers.mongo_uri)
            yield own
    finally:
        own.down()


@pytest.fixture(scope="module")
def district(copied: CopiedServers) -> Iterator[PrivateDistrict]:
    """A district that was copied while one declaration was on its way, and lived on afterwards."""
    district = PrivateDistrict(copied.servers, NAME, INGEST)
    try:
        live_on(copied, district)
        yield district
    finally:
        district.client.close()


def live_on(copied: CopiedServers, district: PrivateDistrict) -> None:
    district.prepare()
    with district.running() as children, district.caller() as caller:
        places = forms.places(NAME)
        for start in range(0, len(places), forms.CALL):
            part = places[start : start + forms.CALL]
            caller.command("declaration.register_place", places=part)
        declare(caller, BEFORE)
        wait_until_idle(caller, INGEST)
        children["screening"].stop()
        declare(caller, ON_ITS_WAY)
        wait_until_idle(caller, ("journal", "declaration"))
    copied.copy()
    with district.running(), district.caller() as caller:
        declare(caller, AFTER)
        wait_until_idle(caller, INGEST)
        assert declared(caller) == assessed(caller) == {BEFORE, ON_ITS_WAY, AFTER}


def declare(caller: District, which: str, request_id: str | None = None) -> dict[str, Any]:
    """One person's declaration; without another id it is always the same request."""
    n = (BEFORE, ON_ITS_WAY, AFTER).index(which)
    form = forms.form(n, forms.buildings(NAME)[0], 0, n, random.Random(n))
    asked = {"request_id": request_id or f"request-{which}", "forms": [form]}
    (taken,) = caller.command("declaration.submit_declarations", **asked)["declarations"]
    RECEIPTS.setdefault(which, taken)
    return dict(taken)


#: What the callers were told, as their own ledger would hold it.
RECEIPTS: dict[str, dict[str, Any]] = {}


def declared(caller: District) -> set[str]:
    """Whose declaration is in the register."""
    method, key = "declaration.get_declaration", "declaration_id"
    return {which for which, r in RECEIPTS.items() if known(caller, method, **{key: r[key]})}


def assessed(caller: District) -> set[str]:
    """Whose declaration has a verdict."""
    method, key = "screening.get_assessment", "person_id"
    return {which for which, r in RECEIPTS.items() if known(caller, method, **{key: r[key]})}


def known(caller: District, method: str, **what: str) -> bool:
    try:
        return bool(caller.query(method, **what))
    except NotFound:
        return False


def broken(district: PrivateDistrict) -> dict[str, tuple[str, ...]]:
    """The invariants that the audit found broken, with the offenders."""
    queues = still_queues(district.servers.administration, district.vhost)
    found = audit({name: district.database(name) for name in INGEST}, queues)
    assert len(found) > 5
    return {finding.name: finding.offenders for finding in found if not finding.holds}


def test_a_copy_of_both_brings_back_its_instant_and_what_was_on_its_way(
    copied: CopiedServers, district: PrivateDistrict
) -> None:
    copied.restore("broker", "mongo")
    with district.running(), district.caller() as caller:
        wait_until_idle(caller, INGEST)
        assert declared(caller) == assessed(caller) == {BEFORE, ON_ITS_WAY}
        assert broken(district) == {}
        assert declare(caller, AFTER) == RECEIPTS[AFTER]
        wait_until_idle(caller, INGEST)
        assert assessed(caller) == {BEFORE, ON_ITS_WAY, AFTER}


def test_a_copy_of_the_database_alone_lacks_what_was_on_its_way_and_the_audit_says_so(
    copied: CopiedServers, district: PrivateDistrict
) -> None:
    copied.restore("mongo")
    district.servers.administration.delete_vhost(district.vhost)
    prepare = [LIANFANG, "topology", "apply"]
    subprocess.run(prepare, env=district._environment(), cwd=ROOT, check=True, capture_output=True)
    district._delete_queues_of_absent_services()
    with district.running(), district.caller() as caller:
        wait_until_idle(caller, INGEST)
        assert declared(caller) == {BEFORE, ON_ITS_WAY}
        assert assessed(caller) == {BEFORE}
        lost = RECEIPTS[ON_ITS_WAY]["declaration_id"]
        assert any(lost in each for offenders in broken(district).values() for each in offenders)
        declare(caller, ON_ITS_WAY, request_id="again")
        wait_until_idle(caller, INGEST)
        assert assessed(caller) == {BEFORE, ON_ITS_WAY}
