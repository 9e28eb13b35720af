"""The rules of isolation that come from the policy file, typed."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.vocabulary import CommunityType, Measure, Need, PlaceUse


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClock:
    """How long a provisional seal may wait for its order, and how it climbs meanwhile."""

    order_within_hours: int
    climb_every_minutes: int
    lapse_after_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """How many buildings a rule may close by itself before a person must look."""

    seals_per_hour: int
    seals_per_batch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A release condition, and the role whose work meets it."""

    name: str
    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One version of the section `isolation`; `version` is stored with every decision.

    `seal_days` count the first day; `observation_days` count from day 0, the last exposure.
    `seal_scope` says per community type how far a case closes: `unit`, `building`, `enclosure`.
    """

    version: str
    seal_days: int
    observation_days: int
    focus_look_back_days: int
    seal_scope: dict[CommunityType, str]
    default_scope: str
    sealed_uses: tuple[PlaceUse, ...]
    focus_uses: tuple[PlaceUse, ...]
    order_clock: OrderClock
    brake: Brake
    contact_measure: Measure
    facility_exceptions: tuple[Need, ...]
    traced_measure: Measure
    sample_within_days: int
    symptom_free_days: int
    release_conditions: tuple[Condition, ...]
