"""Declarations at a steady pace, and how long one takes to go its whole way."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks import forms
from lianfang.cli.district import OPERATOR
from lianfang.client import District
from lianfang.client.ledger import Ledger
from lianfang.testing.district import PrivateDistrict
from lianfang.testing.servers import LOCAL
from tests.faults.callers import Callers, Command, Receipt, Story

_LOOK_EVERY, _GIVE_UP = 0.05, 120.0


class Flow:
    """Callers who declare for one person after the other until the end of the block."""

    def __init__(self, district: PrivateDistrict, per_second: float, seed: int) -> None:
        self._district, self._pace = district, 1 / per_second
        self._numbers, self._chance = count(), random.Random(seed)
        self._homes = forms.buildings(district.name)
        self._enough = threading.Event()
        #: Every receipt, on the disk before its caller goes on.
        self.ledger = ledger_of(district.name)
        self._ledger = Ledger(self.ledger)
        self._load = self._callers(self._stories(), 4)
        self.receipts: list[Receipt] = []
        self.refused: list[str] = []

    def __enter__(self) -> Self:
        """Begin to declare."""
        self._load.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Declare no more; return when every command is answered."""
        self._enough.set()
        self._load.__exit__(kind, error, trace)
        self._keep(self._load)
        self._ledger.close()

    def wait(self, seconds: float) -> None:
        """Let declarations come in for so long."""
        self._enough.wait(seconds)

    def seconds(self) -> float:
        """How long one declaration takes from now until it is judged and in the journal.

        Two minutes and more when it does not get there.
        """
        started = time.monotonic()
        probe = self._callers(iter([self._declare()]), 1)
        with probe:
            probe.join()
        self._keep(probe)
        for receipt in probe.receipts:
            self._wait_for_verdict(receipt.answer["declaration_id"], started + _GIVE_UP)
        return time.monotonic() - started

    def _callers(self, stories: Iterator[tuple[str, Story]], number: int) -> Callers:
        uri = self._district.operator_uri
        return Callers(uri, stories, number, heard=noted(self._ledger, self._district.name))

    def _keep(self, callers: Callers) -> None:
        self.receipts += callers.receipts
        self.refused += callers.refused

    def _wait_for_verdict(self, declaration_id: str, until: float) -> None:
        events = self._district.database("journal").events
        while time.monotonic() < until:
            submitted = events.find_one({"subject": declaration_id})
            origin = submitted["correlation_id"] if submitted else None
            if events.find_one({"correlation_id": origin, "type": "declaration.assessed"}):
                return
            time.sleep(_LOOK_EVERY)

    def _stories(self) -> Iterator[tuple[str, Story]]:
        while not self._enough.wait(self._pace):
            yield self._declare()

    def _declare(self) -> tuple[str, Story]:
        n = next(self._numbers)
        home = self._homes[n % len(self._homes)]
        form = forms.form(n, home, n, n % forms.CALL, self._chance)
        return f"flow{n}", _once("declaration.submit_declaration", {"form": form})


def _once(method: str, document: dict[str, Any]) -> Story:
    yield Command(method, document)


def ledger_of(district: str) -> Path:
    """Where the receipts of a district's callers are kept."""
    return LOCAL / "ledgers" / f"{district}.jsonl"


def noted(ledger: Ledger, district: str) -> Callable[[Receipt], None]:
    """Puts each receipt into the ledger; the district's operator is who calls."""

    def note(receipt: Receipt) -> None:
        ledger.note(
            {
                "method": receipt.command.method,
                "caller": f"{district}-{OPERATOR}",
                "request_id": receipt.request_id,
                "answer": receipt.answer,
            }
        )

    return note


def found(caller: District, district: str) -> None:
    """Register the places from which people declare."""
    places = forms.places(district)
    for start in range(0, len(places), forms.CALL):
        caller.command("declaration.register_place", places=places[start : start + forms.CALL])


def private_name(word: str) -> str:
    """A name for a district of one run: letters only, as names of districts are."""
    return word + "".join(random.choices("abcdefghijklmnop", k=6))
