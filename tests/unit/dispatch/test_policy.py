"""The shipped policy files say everything that dispatch looks for, each with its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lianfang.errors import Misconfigured
from lianfang.policy import parse_section
from lianfang.runtime.resources import PolicyInForce, read_section
from lianfang.vocabulary import Role
from services.dispatch.domain.rules import DispatchRules, slot_end
from tests.unit.dispatch.builders import NOW, RULES

POLICIES = Path(__file__).parents[3] / "deploy" / "policy"
PROFILES = ("shenzhen-2020-02", "protocol-8", "protocol-9")


def policy(profile: str) -> PolicyInForce:
    return PolicyInForce(read_section(POLICIES / profile / "dispatch.yml"), DispatchRules)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_version_of_every_profile_is_complete(profile: str) -> None:
    policy(profile).check()


def test_the_clocks_of_february_2020_are_the_sourced_ones() -> None:
    rules = policy("shenzhen-2020-02").on(date(2020, 2, 3))
    assert rules.tasks["network_report"].due_minutes == 2 * 60
    assert rules.tasks["case_investigation"].due_minutes == 24 * 60
    assert set(rules.tasks["trinity_visit"].roles) == {Role.COMMUNITY, Role.HEALTH, Role.POLICE}
    assert list(rules.rounds["seal"]["meal"].slots) == ["breakfast", "lunch", "dinner"]
    assert rules.rounds["home"]["sampling"].days == ()


def test_from_12_february_home_quarantine_is_sampled() -> None:
    rules = policy("shenzhen-2020-02").on(date(2020, 2, 12))
    assert rules.rounds["home"]["sampling"].on_day(8, date(2020, 2, 12))
    assert not rules.rounds["home"]["sampling"].on_day(9, date(2020, 2, 13))
    assert list(rules.rounds["home"]["temperature"].slots) == ["am", "pm"]


def test_rules_that_lack_a_kind_of_task_are_refused() -> None:
    tasks = {kind: template for kind, template in RULES.tasks.items() if kind != "head_count"}
    with pytest.raises(ValueError, match="head_count"):
        replace(RULES, tasks=tasks)
    document = {
        "profile": "p",
        "section": "dispatch",
        "versions": [{"effective_from": date(2020, 1, 1), "rules": {"tasks": {}, "rounds": {}}}],
    }
    with pytest.raises(Misconfigured):
        PolicyInForce(parse_section(document), DispatchRules).check()


def test_a_slot_that_ends_at_24_ends_at_midnight() -> None:
    assert slot_end(date(2020, 2, 2), 24) == NOW.replace(day=2, hour=16)
