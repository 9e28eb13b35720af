"""The traps themselves, shown on plain nameko, kombu and py-amqp; test_findings shows our cures."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import amqp
import kombu.message
import pytest

from tests.component.runtime.rig import Process, Rig, until
from tests.component.runtime.wire import Wire

QUEUE = "evt-source-happened--plain.happened"


class Plain:
    """A plain nameko service as a process of its own."""

    def __init__(self, rig: Rig, marker: Path) -> None:
        self.rig, self.marker = rig, marker
        self.process: Process

    def start(self, *faults: str, wait: bool = True, **environment: str) -> Process:
        command = [sys.executable, "-m", "tests.component.runtime.run_plain", str(self.marker)]
        settings = {**self.rig.environment(), **environment}
        self.process = Process([*command, *faults], settings)
        if wait:
            self.saw("started")
        return self.process

    def saw(self, text: str) -> None:
        until(lambda: self.marker.exists() and text in self.marker.read_text())

    def put(self, body: bytes = b'"ok"', **properties: Any) -> None:
        self.rig.put(body, key="happened", exchange="source.events", **properties)

    def is_empty(self) -> bool:
        found = self.rig.channel.queue_declare(QUEUE, passive=True)
        return found.message_count == 0


@pytest.fixture
def plain(rig: Rig, tmp_path: Path) -> Iterator[Plain]:
    service = Plain(rig, tmp_path / "marker")
    yield service
    if service.process.alive:
        service.process.kill()
    rig.channel.queue_delete(QUEUE)


def test_plain_nameko_acknowledges_and_loses_what_its_handler_or_its_decoder_fails_on(
    plain: Plain,
) -> None:
    process = plain.start()
    plain.put(b'"bug"')
    plain.put(b"no json")
    plain.put(b'"ok"')
    plain.saw("done ok")
    assert "done bug" not in plain.marker.read_text()
    assert process.stop() == 0
    assert plain.is_empty()


def test_a_header_of_the_wrong_type_ends_plain_nameko(plain: Plain) -> None:
    process = plain.start()
    plain.put(application_headers={"nameko.call_id_stack": 7})
    assert process.wait() != 0
    until(lambda: not plain.is_empty())


def test_a_reset_during_an_acknowledgement_ends_plain_nameko(plain: Plain) -> None:
    process = plain.start("reset_first_ack")
    plain.put()
    plain.saw("done ok")
    assert process.wait() != 0


def test_plain_nameko_stops_before_its_work_is_acknowledged(plain: Plain) -> None:
    process = plain.start()
    plain.put(b'"slow"')
    plain.saw("began slow")
    assert process.stop() == 0
    assert "done slow" in plain.marker.read_text()
    until(lambda: not plain.is_empty())


def test_a_broker_that_is_down_ends_plain_nameko(plain: Plain) -> None:
    wire = Wire(plain.rig.settings.amqp_uri)
    process = plain.start(wait=False, AMQP_URI=wire.uri)
    assert process.wait() != 0
    assert "ConnectionRefusedError" in "".join(process.lines)
    wire.close()
    plain.rig.channel.queue_declare(QUEUE)


def test_kombu_expands_a_compressed_body_before_anybody_looks() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000, 9)
    assert len(bomb) < 60_000
    message = kombu.message.Message(
        bomb, headers={"compression": "application/x-gzip"}, content_type="application/json"
    )
    assert len(message.body) == 50_000_000


def test_py_amqp_confirms_a_message_with_the_confirm_of_the_one_before(rig: Rig) -> None:
    connection = amqp.Connection(**_parts(rig.settings.amqp_uri), confirm_publish=True)
    connection.connect()
    # Otherwise py-amqp looks for one waiting frame before it publishes, and the confirm may be it.
    connection.client_properties["capabilities"].pop("connection.blocked", None)
    channel = connection.channel()
    publish: Callable[..., Any] = channel.basic_publish_confirm
    nobody = {"exchange": "", "routing_key": "nobody", "mandatory": True}
    with pytest.raises(amqp.exceptions.ChannelError):
        publish(amqp.Message(b"first"), **nobody)
    publish(amqp.Message(b"second"), **nobody)  # returned as well, and nothing is raised
    connection.collect()


def _parts(uri: str) -> dict[str, Any]:
    found = kombu.Connection(uri)
    return {
        "host": f"{found.hostname}:{found.port}",
        "userid": found.userid,
        "password": found.password,
        "virtual_host": found.virtual_host,
    }


def test_the_command_line_of_nameko_needs_pkg_resources() -> None:
    code = "import sys; sys.modules['pkg_resources'] = None; import nameko.cli.main"
    process = Process([sys.executable, "-W", "ignore", "-c", code], {})
    assert process.wait() != 0
    assert "pkg_resources" in "".join(process.lines)
