from __future__ import annotations

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import broker
import database
import processes
import pytest
import stack
import state
from pymongo import MongoClient

MANAGEMENT = os.environ.get("AMQP_MANAGEMENT_URI", "")
HOST = os.environ.get("AMQP_HOST", "")
MONGO = os.environ.get("MONGO_URI", "")


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of the test's own; the servers of `make test` are given ones here."""
    monkeypatch.setattr(state, "LOCAL", tmp_path)
    monkeypatch.setattr(stack, "RECORD", tmp_path / "stack.json")
    monkeypatch.setattr(stack, "ENVIRONMENT", tmp_path / "stack.env")
    monkeypatch.delenv("AMQP_URI", raising=False)
    return tmp_path / "stack.json"


def is_serving() -> bool:
    """Whether the session's own broker still answers."""
    return broker.is_ready(MANAGEMENT)


def test_given_servers_are_used_and_nothing_is_started(record: Path) -> None:
    assert not stack.up()
    assert state.read_env(stack.ENVIRONMENT) == {
        "AMQP_MANAGEMENT_URI": MANAGEMENT,
        "AMQP_HOST": HOST,
        "MONGO_URI": MONGO,
    }


def test_given_servers_are_forgotten_and_never_stopped(record: Path) -> None:
    stack.up()
    stack.take_down(["rabbitmq", "mongo"])
    assert not record.exists()
    assert not stack.ENVIRONMENT.exists()
    assert is_serving()
    assert database.listens(urlsplit(MONGO).port or 0)


def test_the_stacks_own_address_in_the_environment_is_no_given_server() -> None:
    ours = subprocess.Popen(["sleep", "60"], start_new_session=True)
    recorded = {"uri": MONGO, "process": processes.identity(ours.pid)}
    try:
        assert stack.bring_up("mongo", recorded) == recorded
        assert ours.poll() is None
    finally:
        ours.kill()
        ours.wait()


def test_the_amqp_address_of_a_given_broker_wins(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMQP_URI", "amqp://somebody:secret@broker.example:5671/")
    given = stack.given_broker()
    assert given is not None
    assert given["host"] == "broker.example:5671"


def test_a_given_broker_that_does_not_answer_is_named(
    record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = state.find_port(set())
    monkeypatch.setenv("AMQP_MANAGEMENT_URI", f"http://administrator:secret@127.0.0.1:{port}")
    with pytest.raises(state.StackError, match=f"no RabbitMQ management API at 127.0.0.1:{port}"):
        stack.given_broker()


def test_a_wrong_administrators_password_is_told_from_a_broker_that_is_down() -> None:
    known = urlsplit(MANAGEMENT)
    with pytest.raises(state.StackError, match="refuses the administrator's password"):
        broker.ask(f"http://{known.username}:wrong@{known.hostname}:{known.port}", "/api/overview")


@pytest.mark.skipif(
    urlsplit(MANAGEMENT).username != broker.ADMINISTRATOR, reason="the broker was given"
)
def test_the_private_broker_has_no_guest() -> None:
    known = urlsplit(MANAGEMENT)
    with pytest.raises(state.StackError, match="refuses"):
        broker.ask(f"http://guest:guest@{known.hostname}:{known.port}", "/api/overview")


def test_the_database_is_a_replica_set_and_initiating_it_again_changes_nothing() -> None:
    with MongoClient(MONGO) as client:
        before = client.admin.command("replSetGetConfig")["config"]
        database.initiate(before["members"][0]["host"])
        after = client.admin.command("replSetGetConfig")["config"]
    assert before == after
    assert len(after["members"]) == 1
