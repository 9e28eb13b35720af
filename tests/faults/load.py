"""The load under which servers and services are broken: declarations at a pace, and some cases.

Every receipt is in a client's ledger, on the disk, before its caller goes on.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any, TypeVar

from pymongo.errors import PyMongoError

from benchmarks import forms
from benchmarks.town import Town, staff
from lianfang.client import District
from lianfang.client.ledger import Ledger
from tests.faults.callers import Callers, Command, Receipt, Story
from tests.faults.rig import FaultDistrict

#: Forms of one command.
FORMS = 5
_CALLERS = 6
_PATIENT_HOMES = 10
_DECIDED = {"classification": "confirmed", "basis": "positive, twice", "decided_by": "Dr Invented"}
_SUBMIT = "declaration.submit_declarations"
_LOOK_EVERY = 0.05
_GIVE_UP = 120.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many declarations at least, at what pace, and how many cases among them."""

    declarations: int
    per_second: float
    patients: int = 0


class Load:
    """A town, and callers who declare for it until told to stop."""

    def __init__(self, district: FaultDistrict, size: Size, seed: int) -> None:
        self._district, self._size, self._seed = district, size, seed
        self._enough = threading.Event()
        self.ledger = district.folder / "ledger.jsonl"
        self.callers: Callers

    def found(self, caller: District) -> list[str]:
        """Register places, teams, and the persons who will fall ill; returns these."""
        places = forms.places(self._district.name)
        for start in range(0, len(places), forms.CALL):
            caller.command("declaration.register_place", places=places[start : start + forms.CALL])
        homes = forms.buildings(self._district.name)[-_PATIENT_HOMES:]
        chance = random.Random(0)
        wanted = [
            forms.form(n, homes[n % _PATIENT_HOMES], 0, n, chance)
            for n in range(self._size.patients)
        ]
        if not wanted:
            return []
        staff(caller, Town(self._district.name, 0), datetime.now(UTC))
        taken = caller.command(_SUBMIT, forms=wanted)["declarations"]
        self._district.settle(caller)
        return [each["person_id"] for each in taken]

    @contextmanager
    def flowing(self, patients: list[str]) -> Iterator[Callers]:
        """Declarations come in inside the block; at its end the callers finish what they began."""
        with Ledger(self.ledger) as ledger:

            def note(receipt: Receipt) -> None:
                ledger.note({"request_id": receipt.request_id, "answer": receipt.answer})

            stories = self._stories(iter(patients))
            self.callers = Callers(self._district.operator_uri, stories, _CALLERS, heard=note)
            with self.callers:
                try:
                    yield self.callers
                finally:
                    self._enough.set()

    def _stories(self, patients: Iterator[str]) -> Iterator[tuple[str, Story]]:
        """Calls at the pace of the size, however long earlier ones take, until it is enough."""
        chance = random.Random(self._seed)
        homes = forms.buildings(self._district.name)
        every = max(1, self._size.declarations // FORMS // (self._size.patients + 1))
        started = time.monotonic()
        for n in count():
            due = started + n * FORMS / self._size.per_second
            if self._enough.wait(max(0.0, due - time.monotonic())):
                return
            if n % every == every - 1 and (patient := next(patients, None)) is not None:
                yield f"{self._seed}-case-{n}", _confirm(patient)
            first = self._size.patients + n * FORMS
            wanted = [
                forms.form(m, homes[m % len(homes)], n, m % forms.CALL, chance)
                for m in range(first, first + FORMS)
            ]
            yield f"{self._seed}-{n}", _declare(wanted)

    # -- looking --------------------------------------------------------------------------------

    @property
    def acknowledged(self) -> int:
        """Declarations that callers were told are kept."""
        return FORMS * len(self.taken())

    def wait_until_taken(self, share: float = 1.0) -> None:
        """Return when this share of the declarations that the size asks for is taken.

        Raises:
            RuntimeError: for two minutes none was.
        """
        while self.acknowledged < share * self._size.declarations:
            self.wait_for_receipt(time.monotonic())

    def wait_for_receipt(self, since: float) -> Receipt:
        """The first declarations that were taken after `since`.

        Raises:
            RuntimeError: none were within two minutes.
        """
        found = _first(lambda: next((r for r in self.taken() if r.at > since), None), since)
        if found is None:
            raise RuntimeError("no declaration was taken for two minutes")
        return found

    def wait_for_flow(self, since: float) -> float:
        """How many seconds after `since` declarations were taken that by now are assessed.

        Raises:
            RuntimeError: none were within two minutes.
        """
        receipt = self.wait_for_receipt(since)
        at = _first(lambda: time.monotonic() if self._is_assessed(receipt) else None, since)
        if at is None:
            raise RuntimeError(f"{receipt.request_id} was not assessed for two minutes")
        return at - since

    def longest_silence(self, since: float) -> float:
        """The longest time between two receipts from `since` on."""
        later = sorted(r.at for r in list(self.callers.receipts) if r.at > since)
        return max((b - a for a, b in pairwise([since, *later])), default=0.0)

    def taken(self) -> list[Receipt]:
        """The receipts of declarations."""
        return [r for r in list(self.callers.receipts) if r.command.method == _SUBMIT]

    def _is_assessed(self, receipt: Receipt) -> bool:
        """Whether every form of a call has its verdict; no while the database is away."""
        ids = [each["declaration_id"] for each in receipt.answer["declarations"]]
        persons = [each["person_id"] for each in receipt.answer["declarations"]]
        wanted = {"_id": {"$in": persons}, "statement.declaration_id": {"$in": ids}}
        with suppress(PyMongoError):
            dossiers = self._district.database("screening").dossiers
            return bool(dossiers.count_documents(wanted) == len(ids))
        return False


def _declare(wanted: list[dict[str, Any]]) -> Story:
    yield Command(_SUBMIT, {"forms": wanted})


def _confirm(person_id: str) -> Story:
    yield Command("screening.confirm_case", {"person_id": person_id, **_DECIDED})


def _first(look: Callable[[], T | None], since: float) -> T | None:
    """What `look` sees first, looking often; None when that is nothing for two minutes."""
    until = max(since, time.monotonic()) + _GIVE_UP
    while (found := look()) is None and time.monotonic() < until:
        time.sleep(_LOOK_EVERY)
    return found
