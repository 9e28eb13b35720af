"""Rounds: which doors a team goes to on one day for one purpose, and what it recorded there.

A round is one document with the households it has planned; a stop is a document of its own, made
when it is recorded. Every kind of round of a scope has its document on every day of it, so that
which household was planned first leaves no trace; lists show those that ever planned somebody.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from lianfang.days import end_of
from lianfang.envelope import natural_id
from lianfang.vocabulary import Need
from services.dispatch.domain.households import Household
from services.dispatch.domain.rules import DispatchRules, RoundTemplate, slot_end

#: The task that a round completes with its last stop.
COMPLETES = {"head_count": "head_count", "notice": "serve_notice"}


class RoundState(StrEnum):
    """Where a round is: a cancelled one has nobody to go to, one that is over ended undone."""

    OPEN = "open"
    COMPLETED = "completed"
    OVER = "over"
    CANCELLED = "cancelled"


class ScopeKind(StrEnum):
    """What holds a plan of rounds together."""

    SEAL = "seal"
    HOME = "home"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeAudit:
    """What started a seal's scope: what its rounds record belongs to that. Homes have many."""

    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A plan of daily rounds: of a seal, or of home quarantine in a community.

    `opened_on` is the last day whose rounds were opened; `gaps` are days that nobody opened.
    """

    scope_id: str
    kind: ScopeKind
    place: str
    active: bool = True
    day_one_on: date | None = None
    opened_on: date | None = None
    gaps: tuple[date, ...] = ()
    audit: ScopeAudit = field(default=ScopeAudit())

    @property
    def seal_id(self) -> str | None:
        """The seal, when the scope is one."""
        return self.scope_id if self.kind == ScopeKind.SEAL else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundAudit:
    """What depends on the order of messages.

    `shown` once somebody was planned; `check` when a household left and the rest may be done.
    """

    shown: bool = False
    check: bool = False
    correlation_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round. `ends_at` is None for one that lasts as long as its scope.

    `covered` are the households that had been recorded when it was last complete.
    """

    round_id: str
    kind: str
    slot: str
    on: date
    scope_id: str
    scope: ScopeKind
    place: str
    planned: tuple[str, ...]
    state: RoundState
    opened_by: str
    ends_at: datetime | None = None
    seal_id: str | None = None
    covered: tuple[str, ...] = ()
    revision: int = 1
    audit: RoundAudit = field(default=RoundAudit())


@dataclass(frozen=True, slots=True)
class Door:
    """What a round has to know of one household in its scope: each person's first day and needs."""

    household_id: str
    members: tuple[tuple[date, frozenset[Need]], ...]

    @classmethod
    def of(cls, household: Household, scope: Scope) -> Door:
        """The door as it is for this scope; without members nobody is at home because of it."""
        members = household.members(scope.scope_id)
        return cls(household.household_id, tuple((o.start_on, frozenset(o.needs)) for o in members))


def stops_at(door: Door, scope: Scope, template: RoundTemplate, day: date) -> bool:
    """Whether this round stops at this door on `day`."""
    members = door.members
    if scope.kind == ScopeKind.HOME:
        members = tuple(m for m in members if template.on_day((day - m[0]).days + 1, day))
    if not template.needs:
        return bool(members)
    return any(template.wants(needs) for _, needs in members)


def _held(
    scope: Scope, rules: DispatchRules, day: date
) -> Iterator[tuple[str, RoundTemplate, str, int, str]]:
    """The kinds and slots held on `day`, each with the natural id of its round."""
    number = (day - scope.day_one_on).days + 1 if scope.day_one_on else None
    for kind, template in rules.rounds[scope.kind].items():
        if number is not None and not template.on_day(number, day):
            continue
        for slot, hour in template.slots.items():
            key = (kind,) if template.once else (kind, day, slot)
            yield kind, template, slot, hour, natural_id("round", scope.scope_id, *key)


def round_ids(scope: Scope, rules: DispatchRules, day: date) -> list[str]:
    """The ids of the rounds that a scope has on `day`, whether they exist or not."""
    return [round_id for *_, round_id in _held(scope, rules, day)]


def open_rounds(
    scope: Scope,
    rules: DispatchRules,
    now: datetime,
    day: date,
    *,
    opened_by: str,
) -> list[Round]:
    """The rounds of `day` in this scope, still without households; slots already over are left out.

    Rounds held once belong to the first day of the scope.
    """
    opened = []
    for kind, template, slot, hour, round_id in _held(scope, rules, day):
        ends_at = None if template.once else slot_end(day, hour)
        if ends_at is not None and ends_at <= now:
            continue
        opened.append(
            Round(
                round_id=round_id,
                kind=kind,
                slot=slot,
                on=day,
                scope_id=scope.scope_id,
                scope=scope.kind,
                place=scope.place,
                planned=(),
                state=RoundState.CANCELLED,
                opened_by=opened_by,
                ends_at=ends_at,
                seal_id=scope.seal_id,
                audit=RoundAudit(correlation_id=scope.audit.correlation_id),
            )
        )
    return opened


def replan(
    round_: Round,
    scope: Scope,
    doors: Iterable[Door],
    rules: DispatchRules,
    now: datetime,
) -> Round:
    """The round after these doors changed, joined or left.

    A round whose hour is over stays as it is, unless its scope ended.
    """
    if scope.active and round_.ends_at is not None and round_.ends_at <= now:
        return round_
    template = rules.rounds[scope.kind].get(round_.kind)
    planned, left = list(round_.planned), False
    for door in doors:
        wanted = template is not None and stops_at(door, scope, template, round_.on)
        place = bisect_left(planned, door.household_id)
        known = place < len(planned) and planned[place] == door.household_id
        if wanted and not known:
            planned.insert(place, door.household_id)
        elif known and not wanted:
            del planned[place]
            left = True
    after = tuple(planned) if scope.active else ()
    return settle(
        replace(
            round_,
            planned=after,
            audit=replace(
                round_.audit,
                shown=round_.audit.shown or bool(after),
                check=round_.audit.check or (left and bool(after)),
            ),
        ),
        round_,
    )


def settle(round_: Round, before: Round) -> Round:
    """The next revision in the state that follows from the plan and from what was covered."""
    if not round_.planned:
        state = RoundState.COMPLETED if round_.covered else RoundState.CANCELLED
    elif set(round_.planned) <= set(round_.covered):
        state = RoundState.COMPLETED
    else:
        state = RoundState.OPEN
    changed = replace(round_, state=state)
    return before if changed == before else replace(changed, revision=before.revision + 1)


def finished(round_: Round, recorded: frozenset[str]) -> Round:
    """The round after its stops were counted: completed when no planned household is left."""
    audit = replace(round_.audit, check=False)
    if not round_.planned or not set(round_.planned) <= recorded:
        return replace(round_, audit=audit) if audit != round_.audit else round_
    return settle(replace(round_, covered=tuple(sorted(recorded)), audit=audit), round_)


def leave_over(round_: Round) -> Round:
    """A round whose day ended before its last stop: what was not recorded was missed."""
    return replace(round_, state=RoundState.OVER, revision=round_.revision + 1)


def day_after(scope: Scope, today: date) -> Scope:
    """The scope once `today`'s rounds are open; days between that nobody opened are its gaps."""
    missed: list[date] = []
    if scope.opened_on is not None:
        day = scope.opened_on + timedelta(days=1)
        while day < today:
            missed.append(day)
            day += timedelta(days=1)
    return replace(scope, opened_on=today, gaps=(*scope.gaps, *missed))


def is_over(round_: Round, now: datetime) -> bool:
    """Whether only corrections are taken any more."""
    return round_.ends_at is not None and now >= end_of(round_.on)
