"""The verdict on a declaration, rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.events.declaration import ContactClaim, DeclarationSubmitted, Leg
from lianfang.runtime.resources import PolicyInForce, read_section
from lianfang.vocabulary import ContactKind, Outcome, PersonType, Symptom, TravelMode
from services.screening.domain.assessment import assess, last_stay
from services.screening.domain.rules import ScreeningRules

POLICY = Path(__file__).parents[3] / "deploy" / "policy"
DECLARED = datetime(2020, 2, 20, 4, tzinfo=UTC)


def rules(day: date = date(2020, 2, 20), profile: str = "shenzhen-2020-02") -> ScreeningRules:
    section = read_section(POLICY / profile / "screening.yml")
    found: ScreeningRules = PolicyInForce(section, ScreeningRules).on(day)
    return found


def declared(**facts: Any) -> DeclarationSubmitted:
    return DeclarationSubmitted(
        **{
            "declaration_id": "d",
            "person_id": "p",
            "household_id": "h",
            "building": "4403.nanshan",
            "person_type": PersonType.RETURNING,
            "declared_at": DECLARED,
            "statement_version": "1",
            **facts,
        }
    )


def leg(days_ago: int, origin: str = "440305", goal: str = "440305", **facts: Any) -> Leg:
    return Leg(
        **{
            "mode": TravelMode.TRAIN,
            "depart_at": DECLARED - timedelta(days=days_ago),
            "from_division": origin,
            "to_division": goal,
            **facts,
        }
    )


def claim(kind: ContactKind = ContactKind.MEAL, days_ago: int = 3) -> ContactClaim:
    return ContactClaim(kind=kind, last_on=date(2020, 2, 20) - timedelta(days=days_ago))


def outcome(**facts: Any) -> Outcome:
    return assess(declared(**facts), rules().assessment).outcome


def test_nothing_found_is_a_pass() -> None:
    assert assess(declared(), rules().assessment).reasons == ("no_risk_found",)


@pytest.mark.parametrize(("temperature", "wanted"), [(37.2, "pass"), (37.3, "hospital")])
def test_the_threshold_is_guangzhou_s_and_inclusive(temperature: float, wanted: str) -> None:
    assert outcome(temperature=temperature) == wanted


def test_medical_comes_before_contact_before_key_area() -> None:
    facts: dict[str, Any] = {"legs": (leg(3, "420100"),)}
    assert outcome(**facts) == Outcome.HOME_QUARANTINE
    facts["contact_claims"] = (claim(),)
    assert outcome(**facts) == Outcome.CENTRALISED_QUARANTINE
    facts["symptoms"] = (Symptom.DRY_COUGH,)
    verdict = assess(declared(**facts), rules().assessment)
    assert verdict.outcome == Outcome.HOSPITAL
    assert verdict.reasons == ("symptom.dry_cough", "close_contact.meal", "key_area.legs")
    assert verdict.last_exposure_on == date(2020, 2, 17)


def test_a_vague_symptom_counts_only_beside_an_exposure() -> None:
    vague = (Symptom.OTHER,)
    assert outcome(symptoms=vague) == Outcome.PASS
    assert outcome(symptoms=vague, contact_claims=(claim(),)) == Outcome.HOSPITAL


def test_a_flatmate_is_a_close_contact_first() -> None:
    verdict = assess(declared(contact_claims=(claim(ContactKind.HOUSEHOLD),)), rules().assessment)
    assert verdict.outcome == Outcome.CENTRALISED_QUARANTINE
    assert verdict.reasons == ("close_contact.household", "household.household")


@pytest.mark.parametrize(("days_ago", "wanted"), [(14, "home_quarantine"), (15, "pass")])
def test_the_look_back_is_computed_from_the_legs(days_ago: int, wanted: str) -> None:
    assert outcome(legs=(leg(days_ago, "420100"),)) == wanted


@pytest.mark.parametrize(
    ("days_ago", "wanted"), [(14, "centralised_quarantine"), (15, "pass"), (-1, "pass")]
)
def test_a_claim_counts_inside_its_look_back_only(days_ago: int, wanted: str) -> None:
    assert outcome(contact_claims=(claim(days_ago=days_ago),)) == wanted


def test_a_stay_lasts_until_the_next_leg() -> None:
    rule = rules().assessment.key_area
    there, back = leg(40, goal="420100"), leg(10, "420900")
    assert last_stay((back, there), rule, date(2020, 2, 20)) == date(2020, 2, 10)
    assert last_stay((there,), rule, date(2020, 2, 20)) == date(2020, 2, 20)
    assert last_stay((leg(3),), rule, date(2020, 2, 20)) is None


def test_a_planned_leg_counts_from_the_day_it_had_to_be_declared() -> None:
    planned = leg(1, "420100", mode=TravelMode.CAR, planned=True)
    for day, wanted in ((7, "pass"), (8, "home_quarantine")):
        verdict = assess(declared(legs=(planned,)), rules(date(2020, 2, day)).assessment)
        assert verdict.outcome == wanted


def test_the_missing_room_is_told_and_sends_nobody_away_in_shenzhen() -> None:
    facts: dict[str, Any] = {"stayed_in_key_area": True, "has_separate_room": False}
    verdict = assess(declared(**facts), rules().assessment)
    assert verdict.outcome == Outcome.HOME_QUARANTINE
    assert verdict.reasons == ("key_area.declared", "no_separate_room", "sample_due")
    later = assess(declared(**facts), rules(date(2021, 6, 1), "protocol-8").assessment)
    assert later.outcome == Outcome.CENTRALISED_QUARANTINE


@pytest.mark.parametrize(("day", "due"), [(11, False), (12, True)])
def test_everybody_in_home_quarantine_is_due_a_test_from_12_february(day: int, due: bool) -> None:
    verdict = assess(declared(legs=(leg(3, "420100"),)), rules(date(2020, 2, day)).assessment)
    assert ("sample_due" in verdict.reasons) is due


def test_each_dated_version_has_a_name_of_its_own() -> None:
    days = [date(2020, 2, d) for d in (7, 8, 9, 12, 29)] + [date(2020, 3, 29)]
    versions = {rules(day).version for day in days}
    assert len(versions) == 6
    assert rules(date(2020, 1, 30)).version == rules(date(2020, 2, 7)).version


def test_the_later_profiles_are_valid_and_trace_neighbours() -> None:
    assert rules(date(2021, 6, 1), "protocol-8").contacts.neighbour.enabled
    assert rules(date(2022, 7, 1), "protocol-9").contacts.neighbour.enabled
    assert not rules().contacts.neighbour.enabled


@given(
    temperature=st.one_of(st.none(), st.floats(35, 42)),
    symptoms=st.lists(st.sampled_from(Symptom), unique=True),
    kinds=st.lists(st.sampled_from(ContactKind), max_size=3),
    days=st.lists(st.integers(0, 40), max_size=4),
    key_area=st.booleans(),
)
def test_there_are_four_outcomes_and_more_findings_never_lighten_one(
    temperature: float | None,
    symptoms: list[Symptom],
    kinds: list[ContactKind],
    days: list[int],
    key_area: bool,
) -> None:
    order = list(Outcome)
    facts: dict[str, Any] = {
        "temperature": temperature,
        "symptoms": tuple(symptoms),
        "contact_claims": tuple(claim(kind) for kind in kinds),
        "legs": tuple(leg(n, "420100") for n in days),
    }
    lighter = outcome(**facts)
    heavier = outcome(**facts, stayed_in_key_area=key_area)
    assert order.index(heavier) >= order.index(lighter)
