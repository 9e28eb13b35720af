"""What the isolation service says: seals, infected points, orders and what release waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from lianfang.events.event import Chunked, Event
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState, RollStatus, SealState


@dataclass(frozen=True, slots=True, kw_only=True)
class SealSnapshot:
    """A seal as it is now. `due_on` is the last day, ending at 24:00; `scope` lists place paths."""

    seal_id: str
    state: SealState
    scope: tuple[str, ...]
    exits: tuple[str, ...]
    causes: tuple[str, ...]
    imposed_at: datetime
    day_one_on: date
    due_on: date
    order_due_at: datetime
    lapses_at: datetime
    households: int
    persons: int
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SealEvent(Event):
    """Every word about a seal carries the seal as it then was: a reader needs only the newest."""

    SUBJECT: ClassVar[str] = "seal_id"
    seal_id: str
    building: str
    seal: SealSnapshot
    decided_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealProposed(SealEvent):
    """The brake holds this seal back until a named authority imposes or refuses it."""

    TYPE: ClassVar[str] = "seal.proposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealImposed(SealEvent):
    """The building is closed, provisionally by rule, effective at once."""

    TYPE: ClassVar[str] = "seal.imposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOrdered(SealEvent):
    """A named authority ordered the provisional seal."""

    TYPE: ClassVar[str] = "seal.ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealApproved(SealEvent):
    """The level above approved the order."""

    TYPE: ClassVar[str] = "seal.approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealRefused(SealEvent):
    """The authority refused: the seal ends at once."""

    TYPE: ClassVar[str] = "seal.refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealExtended(SealEvent):
    """Another case joined, or one of several left: causes, scope and due day changed."""

    TYPE: ClassVar[str] = "seal.extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealLapsed(SealEvent):
    """Nobody ordered it in time."""

    TYPE: ClassVar[str] = "seal.lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionSnapshot:
    """One release condition: met or not, who blocks it, and who waived it why."""

    name: str
    met: bool
    blocked_by: tuple[str, ...] = ()
    owner: str | None = None
    waived_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReleased(SealEvent):
    """A medic decided with the checklist attached; the gate opens."""

    TYPE: ClassVar[str] = "seal.released"
    released_at: datetime
    conditions: tuple[ConditionSnapshot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SealWithdrawn(SealEvent):
    """No cause is left: the case was discarded or was never here."""

    TYPE: ClassVar[str] = "seal.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDue(Event):
    """The last day is over; the conditions say what still stands between and whom it waits for."""

    TYPE: ClassVar[str] = "release.due"
    SUBJECT: ClassVar[str] = "seal_id"
    seal_id: str
    building: str
    due_on: date
    conditions: tuple[ConditionSnapshot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusDeclared(Event):
    """A workplace or venue is an infected point (疫点): disinfect it, ask its keeper."""

    TYPE: ClassVar[str] = "focus.declared"
    SUBJECT: ClassVar[str] = "focus_id"
    focus_id: str
    place: str
    causes: tuple[str, ...]
    declared_at: datetime
    policy_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FocusCleared(Event):
    """The infected point is none any more."""

    TYPE: ClassVar[str] = "focus.cleared"
    SUBJECT: ClassVar[str] = "focus_id"
    focus_id: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason an order stands on, with the last day it asks for."""

    kind: CauseKind
    id: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSnapshot:
    """One person's order as it is now. There is at most one open order per person.

    `seal_id` is set while the person is on a seal's roll. `waitlisted` says that a facility bed is
    owed and not yet found: the person is still at home and is served there.
    """

    order_id: str
    person_id: str
    household_id: str
    building: str
    measure: Measure
    state: OrderState
    start_on: date
    due_on: date
    causes: tuple[Cause, ...]
    revision: int
    seal_id: str | None = None
    needs: tuple[Need, ...] = ()
    guardian_id: str | None = None
    exception_reason: str | None = None
    waitlisted: bool = False
    at_home: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersEvent(Chunked):
    """One decision about many persons of one building; a household never spans two chunks.

    `decision_id` is natural in what was decided (a cause and its revision), so deciding twice gives
    the same ids.
    """

    SUBJECT: ClassVar[str] = "decision_id"
    decision_id: str
    building: str
    orders: tuple[OrderSnapshot, ...]
    policy_version: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineOrdered(OrdersEvent):
    """Exposed persons were ordered into quarantine."""

    TYPE: ClassVar[str] = "quarantine.ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineServed(OrdersEvent):
    """The notices were handed over; the orders bind."""

    TYPE: ClassVar[str] = "quarantine.served"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineExtended(OrdersEvent):
    """Causes, measure or due day of open orders changed; clock and history go on."""

    TYPE: ClassVar[str] = "quarantine.extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineReleased(OrdersEvent):
    """The quarantine is over."""

    TYPE: ClassVar[str] = "quarantine.released"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineWithdrawn(OrdersEvent):
    """The reasons are gone (discarded, dropped, lives elsewhere) or another order took over."""

    TYPE: ClassVar[str] = "quarantine.withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationOrdered(OrdersEvent):
    """Infected persons were ordered into isolation and treatment."""

    TYPE: ClassVar[str] = "isolation.ordered"


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationEnded(OrdersEvent):
    """The isolation is over: recovered, died, or never a case."""

    TYPE: ClassVar[str] = "isolation.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollEntry:
    """What was decided about one person on (or off) a seal's roll, and the order that came of it.

    `reason` says why there is no order, or why somebody has to look at the door first.
    """

    person_id: str
    household_id: str
    status: RollStatus
    reason: str
    revision: int
    order_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollAmended(Chunked):
    """Persons joined, left or changed on a seal's roll; a household never spans two chunks.

    `decision_id` is natural in what was decided. An entry with status `door_check` needs somebody
    at the door; any other status ends that need.
    """

    TYPE: ClassVar[str] = "roll.amended"
    SUBJECT: ClassVar[str] = "decision_id"
    decision_id: str
    seal_id: str
    building: str
    entries: tuple[RollEntry, ...]
    policy_version: str
