"""The collections of isolation, each with the indexes that its queries need."""

from __future__ import annotations

from lianfang.runtime.documents import Collection, Index
from services.isolation.domain.cases import Case
from services.isolation.domain.doors import Door
from services.isolation.domain.evidence import Complaint, DoneTask, Sample
from services.isolation.domain.facts import Person, Place, Residence
from services.isolation.domain.foci import Focus
from services.isolation.domain.orders import Order
from services.isolation.domain.pauses import Pause
from services.isolation.domain.roll import Sheet
from services.isolation.domain.seals import Seal

PLACES = Collection("places", Place, "path", [Index("exits")])
RESIDENCES = Collection(
    "residences",
    Residence,
    "residence_id",
    [
        Index("building"),
        Index("person_id"),
        Index("household_id"),
        Index("guardian_id", where={"guardian_id": {"$type": "string"}}),
    ],
)
PERSONS = Collection("persons", Person, "person_id", [Index("contacts.case_id")])
CASES = Collection("cases", Case, "case_id", [Index("stays.place")])
DOORS = Collection("doors", Door, "door_id", [Index("building")])
SAMPLES = Collection("samples", Sample, "sample_id", [Index("person_ids", "collected_at")])
COMPLAINTS = Collection("complaints", Complaint, "report_id", [Index("person_id", "reported_at")])
DONE_TASKS = Collection("done_tasks", DoneTask, "task_id", [Index("cause_id"), Index("person_ids")])
SEALS = Collection(
    "seals",
    Seal,
    "seal_id",
    [
        Index("buildings"),
        Index("anchor", "episode", unique=True),
        Index("causes"),
        Index("state", "climbs_at"),
        Index("state", "lapses_at"),
        Index("state", "due_on"),
        Index("imposed_at"),
        Index("batches"),
    ],
)
SHEETS = Collection("sheets", Sheet, "sheet_id", [Index("seal_id")])
ORDERS = Collection(
    "orders",
    Order,
    "order_id",
    [
        Index("person_id"),
        Index("seal_id"),
        Index("building"),
        Index("is_open", "due_on"),
    ],
)
FOCI = Collection("foci", Focus, "focus_id")
PAUSES = Collection("pauses", Pause, "place")
