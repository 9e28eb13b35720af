"""Who is responsible where, who is on shift, and which team gets a task.

Responsibility is by place prefix: the nearest place above a task that an organisation answers for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from lianfang.errors import Conflict, InvalidPayload
from lianfang.places import COMMAND_LEVELS, Level, ancestors, at_level, contains, level_of
from lianfang.vocabulary import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """A body on one of the five levels; its jurisdiction is `place` and everything below."""

    org_id: str
    name: str
    level: Level
    place: str
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From and until (excluded) when a team is on duty."""

    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team of one organisation; `roles` are what its members together may do."""

    team_id: str
    org_id: str
    name: str
    kind: str
    roles: tuple[Role, ...]
    place: str
    shifts: tuple[Shift, ...] = ()
    revision: int = 1

    def on_shift(self, now: datetime) -> bool:
        """Whether the team is on duty."""
        return any(s.from_at <= now < s.until_at for s in self.shifts)

    def can(self, roles: Collection[Role]) -> bool:
        """Whether the team has all these roles."""
        return set(roles) <= set(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsibility:
    """The organisation that answers for a place."""

    place: str
    org_id: str
    level: Level
    revision: int = 1


def check_organisation(org: Organisation) -> Organisation:
    """The organisation, when its level is one of the five and its place is of that level.

    Raises:
        InvalidPayload: naming what does not fit.
    """
    if org.level not in COMMAND_LEVELS:
        raise InvalidPayload.of("level", "is none of the five levels")
    if level_of(org.place) != org.level:
        raise InvalidPayload.of("place", f"is a {level_of(org.place)}, not a {org.level}")
    return org


def with_roster(team: Team, shifts: Iterable[Shift]) -> Team:
    """The team with this roster instead of the former.

    Raises:
        InvalidPayload: a shift that ends before it begins.
        Conflict: two shifts overlap.
    """
    ordered = sorted(shifts, key=lambda s: s.from_at)
    for n, shift in enumerate(ordered):
        if shift.until_at <= shift.from_at:
            raise InvalidPayload.of(f"shifts.{n}.until_at", "is not after its beginning")
        if n and shift.from_at < ordered[n - 1].until_at:
            times = {"from_at": shift.from_at.isoformat(), "team_id": team.team_id}
            raise Conflict("two shifts of the team overlap", times)
    if tuple(ordered) == team.shifts:
        return team
    return replace(team, shifts=tuple(ordered), revision=team.revision + 1)


def check_jurisdiction(place: str, org: Organisation) -> None:
    """Refuse a place outside the organisation's own.

    Raises:
        InvalidPayload: the place is not inside.
    """
    if not contains(org.place, place):
        raise InvalidPayload.of("place", f"lies outside {org.place}, the place of {org.org_id}")


def places_above(place: str) -> tuple[str, ...]:
    """The place and everything above it, the nearest first."""
    return (place, *ancestors(place))


def responsible(place: str, known: Mapping[str, Responsibility]) -> Responsibility | None:
    """Whoever answers for the nearest place."""
    for above in places_above(place):
        if above in known:
            return known[above]
    return None


def responsible_at(
    place: str, level: Level, known: Mapping[str, Responsibility]
) -> Responsibility | None:
    """Whoever answers for the place at `level` or, where nobody does, further above."""
    start = at_level(place, level)
    return responsible(start, known) if start is not None else None


def choose(
    teams: Sequence[Team],
    roles: Collection[Role],
    now: datetime,
    load: Mapping[str, int],
    *,
    without: Collection[str] = (),
) -> Team | None:
    """The least loaded team on shift that has the roles; of equals the first by id."""
    able = [
        team
        for team in teams
        if team.team_id not in without and team.on_shift(now) and team.can(roles)
    ]
    return min(able, key=lambda t: (load.get(t.team_id, 0), t.team_id), default=None)
