"""One seal's turn: how it was, how it is, and the word that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.events.isolation import ConditionSnapshot, SealEvent, SealReleased
from services.isolation.domain.seals import Seal, snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A seal before and after a decision, the word that tells it, and who decided why."""

    before: Seal | None
    after: Seal
    word: type[SealEvent]
    by: str | None = None
    why: str | None = None
    conditions: tuple[ConditionSnapshot, ...] = ()

    @property
    def concerns_people(self) -> bool:
        """Whether it closes people in now, or did."""
        return self.after.is_closing or (self.before is not None and self.before.is_closing)


def told(turn: Turn, seal: Seal, now: datetime) -> SealEvent:
    """The event of a turn, with the seal as it was saved."""
    facts = {
        "seal_id": seal.seal_id,
        "building": seal.building,
        "seal": snapshot(seal),
        "decided_by": turn.by,
        "reason": turn.why,
        "revision": seal.revision,
    }
    if issubclass(turn.word, SealReleased):
        return turn.word(**facts, released_at=now, conditions=turn.conditions)
    return turn.word(**facts)
