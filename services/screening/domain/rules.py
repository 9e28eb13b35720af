"""The rules of `deploy/policy/<profile>/screening.yml` as they are in force on a day.

Where a person has been and whom they met, never where they are registered.
"""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.vocabulary import ContactCategory, ContactKind, Outcome, Symptom, TravelMode


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicalRule:
    """When somebody needs a doctor first: a temperature (°C, inclusive) or a symptom.

    `symptoms_with_exposure` count only beside another reason (a contact, a key area).
    """

    temperature: float
    symptoms: tuple[Symptom, ...]
    symptoms_with_exposure: tuple[Symptom, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRule:
    """What a claimed contact of these kinds inside the look-back leads to."""

    kinds: tuple[ContactKind, ...]
    look_back_days: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAreaRule:
    """What a stay in a key area leads to; `divisions` are beginnings of official codes.

    Planned legs count as stays only for `planned_modes`.
    """

    divisions: tuple[str, ...]
    look_back_days: int
    planned_modes: tuple[TravelMode, ...]
    outcome: Outcome
    outcome_without_separate_room: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRules:
    """The rules in their order: medical, close contact, household, key area, none.

    Everybody with one of `sampled_outcomes` is due a sample.
    """

    medical: MedicalRule
    close_contact: ClaimRule
    household: ClaimRule
    key_area: KeyAreaRule
    sampled_outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportRule:
    """Who travelled with a case: same mode, number and day, for `same_coach` also the coach.

    `rows_around` narrows by rows where both are known; None takes the whole cabin. Legs older
    than `matching_days` before their declaration are not kept for matching.
    """

    modes: tuple[TravelMode, ...]
    same_coach: tuple[TravelMode, ...]
    rows_around: int | None
    matching_days: int
    category: ContactCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourRule:
    """Neighbours by geometry: floors of the same building, of the same unit where it has units."""

    enabled: bool
    floors_around: int
    category: ContactCategory


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRules:
    """Who becomes a contact by rule, as which category, inside which look-back."""

    look_back_days: int
    stay_look_back_days: int
    household_category: ContactCategory
    claim_category: ContactCategory
    transport: TransportRule
    neighbour: NeighbourRule


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningRules:
    """One dated version; `version` is stored with every decision."""

    version: str
    assessment: AssessmentRules
    contacts: ContactRules
