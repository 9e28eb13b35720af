from __future__ import annotations

import socket
import stat
import threading
from pathlib import Path

import pytest
import state

WAIT = 10.0


def test_a_file_that_can_hold_a_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    kept = tmp_path / "deep" / "password"
    state.write_private(kept, "secret")
    assert kept.read_text() == "secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_file_is_replaced_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    kept = tmp_path / "record.json"
    state.write_json(kept, {"first": 1})
    state.write_json(kept, {"second": 2})
    assert state.read_json(kept) == {"second": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_missing_record_is_empty_and_a_damaged_one_says_what_to_do(tmp_path: Path) -> None:
    assert state.read_json(tmp_path / "missing.json") == {}
    damaged = tmp_path / "damaged.json"
    damaged.write_text("{")
    with pytest.raises(state.StackError, match="remove it and start again"):
        state.read_json(damaged)


def test_an_environment_file_gives_back_what_was_written(tmp_path: Path) -> None:
    kept = tmp_path / "stack.env"
    pairs = {"MONGO_URI": "mongodb://127.0.0.1:1/?replicaSet=lf&a=b", "EMPTY": ""}
    state.write_env(kept, pairs)
    assert state.read_env(kept) == pairs


def test_an_environment_file_may_hold_comments_quotes_and_export(tmp_path: Path) -> None:
    kept = tmp_path / "hand.env"
    kept.write_text("# said by hand\n\nexport A='one two'\nB=\"three\"\nC='\nnothing here\n")
    assert state.read_env(kept) == {"A": "one two", "B": "three", "C": "'"}


def test_a_port_is_remembered_until_somebody_takes_it(local: Path) -> None:
    first = state.choose_ports("amqp", "mongo")
    assert state.choose_ports("mongo", "amqp") == first
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first["amqp"]))
        stranger.listen()
        second = state.choose_ports("amqp", "mongo")
    assert second["mongo"] == first["mongo"]
    assert second["amqp"] not in first.values()
    assert state.choose_ports("amqp") == {"amqp": second["amqp"]}


def test_ports_lie_outside_what_rabbitmq_and_outgoing_connections_use(local: Path) -> None:
    ports = state.choose_ports(*(f"port{n}" for n in range(8))).values()
    assert len(set(ports)) == 8
    assert all(state.FIRST_PORT <= port < state.LAST_PORT for port in ports)


def test_a_second_up_waits_for_the_first(local: Path) -> None:
    entered = threading.Event()

    def second() -> None:
        with state.exclusively("stack"):
            entered.set()

    with state.exclusively("stack"):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.is_set()
    assert entered.wait(WAIT)
    thread.join()


def test_what_a_person_has_to_mend_is_said_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main() -> int:
        raise state.StackError("no RabbitMQ: install it")

    with pytest.raises(SystemExit) as ended:
        state.finish(main)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "error: no RabbitMQ: install it\n"
