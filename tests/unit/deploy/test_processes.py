from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import processes
import pytest

GRACE = 10.0
WAIT = 20.0

READY = "print('ready', flush=True)"
PATIENT = f"import signal; {READY}; signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; signal.pause()"
PARENT = (
    "import signal, subprocess, sys\n"
    f"child = subprocess.Popen([sys.executable, '-c', {PATIENT!r}])\n"
    "print('child', child.pid, flush=True)\n"
    "signal.pause()"
)

Starter = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a started program writes."""
    return tmp_path / "logs" / "program.log"


@pytest.fixture
def start(tmp_path: Path, log: Path) -> Iterator[Starter]:
    """Starts a Python program and waits until it says `ready`; ended with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str) -> subprocess.Popen[bytes]:
        process = processes.start([sys.executable, "-c", program], os.environ, tmp_path, log)
        started.append(process)
        assert processes.wait_until(lambda: "ready" in log.read_text(), WAIT)
        return process

    yield run
    for process in started:
        processes.kill_session(process)


def test_a_process_is_told_from_a_later_one_with_its_pid(start: Starter) -> None:
    recorded = processes.identity(start(PATIENT).pid)
    assert recorded is not None
    assert processes.is_alive(recorded)
    assert not processes.is_alive(recorded | {"started": int(str(recorded["started"])) + 1})
    assert not processes.is_alive(recorded | {"boot": "another"})


def test_nothing_recorded_is_not_alive_and_needs_no_stop() -> None:
    assert not processes.is_alive(None)
    assert not processes.stop(None, GRACE)


def test_a_process_that_has_ended_but_was_not_waited_for_is_gone(start: Starter) -> None:
    process = start(PATIENT)
    recorded = processes.identity(process.pid)
    process.kill()
    assert processes.wait_until(lambda: not processes.is_alive(recorded), WAIT)
    assert process.returncode is None
    assert processes.identity(process.pid) is None


def test_a_process_is_asked_to_end_first(start: Starter) -> None:
    process = start(PATIENT)
    assert processes.stop(processes.identity(process.pid), GRACE)
    assert process.wait() == -15


def test_a_process_that_does_not_listen_is_killed_after_its_grace(start: Starter) -> None:
    process = start(STUBBORN)
    assert processes.stop(processes.identity(process.pid), 0.3)
    assert process.wait() == -9


def test_a_stranger_with_a_recorded_pid_is_left_alone(start: Starter) -> None:
    process = start(PATIENT)
    recorded = processes.identity(process.pid)
    assert recorded is not None
    assert not processes.stop(recorded | {"started": 1}, GRACE)
    assert process.poll() is None


def test_what_a_process_started_ends_with_its_session(start: Starter, log: Path) -> None:
    process = start(PARENT)
    said = dict(line.split() for line in log.read_text().splitlines() if line.startswith("child"))
    child = processes.identity(int(said["child"]))
    processes.kill_session(process)
    assert processes.wait_until(lambda: not processes.is_alive(child), WAIT)


def test_waiting_ends_when_it_takes_too_long() -> None:
    assert processes.wait_until(lambda: True, 0)
    assert not processes.wait_until(lambda: False, 0.1)


def test_an_error_message_can_show_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert "no log" in processes.tail(log)
    log.write_text("\n".join(str(n) for n in range(100)))
    assert processes.tail(log, lines=2) == "98\n99"
