"""What one part of the fault suite did, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Scale(Enum):
    """How long a part goes on: seconds within `make test`, or as long as the promise needs."""

    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The figures of one part; it holds when nothing is broken."""

    part: str
    #: Kills, restarts, poison messages: whatever this part did to the system.
    faults: int
    #: What clients were told is kept, and how much of it is not.
    acknowledged: int
    lost: int
    duplicates_delivered: int
    duplicate_effects: int
    #: The longest a single fault kept the system from working; None where nothing stopped.
    recovery_s: float | None = None
    #: Each thing that does not hold, as a sentence naming the offenders.
    broken: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, nothing happened twice and every invariant stands."""
        return not self.broken and self.lost == 0 and self.duplicate_effects == 0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "holds": self.holds}
