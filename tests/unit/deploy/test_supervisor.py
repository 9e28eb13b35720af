from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
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


class Ready(BaseHTTPRequestHandler):
    """A health page that says yes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def service(local: Path, monkeypatch: pytest.MonkeyPatch) -> supervisor.Service:
    """A service whose program runs until it is ended, with credentials in a file."""
    program = local / "lianfang"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    state.write_env(local / "secrets" / "journal.env", {"AMQP_URI": "amqp://journal"})
    monkeypatch.setattr(supervisor, "COMMAND", program)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    monkeypatch.setenv("LIANFANG_SECRETS_DIR", str(local / "secrets"))
    monkeypatch.setenv("AMQP_MANAGEMENT_URI", "http://administrator")
    return supervisor.Service(name="journal", port=8123, pause=0.1)


@pytest.fixture
def record(local: Path) -> Path:
    """Where the supervisor writes which processes run."""
    return local / "services.json"


@pytest.fixture
def health() -> Iterator[int]:
    """A port on which a process says that it is ready."""
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(WAIT)


@pytest.fixture
def waker(service: supervisor.Service, record: Path) -> Iterator[socket.socket]:
    """The supervisor at work; a byte sent here is a signal to it."""
    woken, waker = socket.socketpair()
    thread = threading.Thread(target=supervisor.supervise, args=([service], woken, record))
    thread.start()
    yield waker
    waker.send(bytes([signal.SIGTERM]))
    thread.join(WAIT)
    supervisor.end([service])
    woken.close()
    waker.close()


def recorded(record: Path) -> dict[str, object]:
    """What the record says of the service now."""
    found: dict[str, object] = state.read_json(record)["services"]["journal"]
    return found


def ended(service: supervisor.Service, sign: signal.Signals | None = None) -> None:
    """Let the service's process end by a signal, or by itself with an error."""
    assert service.process is not None
    if sign is None:
        processes.kill_session(service.process)
        service.process = processes.start(["false"], {}, Path("/"), service.log)
    else:
        service.process.send_signal(sign)
    service.process.wait()
    assert service.note_end()


def started(service: supervisor.Service, times: int) -> bool:
    """Whether the service's log says so many starts."""
    return service.log.exists() and service.log.read_text().count("started") == times


def test_a_service_gets_its_own_credentials_and_never_the_administrators(
    service: supervisor.Service, waker: socket.socket
) -> None:
    assert processes.wait_until(lambda: started(service, 1), WAIT)
    assert service.log.read_text() == "started journal amqp://journal without 8123\n"


def test_a_service_that_ends_unasked_is_started_again_and_recorded(
    service: supervisor.Service, waker: socket.socket, record: Path
) -> None:
    assert processes.wait_until(lambda: started(service, 1), WAIT)
    first = service.process
    assert first is not None
    first.kill()
    first.wait()
    waker.send(bytes([signal.SIGCHLD]))
    assert processes.wait_until(lambda: started(service, 2), WAIT)
    assert processes.wait_until(lambda: recorded(record)["restarts"] == 1, WAIT)
    assert processes.wait_until(lambda: recorded(record)["process"] is not None, WAIT)


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


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_ready_process_that_somebody_ended_comes_back_at_once_however_often(
    service: supervisor.Service, sign: signal.Signals
) -> None:
    for _ in range(5):
        service.start()
        service.was_ready = True
        ended(service, sign)
        assert service.due <= time.monotonic()


def test_a_ready_process_that_fails_comes_back_later(service: supervisor.Service) -> None:
    service.start()
    service.was_ready = True
    ended(service)
    assert service.due > time.monotonic()


def test_the_record_says_who_was_ready(
    service: supervisor.Service, health: int, record: Path
) -> None:
    service.port = health
    service.start()
    supervisor.save([service], record)
    assert recorded(record)["was_ready"] is False
    assert service.note_ready()
    assert not service.note_ready()
    supervisor.save([service], record)
    assert recorded(record)["was_ready"] is True
    supervisor.end([service])
    service.start()
    assert not service.was_ready
    supervisor.end([service])


def test_ending_leaves_no_process_behind(service: supervisor.Service) -> None:
    service.start()
    assert service.process is not None
    running = processes.identity(service.process.pid)
    supervisor.end([service])
    assert not processes.is_alive(running)
