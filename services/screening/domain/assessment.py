"""The verdict on a declaration: exactly one of four outcomes, with every reason that applied.

The first rule that applies decides: medical > close contact > household > key-area stay > none.
Reasons are codes for screens to translate, the deciding one first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from lianfang.days import day_of
from lianfang.events.declaration import ContactClaim, DeclarationSubmitted, Leg
from lianfang.vocabulary import Outcome
from services.screening.domain.rules import (
    AssessmentRules,
    ClaimRule,
    KeyAreaRule,
    MedicalRule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome and why; `last_exposure_on` is day 0 of what the outcome asks for."""

    outcome: Outcome
    reasons: tuple[str, ...]
    last_exposure_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Applied:
    outcome: Outcome
    reasons: tuple[str, ...]
    last_exposure_on: date | None = None


def assess(declared: DeclarationSubmitted, rules: AssessmentRules) -> Verdict:
    """The verdict on what was declared, by the rules of the day it was declared on."""
    day = day_of(declared.declared_at)
    exposed = [
        applied
        for applied in (
            _claimed(declared.contact_claims, rules.close_contact, day, "close_contact"),
            _claimed(declared.contact_claims, rules.household, day, "household"),
            _key_area(declared, rules.key_area, day),
        )
        if applied
    ]
    medical = _medical(declared, rules.medical, exposed=bool(exposed))
    applied = ([medical] if medical else []) + exposed
    if not applied:
        return Verdict(outcome=Outcome.PASS, reasons=("no_risk_found",))
    outcome = applied[0].outcome
    reasons = tuple(reason for one in applied for reason in one.reasons)
    if outcome in rules.sampled_outcomes:
        reasons += ("sample_due",)
    days = [one.last_exposure_on for one in applied if one.last_exposure_on]
    return Verdict(
        outcome=outcome,
        reasons=tuple(dict.fromkeys(reasons)),
        last_exposure_on=max(days, default=None),
    )


def alarming(temperature: float | None, symptoms: Iterable[str], rule: MedicalRule) -> bool:
    """Whether what a round or a medic found must be reported."""
    return (temperature is not None and temperature >= rule.temperature) or any(symptoms)


def _medical(
    declared: DeclarationSubmitted, rule: MedicalRule, *, exposed: bool
) -> _Applied | None:
    reasons = []
    if declared.temperature is not None and declared.temperature >= rule.temperature:
        reasons.append("temperature")
    counted = set(rule.symptoms) | set(rule.symptoms_with_exposure if exposed else ())
    reasons += [f"symptom.{symptom}" for symptom in declared.symptoms if symptom in counted]
    return _Applied(Outcome.HOSPITAL, tuple(reasons)) if reasons else None


def _claimed(
    claims: Iterable[ContactClaim], rule: ClaimRule, day: date, name: str
) -> _Applied | None:
    oldest = day - timedelta(days=rule.look_back_days)
    counted = [c for c in claims if c.kind in rule.kinds and oldest <= c.last_on <= day]
    if not counted:
        return None
    reasons = tuple(f"{name}.{claim.kind}" for claim in counted)
    return _Applied(rule.outcome, reasons, max(claim.last_on for claim in counted))


def _key_area(declared: DeclarationSubmitted, rule: KeyAreaRule, day: date) -> _Applied | None:
    last = last_stay(declared.legs, rule, day)
    inside = last is not None and last >= day - timedelta(days=rule.look_back_days)
    if not inside and not declared.stayed_in_key_area:
        return None
    reasons: tuple[str, ...] = ("key_area.legs",) if inside else ("key_area.declared",)
    outcome = rule.outcome
    if not declared.has_separate_room:
        reasons += ("no_separate_room",)
        outcome = rule.outcome_without_separate_room
    return _Applied(outcome, reasons, last if inside else day)


def last_stay(legs: Iterable[Leg], rule: KeyAreaRule, day: date) -> date | None:
    """The last day in a key area as the legs tell it; None when they touch none.

    A leg out of a key area ends a stay on its day of departure. A leg into one begins a stay that
    lasts until the next leg, or until `day` when there is none.
    """
    counted = sorted(
        (leg for leg in legs if not leg.planned or leg.mode in rule.planned_modes),
        key=lambda leg: leg.depart_at,
    )
    last: date | None = None
    for n, leg in enumerate(counted):
        if leg.from_division.startswith(rule.divisions):
            last = max(last or date.min, day_of(leg.depart_at))
        if leg.to_division.startswith(rule.divisions):
            arrived = day_of(leg.arrive_at or leg.depart_at)
            following = counted[n + 1 :]
            until = day_of(following[0].depart_at) if following else max(day, arrived)
            last = max(last or date.min, until)
    return last
