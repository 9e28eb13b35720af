"""What dispatch knows of cases and seals, and the tasks they ask for.

`learn…` takes one more word about a cause, in any order and as often as it comes; `plan…` says
which tasks the cause asks for now (active) or ever asked for (not active).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from lianfang.days import end_of
from lianfang.envelope import natural_id
from lianfang.events.isolation import ReleaseDue, SealEvent
from lianfang.events.screening import CaseConfirmed
from lianfang.vocabulary import CauseKind, Custody, PlaceUse, SealState
from services.dispatch.domain.difference import Wanted

#: A seal in one of these closes its building; a proposed one does not yet.
CLOSED_STATES = frozenset(
    {SealState.PROVISIONAL, SealState.ORDERED, SealState.APPROVED, SealState.RELEASE_DUE}
)
_RESIDENTIAL = (PlaceUse.RESIDENCE, PlaceUse.DORMITORY)


def task_id(cause_id: str, kind: str, *key: object) -> str:
    """The natural id of a task: its cause, its kind, and what it is for."""
    return natural_id("task", cause_id, kind, *key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAudit:
    """How often the tasks of this cause were announced."""

    said: int = 0


def _joined(known: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*known, *more}))


# -- cases ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """A case: the newest facts, and every person and home it was ever about.

    `since` is the earliest decision ever told: what a case asks for is due from then on.
    """

    case_id: str
    revision: int = 0
    place: str = ""
    person_id: str = ""
    household_id: str | None = None
    decided_at: datetime | None = None
    since: datetime | None = None
    custody: Custody = Custody.AT_HOME
    homes: tuple[str, ...] = ()
    persons_ever: tuple[str, ...] = ()
    homes_ever: tuple[str, ...] = ()
    at_home_ever: tuple[str, ...] = ()
    discarded: bool = False
    closed: bool = False
    audit: PlanAudit = field(default=PlanAudit())


def learn_case(facts: CaseFacts, event: CaseConfirmed, place: str) -> CaseFacts:
    """A case as confirmed or amended; `place` is the envelope's, for a case without a home here."""
    homes = tuple(sorted({s.place for s in event.stays if s.use in _RESIDENTIAL}))
    facts = replace(
        facts,
        persons_ever=_joined(facts.persons_ever, [event.person_id]),
        homes_ever=_joined(facts.homes_ever, homes),
        since=min(facts.since or event.decided_at, event.decided_at),
    )
    if event.custody == Custody.AT_HOME:
        facts = replace(facts, at_home_ever=_joined(facts.at_home_ever, [event.person_id]))
    if event.revision <= facts.revision:
        return facts
    return replace(
        facts,
        revision=event.revision,
        place=homes[0] if homes else place,
        person_id=event.person_id,
        household_id=event.household_id,
        decided_at=event.decided_at,
        custody=event.custody,
        homes=homes,
    )


def plan_case(facts: CaseFacts) -> list[Wanted]:
    """Report, investigation, transfer while at home, disinfection of each home."""
    if facts.since is None:
        return []
    stands = not facts.discarded
    wanted = [_of_case(facts, "network_report", stands)]
    for person in facts.persons_ever:
        mine = stands and person == facts.person_id
        wanted.append(_of_case(facts, "case_investigation", mine, person=person))
    for person in facts.at_home_ever:
        waits = facts.custody == Custody.AT_HOME and not facts.closed
        mine = stands and waits and person == facts.person_id
        wanted.append(_of_case(facts, "case_transfer", mine, person=person))
    for home in facts.homes_ever:
        mine = stands and home in facts.homes
        wanted.append(_of_case(facts, "terminal_disinfection", mine, home=home))
    return wanted


def _of_case(
    facts: CaseFacts, kind: str, active: bool, *, person: str = "", home: str = ""
) -> Wanted:
    assert facts.since is not None  # noqa: S101 - `plan_case` looked
    whom = person or facts.person_id
    household = facts.household_id if whom == facts.person_id else None
    return Wanted(
        task_id=task_id(facts.case_id, kind, person or home),
        kind=kind,
        place=home or facts.place,
        cause_kind=CauseKind.CASE,
        cause_id=facts.case_id,
        since=facts.since,
        active=active,
        household_ids=(household,) if household else (),
        person_ids=(whom,),
    )


# -- seals ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """A seal: its newest state, every exit it ever had, every last day it was ever due on."""

    seal_id: str
    revision: int = 0
    building: str = ""
    state: SealState = SealState.PROPOSED
    scope: tuple[str, ...] = ()
    exits: tuple[str, ...] = ()
    exits_ever: tuple[str, ...] = ()
    imposed: bool = False
    imposed_at: datetime | None = None
    day_one_on: date | None = None
    due_on: date | None = None
    release_due: tuple[date, ...] = ()
    audit: PlanAudit = field(default=PlanAudit())

    @property
    def closes(self) -> bool:
        """Whether the building is closed now."""
        return self.state in CLOSED_STATES


def learn_seal(facts: SealFacts, event: SealEvent) -> SealFacts:
    """Any word about the seal; each carries the seal as it then was."""
    seal = event.seal
    if seal.state in CLOSED_STATES:
        facts = replace(facts, imposed=True, exits_ever=_joined(facts.exits_ever, seal.exits))
    if event.revision <= facts.revision:
        return facts
    return replace(
        facts,
        revision=event.revision,
        building=event.building,
        state=seal.state,
        scope=seal.scope,
        exits=seal.exits,
        imposed_at=seal.imposed_at,
        day_one_on=seal.day_one_on,
        due_on=seal.due_on,
    )


def learn_release_due(facts: SealFacts, event: ReleaseDue) -> SealFacts:
    """The last day is over; the seal itself may not be known yet."""
    days = tuple(sorted({*facts.release_due, event.due_on}))
    return replace(facts, release_due=days, building=facts.building or event.building)


def plan_seal(facts: SealFacts) -> list[Wanted]:
    """A post at each exit, head count, notices, and the check when the last day is over."""
    if facts.imposed_at is None:
        return []
    wanted = []
    if facts.imposed:
        wanted = [
            _of_seal(facts, "gate_post", facts.closes and gate in facts.exits, place=gate)
            for gate in facts.exits_ever
        ]
        wanted += [_of_seal(facts, kind, facts.closes) for kind in ("head_count", "serve_notice")]
    for day in facts.release_due:
        active = facts.closes and facts.due_on is not None and facts.due_on <= day
        wanted.append(_of_seal(facts, "release_check", active, key=day.isoformat()))
    return wanted


def _of_seal(
    facts: SealFacts, kind: str, active: bool, *, place: str = "", key: str = ""
) -> Wanted:
    assert facts.imposed_at is not None  # noqa: S101 - `plan_seal` looked
    since = facts.imposed_at
    if key:
        since = max(since, end_of(date.fromisoformat(key)))
    return Wanted(
        task_id=task_id(facts.seal_id, kind, place or key),
        kind=kind,
        place=place or facts.building,
        cause_kind=CauseKind.SEAL,
        cause_id=facts.seal_id,
        since=since,
        active=active,
        seal_id=facts.seal_id,
    )
