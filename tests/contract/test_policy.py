from __future__ import annotations

import inspect
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from lianfang.policy import RulesInForce
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.resources import Policy, PolicyInForce, read_section

PROFILES = Path(__file__).resolve().parents[2] / "deploy" / "policy"
DEFAULT = "shenzhen-2020-02"


def sections() -> list[Policy]:
    """Every policy that a service declares."""
    found: list[Policy] = []
    for name in SERVICES:
        members = inspect.getmembers(service_class(name), lambda m: isinstance(m, Policy))
        found += [policy for _, policy in members]
    return found


CASES = [(profile.name, policy) for profile in sorted(PROFILES.iterdir()) for policy in sections()]


@pytest.mark.parametrize(
    ("profile", "policy"), CASES, ids=[f"{name}-{policy.section}" for name, policy in CASES]
)
def test_every_profile_fits_the_rules_of_its_service(profile: str, policy: Any) -> None:
    section = read_section(PROFILES / profile / f"{policy.section}.yml")
    PolicyInForce(section, policy.rules).check()
    assert section.section == policy.section
    assert {version.profile for version in section.versions} == {profile}


def test_no_policy_file_is_without_a_reader() -> None:
    read = {f"{policy.section}.yml" for policy in sections()}
    assert {path.name for path in PROFILES.glob("*/*.yml")} == read


def test_the_default_profile_has_five_dated_versions() -> None:
    """The edition of each day: the city changed its rules five times in that month."""
    dates = {
        version.effective_from
        for policy in sections()
        for version in read_section(PROFILES / DEFAULT / f"{policy.section}.yml").versions
    }
    assert len(dates) >= 5
    assert min(dates) <= date(2020, 2, 3)


@pytest.mark.parametrize("policy", sections(), ids=lambda policy: policy.section)
def test_a_version_is_the_hash_of_what_is_in_force(policy: Any) -> None:
    section = read_section(PROFILES / DEFAULT / f"{policy.section}.yml")
    versions: list[RulesInForce] = list(section.versions)
    assert len({version.version for version in versions}) == len(versions)
    for version in versions:
        assert version.version.startswith(f"{DEFAULT}/{policy.section}/{version.effective_from}/")
