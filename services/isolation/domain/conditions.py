"""What a release waits for: computed each time, with who blocks each condition."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lianfang.events.isolation import ConditionSnapshot
from lianfang.vocabulary import OrderState
from services.isolation.domain.evidence import Complaint, DoneTask
from services.isolation.domain.orders import Order
from services.isolation.domain.roll import UNDECIDED, Sheet
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import overlap
from services.isolation.domain.seals import Seal

#: Completed tasks of these kinds bear on custody or on a release.
TRANSFER, DISINFECTION, ESCORT = "case_transfer", "terminal_disinfection", "fever_escort"
#: The most ids of one condition that travel in an event.
SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The facts that a seal's release depends on."""

    today: date
    sheets: tuple[Sheet, ...]
    orders: tuple[Order, ...]
    negative: frozenset[str] = frozenset()
    complaints: tuple[Complaint, ...] = ()
    done: tuple[DoneTask, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One condition: who or what blocks it, and how far a waiver covers that."""

    name: str
    owner: str
    met: bool
    blocked_by: tuple[str, ...] = ()
    waived_by: str | None = None
    reason: str | None = None

    @property
    def is_in_the_way(self) -> bool:
        """Whether the release must wait for it."""
        return not self.met and self.waived_by is None


def judge(seal: Seal, ready: Readiness, rules: Rules) -> tuple[Judgement, ...]:
    """Every condition of the policy in force, in the policy's order."""
    return tuple(
        _judged(seal, condition.name, condition.owner, ready)
        for condition in rules.release_conditions
    )


def shown(judgements: Iterable[Judgement], most: int = SHOWN) -> tuple[ConditionSnapshot, ...]:
    """The conditions as an event tells them; of many who block, the first."""
    return tuple(
        ConditionSnapshot(
            name=j.name,
            met=j.met,
            blocked_by=j.blocked_by[:most],
            owner=j.owner,
            waived_by=j.waived_by,
            reason=j.reason,
        )
        for j in judgements
    )


def _judged(seal: Seal, name: str, owner: str, ready: Readiness) -> Judgement:
    blocked = _BLOCKERS[name](seal, ready)
    waivers = [w for w in seal.waivers if w.name == name]
    whole = next((w for w in waivers if w.person_id is None), None)
    single = {w.person_id: w for w in waivers if w.person_id is not None}
    left = tuple(b for b in blocked if b not in single)
    used = next((single[b] for b in blocked if b in single), None)
    waiver = whole or (used if not left else None)
    return Judgement(
        name=name,
        owner=owner,
        met=not blocked,
        blocked_by=left,
        waived_by=waiver.decided_by if waiver and blocked else None,
        reason=waiver.reason if waiver and blocked else None,
    )


def _at_home(ready: Readiness) -> list[Order]:
    return sorted(
        (o for o in ready.orders if o.at_home and not o.is_isolation), key=lambda o: o.person_id
    )


def _days(seal: Seal, ready: Readiness) -> tuple[str, ...]:
    return () if ready.today > seal.due_on else (seal.due_on.isoformat(),)


def _uncounted(_seal: Seal, ready: Readiness) -> tuple[str, ...]:
    """Whoever nobody has looked for; where the infected are is known."""
    infected = {order.person_id for order in ready.orders if order.is_isolation}
    return tuple(
        sorted(
            entry.person_id
            for sheet in ready.sheets
            for entry in sheet.entries
            if entry.status in UNDECIDED and entry.person_id not in infected
        )
    )


def _unserved(_seal: Seal, ready: Readiness) -> tuple[str, ...]:
    return tuple(o.person_id for o in _at_home(ready) if o.state == OrderState.ORDERED)


def _unsampled(_seal: Seal, ready: Readiness) -> tuple[str, ...]:
    return tuple(o.person_id for o in _at_home(ready) if o.person_id not in ready.negative)


def _ill(_seal: Seal, ready: Readiness) -> tuple[str, ...]:
    """Whoever had a symptom and was not brought to a fever clinic after it."""
    escorted: dict[str, datetime] = {}
    for task in ready.done:
        if task.kind == ESCORT:
            for person_id in task.person_ids:
                escorted[person_id] = max(task.at, escorted.get(person_id, task.at))
    open_ones = {
        c.person_id
        for c in ready.complaints
        if c.person_id not in escorted or escorted[c.person_id] < c.reported_at
    }
    return tuple(sorted(open_ones))


def _infected(_seal: Seal, ready: Readiness) -> tuple[str, ...]:
    return tuple(sorted(o.person_id for o in ready.orders if o.is_isolation and o.at_home))


def _undisinfected(seal: Seal, ready: Readiness) -> tuple[str, ...]:
    clean = {
        task.cause_id
        for task in ready.done
        if task.kind == DISINFECTION and overlap(seal.scope, [task.place])
    }
    return tuple(cause for cause in seal.causes if cause not in clean)


_BLOCKERS: Mapping[str, Callable[[Seal, Readiness], tuple[str, ...]]] = {
    "days_completed": _days,
    "head_count_complete": _uncounted,
    "notices_served": _unserved,
    "negative_sample": _unsampled,
    "no_open_symptom": _ill,
    "no_infected_inside": _infected,
    "terminal_disinfection": _undisinfected,
}
