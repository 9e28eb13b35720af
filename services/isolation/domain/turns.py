"""One seal's turn: how it was, how it is, and the word that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lianfang.events.isolation import (
    ConditionSnapshot,
    SealEvent,
    SealReleased,
    SealSnapshot,
)
from services.isolation.domain.seals import Seal


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
    shape = {"released_at": now, "conditions": turn.conditions}
    more: dict[str, Any] = shape if issubclass(turn.word, SealReleased) else {}
    return turn.word(
        seal_id=seal.seal_id,
        building=seal.building,
        seal=snapshot(seal),
        decided_by=turn.by,
        reason=turn.why,
        revision=seal.revision,
        **more,
    )


def snapshot(seal: Seal) -> SealSnapshot:
    """The seal as others may see it."""
    return SealSnapshot(
        seal_id=seal.seal_id,
        state=seal.state,
        scope=seal.scope,
        exits=seal.exits,
        causes=seal.causes,
        imposed_at=seal.imposed_at,
        day_one_on=seal.day_one_on,
        due_on=seal.due_on,
        order_due_at=seal.order_due_at,
        lapses_at=seal.lapses_at,
        households=seal.households,
        persons=seal.persons,
        policy_version=seal.policy_version,
    )
