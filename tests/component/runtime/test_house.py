"""Timers, health pages, metrics, logs, clock and vault of the runtime."""

from __future__ import annotations

import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from pymongo.errors import EncryptionError

from lianfang.errors import Misconfigured, NotPermitted
from lianfang.runtime import vault as vault_module
from lianfang.runtime.clock import Clock
from lianfang.runtime.handlers import Timer
from lianfang.runtime.timers import run_timer
from lianfang.runtime.vault import KEY_FILE, make_key_file, open_vault
from lianfang.testing.clock import StandingClock
from tests.component.runtime.probe import ALARMS, Alarm
from tests.component.runtime.rig import START, Process, Rig, until

# -- timers -----------------------------------------------------------------------------------


def alarm(rig: Rig, *keys: str, at: datetime = START) -> None:
    rig.engine.run(lambda work: [work.save(ALARMS, Alarm(key=key, due_at=at)) for key in keys])


def test_two_replicas_that_look_at_once_settle_a_key_once(rig: Rig) -> None:
    keys = [f"k{n}" for n in range(10)]
    alarm(rig, *keys, at=rig.engine.clock.now() - timedelta(hours=1))
    both, looked = threading.Barrier(2, timeout=60), threading.local()

    def together(reader: Any, now: datetime, limit: int) -> list[str]:
        found = rig.timer.due(reader, now, limit)
        if not hasattr(looked, "once"):
            looked.once = True
            assert len(found) == len(keys)
            both.wait()
        return found

    timer = Timer(name="ring", method=rig.timer.method, every=1, due=together)
    with ThreadPoolExecutor(2) as replicas:
        settling = [replicas.submit(run_timer, rig.engine, timer, rig.probe) for _ in range(2)]
        settled = [each.result() for each in settling]
    rung = [rig.engine.documents.get(ALARMS, key).rung for key in keys]
    assert (rung, sum(settled) >= len(keys)) == ([1] * 10, True)


def test_a_key_that_cannot_be_settled_keeps_nobody_behind_it_waiting(rig: Rig) -> None:
    now = rig.engine.clock.now()
    alarm(rig, *(f"bad{n:03}" for n in range(205)), at=now - timedelta(hours=1))
    alarm(rig, "good", at=now)

    def settle(probe: Any, work: Any, key: str) -> None:
        if key.startswith("bad"):
            raise KeyError(key)
        rig.timer.method(probe, work, key)

    timer = Timer(name="ring", method=settle, every=1, due=rig.timer.due)
    assert run_timer(rig.engine, timer, rig.probe) == 1
    assert rig.engine.documents.get(ALARMS, "good").rung == 1


def test_a_stop_begins_no_further_key(rig: Rig) -> None:
    alarm(rig, "a", "b")
    assert run_timer(rig.engine, rig.timer, rig.probe, lambda: True) == 0


# -- a running process ------------------------------------------------------------------------


@pytest.fixture
def running(session_rig: Rig, shared: Process) -> tuple[Rig, Process, str]:
    session_rig.reset()
    told = shared.line("health_listening")
    return session_rig, shared, f"http://127.0.0.1:{told['port']}"


def test_a_timer_rings_in_its_process(running: tuple[Rig, Process, str]) -> None:
    rig, _, _ = running
    alarm(rig, "a", at=rig.engine.clock.now())
    until(lambda: rig.engine.documents.get(ALARMS, "a").rung == 1)


def test_the_health_pages_say_what_is_well(running: tuple[Rig, Process, str]) -> None:
    _, _, address = running
    live = requests.get(f"{address}/health/live", timeout=10)
    assert (live.status_code, live.json()["ok"]) == (200, True)
    ready = until(lambda: _ok(requests.get(f"{address}/health/ready", timeout=10)))
    assert ready["consuming"] == {"q.journal.one": True, "q.journal.many": True}
    assert (ready["rpc"], ready["database"]) == (True, True)
    assert requests.get(f"{address}/other", timeout=10).status_code == 404


def _ok(answer: requests.Response) -> dict[str, Any] | None:
    return answer.json() if answer.ok else None


def test_one_who_asks_and_says_nothing_keeps_nobody_waiting(
    running: tuple[Rig, Process, str],
) -> None:
    _, _, address = running
    port = int(address.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        assert requests.get(f"{address}/health/live", timeout=3).ok


def test_metrics_count_messages_and_calls(running: tuple[Rig, Process, str]) -> None:
    rig, _, address = running
    rig.say("a")
    until(lambda: rig.seen("a"))

    def counted() -> bool:
        text = requests.get(f"{address}/metrics", timeout=10).text
        return 'lianfang_messages_total{outcome="done",subscription="one"}' in text

    until(counted)


def test_lines_of_two_greenthreads_do_not_mix_their_contexts(
    running: tuple[Rig, Process, str],
) -> None:
    from lianfang.client import District

    rig, process, _ = running
    from tests.component.runtime.rig import body_of, discarded

    rig.put(body_of(discarded("s1", "slow"), correlationid="case-slow"))
    process.line("probe_at_work", key="s1")
    with District(rig.settings.amqp_uri) as caller:
        caller.command("journal.add", key="quick", request_id="r-quick")
    handled = process.line("messages_handled", correlation_id="case-slow")
    answered = process.line("call_answered", request_id="r-quick")
    assert "request_id" not in handled
    assert answered["correlation_id"] != "case-slow"
    assert answered["method"] == "add"
    at_work = process.line("probe_at_work", key="s1")
    assert (at_work["correlation_id"], at_work["service"]) == ("case-slow", "journal")


def test_every_line_is_structured_and_names_its_service(
    running: tuple[Rig, Process, str],
) -> None:
    _, process, _ = running
    loose = [line for line in process.lines if not line.startswith("{")]
    assert not loose, loose
    assert {line["service"] for line in process.told} == {"journal"}


# -- clock ------------------------------------------------------------------------------------


def test_a_set_clock_runs_on_and_all_replicas_agree(rig: Rig) -> None:
    one, other = (Clock(rig.database, "test") for _ in range(2))
    one.set(START)
    other.refresh()
    for clock in (one, other):
        assert timedelta(0) <= clock.now() - START < timedelta(minutes=1)
        assert clock.today() == START.date()


def test_in_production_the_clock_is_never_set(rig: Rig) -> None:
    Clock(rig.database, "test").set(START)
    clock = Clock(rig.database, "production")
    with pytest.raises(NotPermitted):
        clock.set(START)
    clock.refresh()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_tests_clock_stands_still_until_it_is_released(rig: Rig) -> None:
    clock = StandingClock(rig.database, "test")
    clock.set(START + timedelta(microseconds=1500))
    assert clock.now() == clock.now() == START + timedelta(milliseconds=1)
    rig.database.runtime.delete_many({})
    clock.release()
    assert clock.now() > START


# -- vault ------------------------------------------------------------------------------------

SECRET = {"name": "张三", "document_number": "440301199001011234", "body": b"\x00\xff"}


def test_what_is_sealed_opens_and_shows_nothing(rig: Rig) -> None:
    vault = open_vault(rig.client, rig.settings)
    sealed = vault.seal(SECRET)
    assert vault.open(sealed) == SECRET
    assert "张三".encode() not in sealed
    assert vault.seal(SECRET) != sealed
    assert open_vault(rig.client, rig.settings).open(sealed) == SECRET


def test_a_fingerprint_is_the_same_in_every_district_and_not_without_the_key(
    rig: Rig, tmp_path: Path
) -> None:
    from dataclasses import replace

    vault = open_vault(rig.client, rig.settings)
    elsewhere = replace(rig.settings, secrets_dir=tmp_path / "other")
    make_key_file(elsewhere.secrets_dir)
    elsewhere = replace(elsewhere, database_prefix=f"{rig.settings.database_prefix}_other")
    stranger = open_vault(rig.client, elsewhere)
    number = SECRET["document_number"]
    assert vault.fingerprint(number) == open_vault(rig.client, rig.settings).fingerprint(number)
    assert vault.fingerprint(number) != stranger.fingerprint(number)
    assert number not in vault.fingerprint(number)
    with pytest.raises(EncryptionError):
        stranger.open(vault.seal(SECRET))
    rig.client.drop_database(f"{elsewhere.database_prefix}_keys")


def test_two_processes_that_start_together_end_with_one_data_key(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.client.drop_database(f"{rig.settings.database_prefix}_keys")
    vaults: list[Any] = []
    threads = [
        threading.Thread(target=lambda: vaults.append(open_vault(rig.client, rig.settings)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealed = vaults[0].seal(SECRET)
    assert [vault.open(sealed) for vault in vaults] == [SECRET] * 4


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    threads = [threading.Thread(target=make_key_file, args=(tmp_path / "s",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    path = tmp_path / "s" / KEY_FILE
    keys = path.read_bytes()
    assert len(keys) == vault_module._MASTER_BYTES + vault_module._HASH_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    make_key_file(tmp_path / "s")
    assert path.read_bytes() == keys
    assert [file.name for file in path.parent.iterdir()] == [KEY_FILE]


def test_a_wrong_key_file_refuses_to_start(rig: Rig, tmp_path: Path) -> None:
    from dataclasses import replace

    settings = replace(rig.settings, secrets_dir=tmp_path)
    with pytest.raises(Misconfigured, match="No such file"):
        open_vault(rig.client, settings)
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(Misconfigured, match="5 bytes"):
        open_vault(rig.client, settings)
