"""A seal: a closed building as a record with its legal state, its clock and its history.

    [proposed ->] provisional -> ordered -> approved
    ordered | approved -> release_due -> released
    provisional -> lapsed
    proposed | provisional | ordered -> refused
    any open -> withdrawn, when no cause is left

What is not drawn is refused. A proposed seal closes nothing; every other open one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.errors import IllegalTransition
from lianfang.places import Level, at_level
from lianfang.vocabulary import SealState
from services.isolation.domain.history import Step
from services.isolation.domain.rules import Rules

#: States in which a seal is not over.
OPEN = (
    SealState.PROPOSED,
    SealState.PROVISIONAL,
    SealState.ORDERED,
    SealState.APPROVED,
    SealState.RELEASE_DUE,
)
#: States in which people are closed in.
CLOSING = OPEN[1:]
#: Ends after which the same cases close the same place no more.
CONSUMING = (SealState.RELEASED, SealState.REFUSED, SealState.LAPSED)

_FROM = {
    SealState.PROVISIONAL: (SealState.PROPOSED,),
    SealState.ORDERED: (SealState.PROVISIONAL,),
    SealState.APPROVED: (SealState.ORDERED,),
    SealState.REFUSED: (SealState.PROPOSED, SealState.PROVISIONAL, SealState.ORDERED),
    SealState.LAPSED: (SealState.PROVISIONAL,),
    SealState.RELEASE_DUE: (SealState.ORDERED, SealState.APPROVED),
    SealState.RELEASED: (SealState.ORDERED, SealState.APPROVED, SealState.RELEASE_DUE),
    SealState.WITHDRAWN: OPEN,
}
#: The levels an unordered seal climbs to, hour by hour.
_LADDER = (Level.COMMUNITY, Level.STREET, Level.DISTRICT, Level.CITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A medic's decision that one condition need not be met: for everybody or for one person."""

    name: str
    reason: str
    decided_by: str
    person_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """See the module. `anchor` is the place whose case came first; `buildings` all it touches.

    `causes` are the cases it stands on; a seal that a person imposed (`is_manual`) needs none, and
    `named_causes` are those the person named.
    `persons` and `households` count who is on the roll and expected or found inside.
    """

    seal_id: str
    anchor: str
    episode: int
    state: SealState
    scope: tuple[str, ...]
    buildings: tuple[str, ...]
    exits: tuple[str, ...]
    causes: tuple[str, ...]
    imposed_at: datetime
    day_one_on: date
    due_on: date
    order_due_at: datetime
    lapses_at: datetime
    climbs_at: datetime
    correlation_id: str
    policy_version: str
    is_manual: bool = False
    named_causes: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    households: int = 0
    persons: int = 0
    level: Level = Level.ENCLOSURE
    ordered_by: str | None = None
    approved_by: str | None = None
    ended_why: str | None = None
    waivers: tuple[Waiver, ...] = ()
    revision: int = 1
    history: tuple[Step, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it is not over."""
        return self.state in OPEN

    @property
    def is_closing(self) -> bool:
        """Whether people are closed in by it."""
        return self.state in CLOSING

    @property
    def building(self) -> str:
        """The building of the anchor, for envelopes."""
        return at_level(self.anchor, Level.BUILDING) or self.anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """What a seal closes and why, computed from cases and places."""

    scope: tuple[str, ...]
    buildings: tuple[str, ...]
    exits: tuple[str, ...]
    causes: tuple[str, ...]
    latest_cause_on: date | None = None
    batches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a new seal begins."""

    anchor: str
    episode: int
    now: datetime
    correlation_id: str
    is_manual: bool = False
    named_causes: tuple[str, ...] = ()
    held_back: str | None = None
    by: str | None = None
    why: str | None = None


def open_seal(opening: Opening, extent: Extent, rules: Rules) -> Seal:
    """A new seal: provisional and effective at once, or proposed when something holds it back."""
    proposed = opening.held_back is not None
    seal = Seal(
        seal_id=natural_id("seal", opening.anchor, opening.episode),
        anchor=opening.anchor,
        episode=opening.episode,
        state=SealState.PROPOSED if proposed else SealState.PROVISIONAL,
        scope=extent.scope,
        buildings=extent.buildings,
        exits=extent.exits,
        causes=extent.causes,
        batches=extent.batches,
        correlation_id=opening.correlation_id,
        policy_version=rules.version,
        is_manual=opening.is_manual,
        named_causes=opening.named_causes,
        imposed_at=opening.now,
        day_one_on=day_of(opening.now),
        due_on=day_of(opening.now),
        order_due_at=opening.now,
        lapses_at=opening.now,
        climbs_at=opening.now,
    )
    step = Step(
        at=opening.now,
        what=seal.state,
        by=opening.by,
        why=opening.held_back or opening.why,
    )
    return replace(_effective(seal, extent, opening.now, rules), history=(step,))


def _effective(seal: Seal, extent: Extent, now: datetime, rules: Rules) -> Seal:
    clock = rules.order_clock
    first = day_of(now)
    return replace(
        seal,
        imposed_at=now,
        day_one_on=first,
        due_on=_due(first, extent, rules),
        order_due_at=now + timedelta(hours=clock.order_within_hours),
        lapses_at=now + timedelta(hours=clock.lapse_after_hours),
        climbs_at=now + timedelta(minutes=clock.climb_every_minutes),
    )


def _due(first: date, extent: Extent, rules: Rules) -> date:
    """The last day: the first day counts (3 Feb -> 16 Feb), and the latest case restarts it."""
    latest = max(first, extent.latest_cause_on or first)
    return latest + timedelta(days=rules.seal_days - 1)


def impose(seal: Seal, extent: Extent, now: datetime, by: str, why: str, rules: Rules) -> Seal:
    """A proposed seal that a named authority makes effective.

    Raises:
        IllegalTransition: it is not proposed.
    """
    moved = move(seal, SealState.PROVISIONAL, now, by=by, why=why)
    wider = replace(
        moved,
        scope=extent.scope,
        buildings=extent.buildings,
        exits=extent.exits,
        causes=extent.causes,
    )
    return _effective(wider, extent, now, rules)


def move(
    seal: Seal, to: SealState, now: datetime, *, by: str | None = None, why: str | None = None
) -> Seal:
    """The seal in another state, with who did it and why.

    Raises:
        IllegalTransition: the state machine has no such step.
    """
    if seal.state not in _FROM[to]:
        raise IllegalTransition.of(f"seal {seal.seal_id}", seal.state, to)
    return replace(
        seal,
        state=to,
        ordered_by=by if to == SealState.ORDERED else seal.ordered_by,
        approved_by=by if to == SealState.APPROVED else seal.approved_by,
        ended_why=seal.ended_why if to in OPEN else why,
        revision=seal.revision + 1,
        history=(*seal.history, Step(at=now, what=to, by=by, why=why)),
    )


def extend(seal: Seal, extent: Extent, now: datetime, rules: Rules) -> Seal:
    """The open seal with what it now closes and until when; the same seal when nothing changed.

    A seal that was due for release and gets a later day falls back to the state it was due from.
    """
    due = _due(seal.day_one_on, extent, rules)
    state = seal.state
    if state == SealState.RELEASE_DUE and due > seal.due_on:
        state = SealState.APPROVED if seal.approved_by else SealState.ORDERED
    wanted = replace(
        seal,
        state=state,
        scope=extent.scope,
        buildings=extent.buildings,
        exits=extent.exits,
        causes=extent.causes,
        batches=extent.batches,
        due_on=due,
    )
    if wanted == seal:
        return seal
    step = Step(at=now, what="extended", why=f"{len(extent.causes)} causes, due {due}")
    return replace(
        wanted,
        policy_version=rules.version,
        revision=seal.revision + 1,
        history=(*seal.history, step),
    )


def climb(seal: Seal, now: datetime, rules: Rules) -> Seal:
    """An unordered seal told to the next level; its history says when and to whom."""
    above = _LADDER[min(len(_LADDER) - 1, _rank(seal.level) + 1)]
    return replace(
        seal,
        level=above,
        climbs_at=now + timedelta(minutes=rules.order_clock.climb_every_minutes),
        revision=seal.revision + 1,
        history=(*seal.history, Step(at=now, what="climbed", why=f"not ordered; told {above}")),
    )


def _rank(level: Level) -> int:
    return _LADDER.index(level) if level in _LADDER else -1


def waive(seal: Seal, waiver: Waiver, now: datetime) -> Seal:
    """The seal with one condition waived; waiving twice changes nothing.

    Raises:
        IllegalTransition: the seal is over.
    """
    if not seal.is_closing:
        raise IllegalTransition.of(f"seal {seal.seal_id}", seal.state, "waived")
    if any((w.name, w.person_id) == (waiver.name, waiver.person_id) for w in seal.waivers):
        return seal
    step = Step(at=now, what="waived", by=waiver.decided_by, why=f"{waiver.name}: {waiver.reason}")
    return replace(
        seal,
        waivers=(*seal.waivers, waiver),
        revision=seal.revision + 1,
        history=(*seal.history, step),
    )
