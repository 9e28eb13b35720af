"""The whole story of the demo on a smaller district; every message once, or thrice and shuffled."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from lianfang.audit import Finding, audit
from lianfang.audit.district import still_queues
from lianfang.demo.declarations import declare
from lianfang.demo.desk import SERVICES, Desk
from lianfang.demo.district import invent
from lianfang.demo.divisions import read_divisions
from lianfang.demo.invariants import Witness
from lianfang.demo.play import prepare, tell
from lianfang.demo.screen import Screen
from lianfang.demo.stage import Stage
from lianfang.runtime.administration import BrokerAdministration
from lianfang.testing.pump import Pump

PLACES = Path(__file__).parents[2] / "deploy" / "places"
PATH = "4403.nanshan"


class PumpDesk(Desk):
    """The demo's desk on a pump: a command's messages are delivered when the story waits."""

    def __init__(self, pump: Pump, **delivery: Any) -> None:
        pump.use(*SERVICES)
        self.run, self.now = "test", None
        self._pump, self._delivery = pump, delivery

    def ask(self, method: str, **document: Any) -> dict[str, Any]:
        return self._pump.call(method, **document)

    def do(self, method: str, **document: Any) -> dict[str, Any]:
        return self._pump.call(method, **document)

    def set_clock(self, instant: datetime) -> None:
        self._pump.now = self.now = instant
        self._pump.tick()

    def settle(self) -> None:
        self._pump.settle(**self._delivery)

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 20.0) -> None:
        self._pump.tick()
        assert holds(), what


def witness_of(pump: Pump, folder: Path) -> Witness:
    """The audit that the demo ends with, of the pump's databases and queues."""

    def look(receipts: Path) -> list[Finding]:
        administration = BrokerAdministration(os.environ["AMQP_MANAGEMENT_URI"])
        vhost = pump.settings.database_prefix
        databases = {name: driven.engine.documents.database for name, driven in pump.used.items()}
        return audit(databases, still_queues(administration, vhost), receipts)

    return Witness(folder / "receipts.jsonl", look)


def told(pump: Pump, lang: str, folder: Path, **delivery: Any) -> tuple[Stage, str]:
    page = io.StringIO()
    district = invent(7, PATH, population=1_500)
    stage = prepare(
        PumpDesk(pump, **delivery),
        Screen(lang, Console(file=page)),
        district,
        declare(district, 7, total=200),
        witness_of(pump, folder),
        seed=7,
    )
    tell(stage, read_divisions(PLACES, "4403", "nanshan"))
    return stage, page.getvalue()


@pytest.mark.timeout(300)
def test_the_story_comes_to_what_its_own_ledger_says(pump: Pump, tmp_path: Path) -> None:
    stage, _ = told(pump, "zh", tmp_path)
    assert stage.checks.failed == []
    assert len(stage.checks.made) > 40
    assert stage.report["orders_by_measure"] == {"isolation": 1, "facility": 2, "sealed": 88}
    assert (stage.report["first_due_on"], stage.report["second_due_on"]) == (
        "2020-02-16",
        "2020-02-19",
    )
    assert pump.parked() == []


@pytest.mark.timeout(300)
def test_three_copies_of_everything_in_any_order_tell_the_same_story(
    pump: Pump, tmp_path: Path
) -> None:
    stage, page = told(pump, "en", tmp_path, seed=20200203, copies=3)
    assert stage.checks.failed == []
    assert pump.parked() == []
    assert not any("\u4e00" <= character <= "\u9fff" for character in page)
