"""What a look at a district says: one line for each thing, with the next step. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: Every text is written twice: in Chinese and in English.
Both = tuple[str, str]


class Status(StrEnum):
    """How it stands; `unknown` is what could not be looked at because something else is wrong."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


class Area(StrEnum):
    """Where it belongs, in the order in which to mend."""

    BROKER = "broker"
    TOPOLOGY = "topology"
    DATABASES = "databases"
    SERVICES = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at.

    `advice` is the next step and `runbook` the page of `docs/how-to/` that has the others; a line
    that is neither `ok` nor `unknown` has both.
    """

    area: Area
    name: Both
    status: Status
    said: Both
    advice: Both | None = None
    runbook: str | None = None


#: Pages of `docs/how-to/`.
BROKER_DOWN = "broker-down"
DATABASE_DOWN = "database-without-primary"
PARKED_GROW = "parked-messages-grow"
NO_CONSUMER = "queue-without-consumer"
RUN = "run-a-district"


def worst(lines: Iterable[Line]) -> Status:
    """The worst that any line says; what is unknown is no worse than its cause."""
    said = {line.status for line in lines}
    return next((s for s in (Status.BAD, Status.UNKNOWN, Status.WARN) if s in said), Status.OK)
