"""One district of real processes for the operators' commands, and a way to say them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import amqp
import pytest

from lianfang.client import District
from lianfang.runtime.broker import open_connection
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.pace import wait_until_idle
from lianfang.testing.processes import Child
from lianfang.testing.servers import ROOT, Servers
from lianfang.topology import EVENTS, PARKING

BIN = Path(sys.executable).parent
BUILDING = "4403.nanshan.440305001.440305001012.e03.b07"


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal of the district, and what happens in it."""

    district: PrivateDistrict
    children: dict[str, Child]
    caller: District

    def environment(self, **more: str) -> dict[str, str]:
        """The administrator's, with the operator's credentials in their file."""
        path = f"{BIN}:{os.environ['PATH']}"
        env = self.district._environment() | {"PATH": path, "COLUMNS": "140", "TERM": "dumb"}
        env.pop("AMQP_URI", None)
        return env | more

    def says(self, line: str, answer: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """What `lianfang <line>` prints, at a terminal 140 columns wide."""
        return subprocess.run(
            [BIN / "lianfang", *line.split()],
            env=self.environment(**env),
            cwd=ROOT,
            input=answer,
            capture_output=True,
            text=True,
            check=False,
        )

    def reads(self, line: str, **env: str) -> Any:
        """What `lianfang <line> --json` says."""
        return json.loads(self.says(f"{line} --json", **env).stdout)

    def publish(self, body: bytes, message_id: str, event_type: str = "case.confirmed") -> None:
        """A message in the exchange of events."""
        self._send(body, EVENTS, f"{event_type}.{BUILDING}", message_id, {})

    def park(self, body: bytes, origin: str, message_id: str, **why: str) -> None:
        """A message in `parking`, as its subscription would put it there."""
        headers = {"x-origin": origin, "x-message-id": message_id}
        self._send(body, PARKING, "", message_id, headers | {f"x-{k}": v for k, v in why.items()})

    def _send(
        self, body: bytes, exchange: str, key: str, message_id: str, headers: dict[str, str]
    ) -> None:
        connection = open_connection(self.district.amqp_uri, "testing")
        message = amqp.Message(
            body,
            content_type="application/cloudevents+json",
            delivery_mode=2,
            message_id=message_id,
            application_headers=headers,
        )
        connection.channel().basic_publish_confirm(message, exchange, key)
        connection.close()
        wait_until_idle(self.caller)


@pytest.fixture(scope="package")
def operator() -> Iterator[Operator]:
    """All five services run until the last test of this folder."""
    letters = "".join("abcdefghij"[int(c, 16) % 10] for c in uuid4().hex[:8])
    district = PrivateDistrict(Servers.read(), f"ops{letters}")
    try:
        district.prepare()
        with district.running() as children, district.caller() as caller:
            yield Operator(district, children, caller)
    finally:
        district.erase()
        district.client.close()
