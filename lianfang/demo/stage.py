"""The stage that all chapters share, and the acts that more than one of them needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from lianfang.days import at
from lianfang.demo.checks import Checks
from lianfang.demo.declarations import Cast, Declarant
from lianfang.demo.desk import Desk
from lianfang.demo.district import InventedDistrict, Resident
from lianfang.demo.fieldwork import Teams
from lianfang.demo.invariants import Witness
from lianfang.demo.ledger import Expected, Ledger
from lianfang.demo.screen import Screen

MEDIC, SECOND_MEDIC = "demo.medic", "demo.second-medic"
AUTHORITY, APPROVER = "demo.district-headquarters", "demo.city-headquarters"
LABORATORY = "demo.laboratory"
#: What the teams finish on the first day; a transfer to a station waits for stations.
FINISHED = (
    "network_report",
    "case_investigation",
    "case_transfer",
    "terminal_disinfection",
    "trinity_visit",
    "pet_pickup",
    "fever_escort",
)


@dataclass(slots=True, kw_only=True)
class Stage:
    """What every chapter needs: desk, screen, teams, people, and what it must come to."""

    desk: Desk
    screen: Screen
    teams: Teams
    district: InventedDistrict
    cast: Cast
    declarants: list[Declarant]
    ledger: Ledger
    witness: Witness
    checks: Checks
    report: dict[str, Any] = field(default_factory=dict)
    seal_id: str = ""
    declaration_ids: list[str] = field(default_factory=list)
    cases: dict[str, str] = field(default_factory=dict)

    def person(self, resident: Resident) -> dict[str, Any]:
        """Whom the services know by this document number: person, household, residence."""
        answer = self.desk.ask(
            "declaration.find_residents", document_number=resident.document_number
        )
        found: dict[str, Any] = answer["residents"][0]
        return found

    def clock(self, day: date, hour: int, minute: int = 0) -> None:
        """Move the present of all services."""
        self.desk.set_clock(at(day, hour, minute))


def record_result(stage: Stage, resident: Resident, name: str, result: str, on: date) -> str:
    """A laboratory reports on somebody's swab of the day before `on`; the sample's id."""
    assert stage.desk.now is not None  # noqa: S101 - every chapter sets the clock first
    sample_id = f"s.{name}.{stage.district.edition}"
    stage.desk.do(
        "screening.import_results",
        batch_id=f"batch.{name}.{stage.district.edition}.{result}",
        laboratory_id=LABORATORY,
        results=[
            {
                "sample_id": sample_id,
                "person_ids": [stage.person(resident)["person_id"]],
                "tube": "single",
                "collected_at": at(on - timedelta(days=1), 16).isoformat(),
                "resulted_at": stage.desk.now.isoformat(),
                "result": result,
            }
        ],
    )
    stage.desk.settle()
    return sample_id


def confirm(stage: Stage, resident: Resident, sample_id: str, on: date) -> str:
    """A medic records a case; its id. Everything else follows by itself."""
    assert stage.desk.now is not None  # noqa: S101 - every chapter sets the clock first
    answer = stage.desk.do(
        "screening.confirm_case",
        person_id=stage.person(resident)["person_id"],
        classification="confirmed",
        basis="RT-PCR positive, confirmed by re-test",
        decided_by=MEDIC,
        decided_at=stage.desk.now.isoformat(),
        first_positive_at=at(on, 7, 30).isoformat(),
        onset_on=(on - timedelta(days=1)).isoformat(),
        sample_id=sample_id,
    )
    stage.desk.settle()
    case_id: str = answer["case_id"]
    return case_id


def confirm_by_sample(stage: Stage, resident: Resident, name: str, on: date) -> str:
    """Both results and the medic's word in one go, on a day whose morning has come."""
    sample = record_result(stage, resident, name, "positive_preliminary", on)
    record_result(stage, resident, name, "positive_confirmed", on)
    return confirm(stage, resident, sample, on)


def compare(stage: Stage, name: str, found: Expected, expected: Expected) -> None:
    """Show what was found beside the ledger and note whether each figure is equal."""
    screen = stage.screen
    for figure in ("seals", "orders", "households", "persons", "contacts", "tasks", "due_on"):
        stage.checks.equal(f"{name}: {figure}", getattr(expected, figure), getattr(found, figure))
    for figure, zh, en in (
        ("orders_by_measure", "楼内管控令", "Orders in the sealed scope"),
        ("contacts_by_category", "密接类别", "Contacts by category"),
        ("contacts_by_kind", "密接来源", "Contacts by kind"),
        ("tasks_by_kind", "自动生成的任务", "Tasks, opened by themselves"),
    ):
        now, then = getattr(found, figure), getattr(expected, figure)
        stage.checks.equal(f"{name}: {figure}", then, now)
        screen.counts((zh, en), ("类别", "kind"), now, then)
