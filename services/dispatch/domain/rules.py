"""The rules of the section `dispatch`: task and round templates, clocks of escalation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lianfang.days import at
from lianfang.places import COMMAND_LEVELS, Level
from lianfang.vocabulary import Need, Role

#: Every kind of task that a cause may ask for; each needs its template.
TASK_KINDS = (
    "network_report",
    "case_investigation",
    "case_transfer",
    "terminal_disinfection",
    "gate_post",
    "head_count",
    "serve_notice",
    "release_check",
    "trinity_visit",
    "contact_transfer",
    "pet_pickup",
    "focus_disinfection",
    "keeper_inquiry",
    "fever_escort",
    "door_check",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTemplate:
    """Who must be on the team and how long the task may take from the moment its cause began."""

    roles: tuple[Role, ...]
    due_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTemplate:
    """One kind of round in one scope.

    `slots` maps a name to the hour (Asia/Shanghai) at which it is over. `needs` narrows it to
    households with one of them. `days` are day numbers (the first day is 1), none for every day.
    A round that is held `once` lasts as long as its scope. `catch_up_on` is a day on which
    everybody gets it whatever their day number.
    """

    slots: Mapping[str, int]
    needs: tuple[Need, ...] = ()
    days: tuple[int, ...] | None = None
    once: bool = False
    catch_up_on: date | None = None

    def on_day(self, number: int, day: date) -> bool:
        """Whether somebody whose day `number` is `day` gets this round."""
        return self.days is None or number in self.days or day == self.catch_up_on

    def wants(self, needs: frozenset[Need]) -> bool:
        """Whether a household with these needs gets this round."""
        return not self.needs or not needs.isdisjoint(self.needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """How long each level has before an undone task climbs to the next, and one nobody took."""

    step_minutes: Mapping[Level, int]
    no_team_minutes: int

    def waits(self, level: Level) -> timedelta:
        """How long a task stays at `level` before it climbs."""
        return timedelta(minutes=self.step_minutes[level])

    @property
    def waits_for_team(self) -> timedelta:
        """How long a task may be without a team."""
        return timedelta(minutes=self.no_team_minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchRules:
    """Everything the section says. `rounds` maps the kind of scope to its rounds by kind."""

    version: str
    tasks: Mapping[str, TaskTemplate]
    escalation: Escalation
    rounds: Mapping[str, Mapping[str, RoundTemplate]]

    def __post_init__(self) -> None:
        """Refuse rules that a task or a level would look for in vain."""
        missing = [kind for kind in TASK_KINDS if kind not in self.tasks]
        missing += [lv for lv in COMMAND_LEVELS if lv not in self.escalation.step_minutes]
        missing += [scope for scope in ("seal", "home") if scope not in self.rounds]
        if missing:
            raise ValueError(f"no rule for {', '.join(missing)}")


def slot_end(day: date, hour: int) -> datetime:
    """The instant at which a slot of `day` is over; 24 is midnight."""
    return at(day + timedelta(days=hour // 24), hour % 24)


def level_above(level: Level) -> Level | None:
    """The next of the five levels, or None above the city."""
    place = COMMAND_LEVELS.index(level)
    return COMMAND_LEVELS[place + 1] if place + 1 < len(COMMAND_LEVELS) else None
