from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import processes
import pytest
import state
import supervisor

WAIT = 20.0
PROGRAM = """#!/bin/sh
echo "started $2 $AMQP_URI ${AMQP_MANAGEMENT_URI:-without} $LIANFANG_HEALTH_PORT"
while :; do sleep 1; done
"""


@pytest.fixture
def service(local: Path, monkeypatch: pytest.MonkeyPatch) -> supervisor.Service:
    """A service whose program runs until it is ended, with credentials in a file."""
    program = local / "lianfang"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    state.write_env(local / "secrets" / "journal.env", {"AMQP_URI": "amqp://journal"})
    monkeypatch.setattr(supervisor, "COMMAND", program)
    monkeypatch.setattr(supervisor, "RECORD", local / "services.json")
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    monkeypatch.setenv("LIANFANG_SECRETS_DIR", str(local / "secrets"))
    monkeypatch.setenv("AMQP_MANAGEMENT_URI", "http://administrator")
    return supervisor.Service(name="journal", port=8123, pause=0.1)


@pytest.fixture
def waker(service: supervisor.Service) -> Iterator[socket.socket]:
    """The supervisor at work; a byte sent here is a signal to it."""
    woken, waker = socket.socketpair()
    thread = threading.Thread(target=supervisor.supervise, args=([service], woken))
    thread.start()
    yield waker
    waker.send(bytes([signal.SIGTERM]))
    thread.join(WAIT)
    supervisor.end([service])
    woken.close()
    waker.close()


def recorded(service: supervisor.Service) -> dict[str, object]:
    """What the record says of the service now."""
    found: dict[str, object] = state.read_json(supervisor.RECORD)["services"][service.name]
    return found


def started(service: supervisor.Service, times: int) -> bool:
    """Whether the service's log says so many starts."""
    return service.log.exists() and service.log.read_text().count("started") == times


def test_a_service_gets_its_own_credentials_and_never_the_administrators(
    service: supervisor.Service, waker: socket.socket
) -> None:
    assert processes.wait_until(lambda: started(service, 1), WAIT)
    assert service.log.read_text() == "started journal amqp://journal without 8123\n"


def test_a_service_that_ends_unasked_is_started_again_and_recorded(
    service: supervisor.Service, waker: socket.socket
) -> None:
    assert processes.wait_until(lambda: started(service, 1), WAIT)
    first = service.process
    assert first is not None
    first.kill()
    first.wait()
    waker.send(bytes([signal.SIGCHLD]))
    assert processes.wait_until(lambda: started(service, 2), WAIT)
    assert processes.wait_until(lambda: recorded(service)["restarts"] == 1, WAIT)
    assert processes.wait_until(lambda: recorded(service)["process"] is not None, WAIT)


def test_each_early_end_makes_the_next_start_later(service: supervisor.Service) -> None:
    pauses = []
    for _ in range(3):
        service.start()
        assert service.process is not None
        service.process.kill()
        service.process.wait()
        pauses.append(service.pause)
        assert service.note_end()
    assert pauses == [0.1, 0.2, 0.4]
    assert not service.note_end()


def test_ending_leaves_no_process_behind(service: supervisor.Service) -> None:
    service.start()
    assert service.process is not None
    running = processes.identity(service.process.pid)
    supervisor.end([service])
    assert not processes.is_alive(running)
