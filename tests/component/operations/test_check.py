"""`lianfang check` and `lianfang queues` over a district in which one thing at a time is wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lianfang.runtime.broker import open_connection
from tests.component.operations.conftest import Operator

pytestmark = pytest.mark.timeout(300)

NOBODY = "127.0.0.1:1"
AWAY = {
    "AMQP_URI": f"amqp://x:x@{NOBODY}/x",
    "AMQP_MANAGEMENT_URI": f"http://x:x@{NOBODY}",
}
NO_DATABASE = {"MONGO_URI": f"mongodb://{NOBODY}/?replicaSet=lf"}


def lines(operator: Operator, status: str, **env: str) -> dict[str, dict[str, Any]]:
    """The lines of one status, by area and English name."""
    report = operator.reads("check", **env)
    found = [line for line in report["lines"] if line["status"] == status]
    return {f"{line['area']} {line['name'][1]}": line for line in found}


def wait_for_readers(operator: Operator, service: str, *, some: bool) -> None:
    """Return when the management page, which is some seconds behind, has seen them come or go."""
    district = operator.district
    own = (f"q.{service}.", f"rpc-{service}")

    def seen() -> bool:
        queues = district.servers.administration.queues(district.vhost)
        told = [bool(q.get("consumers")) for q in queues if q["name"].startswith(own)]
        return bool(told) and all(reading is some for reading in told)

    operator.children["journal"].wait_until(seen)


def test_a_district_that_is_well_has_nothing_but_ticks(operator: Operator) -> None:
    for service in operator.children:
        wait_for_readers(operator, service, some=True)
    zh, en = operator.says("check"), operator.says("check --lang en")
    assert (zh.returncode, en.returncode) == (0, 0)
    assert zh.stdout.splitlines()[-1] == "✓ 一切正常"
    assert en.stdout.splitlines()[-1] == "✓ Everything is as it should be"
    assert {line["status"] for line in operator.reads("check")["lines"]} == {"ok"}
    assert len(zh.stdout.splitlines()) <= 24


def test_a_broker_that_is_away_is_told_once_and_the_database_is_still_looked_at(
    operator: Operator,
) -> None:
    done = operator.says("check --lang en", **AWAY)
    assert done.returncode == 1
    assert "docs/how-to/broker-down.md" in done.stdout
    bad = lines(operator, "bad", **AWAY)
    assert set(bad) == {"broker login", "broker management"}
    assert set(lines(operator, "unknown", **AWAY)) == {"topology Topology", "services Services"}
    assert {"databases replica set", "databases indexes"} <= set(lines(operator, "ok", **AWAY))


def test_a_database_without_primary_is_told_and_the_services_are_still_asked(
    operator: Operator,
) -> None:
    done = operator.says("check --lang en", **NO_DATABASE)
    assert done.returncode == 1
    (bad,) = lines(operator, "bad", **NO_DATABASE).values()
    assert (bad["name"][1], bad["runbook"]) == ("primary", "database-without-primary")
    assert NOBODY in bad["said"][1]
    assert "services journal" in lines(operator, "ok", **NO_DATABASE)


def test_everything_away_is_still_a_screen(operator: Operator) -> None:
    done = operator.says("check", **AWAY, **NO_DATABASE)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1].startswith("✗ 3 处故障")


def test_a_service_that_is_dead_is_named_with_its_queues_and_the_next_step(
    operator: Operator,
) -> None:
    screening = operator.children["screening"]
    screening.kill()
    try:
        wait_for_readers(operator, "screening", some=False)
        (bad,) = lines(operator, "bad").values()
        assert bad["advice"][1] == "start it: lianfang run screening"
        assert bad["runbook"] == "queue-without-consumer"
        found = {q["name"]: q["troubles"] for q in operator.reads("queues") if q["troubles"]}
        assert found["q.screening.declarations"] == ["no_consumer"]
        said = operator.says("queues --check --lang en")
        assert said.returncode == 1
        advice = "no consumer  start its service: docs/how-to/queue-without-consumer.md"
        assert advice in said.stdout
    finally:
        screening.restart()
        wait_for_readers(operator, "screening", some=True)
    assert operator.says("queues --check").returncode == 0


@contextmanager
def channel(operator: Operator) -> Iterator[Any]:
    """The administrator's channel in the virtual host."""
    connection = open_connection(operator.district.amqp_uri, "testing")
    yield connection.channel()
    connection.close()


def lianfang(operator: Operator, line: str) -> None:
    done = operator.says(line)
    assert done.returncode == 0, done.stderr


def test_a_topology_that_is_otherwise_says_what(operator: Operator) -> None:
    administration, vhost = operator.district.servers.administration, operator.district.vhost
    with channel(operator) as open_channel:
        open_channel.queue_delete("retry.3")
        open_channel.queue_declare("q.screening.old", durable=True, auto_delete=False)
        policy = {"pattern": "^q", "definition": {"delivery-limit": 1}, "apply-to": "queues"}
        administration._call("PUT", "policies", vhost, "subscriptions", body=policy)
    try:
        bad, surplus = lines(operator, "bad"), lines(operator, "warn")["topology surplus"]
        assert "queue retry.3" in bad["topology missing"]["said"][1]
        assert "policy subscriptions (" in bad["topology different"]["said"][1]
        assert surplus["said"][1] == "1: queue q.screening.old"
        found = {q["name"]: q["troubles"] for q in operator.reads("queues") if q["troubles"]}
        assert found["retry.3"] == ["missing"]
        assert "surplus" in found["q.screening.old"]
    finally:
        lianfang(operator, "topology apply")
        with channel(operator) as open_channel:
            open_channel.queue_delete("q.screening.old")
    assert not lines(operator, "bad")


def test_an_index_that_is_gone_is_named_and_made_again(operator: Operator) -> None:
    contacts = operator.district.database("screening").contacts
    contacts.drop_index("ix_case_id")
    (bad,) = lines(operator, "bad").values()
    assert f"{contacts.database.name}.contacts.ix_case_id" in bad["said"][1]
    assert bad["advice"][1] == "run: lianfang migrate"
    lianfang(operator, "migrate")
    assert not lines(operator, "bad")


@pytest.mark.parametrize(
    ("stuck", "status", "word"),
    [(False, "warn", "waiting over 30 s: dispatch 1"), (True, "bad", "refused by the broker")],
)
def test_what_does_not_leave_an_outbox_is_told(
    operator: Operator, stuck: bool, status: str, word: str
) -> None:
    rows, long_ago = operator.district.database("dispatch").outbox, datetime.now(UTC)
    claimed = {"claimed_until": long_ago + timedelta(hours=1), "at": long_ago - timedelta(hours=1)}
    rows.insert_one({"_id": "old", "exchange": "events", "key": "x", "stuck": stuck, **claimed})
    try:
        assert word in lines(operator, status)["databases outbox"]["said"][1]
    finally:
        rows.delete_one({"_id": "old"})


def test_parked_messages_are_a_warning_and_no_failure(operator: Operator) -> None:
    operator.publish(b"half", "half-1")
    try:
        line = lines(operator, "warn")["services parked"]
        assert line["runbook"] == "parked-messages-grow"
        assert operator.says("check").returncode == 0
    finally:
        operator.district.database("journal").parked.delete_many({})


def test_queues_lists_every_queue_of_the_topology_with_its_figures(operator: Operator) -> None:
    found = operator.reads("queues")
    assert len(found) > 25
    assert {"depth", "drain_seconds", "growing", "rate_in", "consumers"} <= found[0].keys()
    said = operator.says("queues --all --lang en").stdout
    assert all(queue["name"] in said for queue in found)


def test_watching_goes_on_until_somebody_ends_it(operator: Operator) -> None:
    command = ["timeout", "--signal=INT", "6", "lianfang", "queues", "--watch", "--every", "0.3"]
    env = operator.environment()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 124
    assert "Traceback" not in done.stderr
    assert "个队列" in done.stdout
