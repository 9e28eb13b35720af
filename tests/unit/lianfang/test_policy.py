from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from lianfang.errors import Misconfigured
from lianfang.policy import parse_section


def section(*versions: tuple[date, dict[str, Any]]) -> dict[str, Any]:
    return {
        "profile": "test",
        "section": "isolation",
        "versions": [{"effective_from": day, "rules": rules} for day, rules in versions],
    }


FIRST = (date(2020, 1, 24), {"days": {"value": 14, "source": "P5", "mark": "exact"}, "a": {"b": 1}})
SECOND = (date(2020, 2, 7), {"a": {"c": 2}, "days": 7})


def test_a_version_says_only_what_changes() -> None:
    parsed = parse_section(section(SECOND, FIRST))
    assert parsed.on(date(2020, 2, 6)).rules == {"days": 14, "a": {"b": 1}}
    assert parsed.on(date(2020, 2, 7)).rules == {"days": 7, "a": {"b": 1, "c": 2}}
    assert parsed.on(date(2019, 1, 1)).effective_from == date(2020, 1, 24)


def test_equal_rules_have_equal_versions_and_others_have_not() -> None:
    one, other = (parse_section(section(FIRST, SECOND)) for _ in range(2))
    assert one == other
    changed = parse_section(section(FIRST, (SECOND[0], {"days": 8})))
    assert changed.versions[0].version == one.versions[0].version
    assert changed.versions[1].version != one.versions[1].version


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({}, "profile"),
        ({"profile": "p", "section": "s"}, "versions"),
        ({"profile": "p", "section": "s", "versions": []}, "no version"),
        ({"profile": "p", "section": "s", "versions": [{"rules": {}}]}, "effective_from"),
        ({"profile": "p", "section": "s", "versions": [{"effective_from": date.min}]}, "rules"),
        (section((date.min, {"a": {"b": {"value": 1, "source": "x"}}})), "isolation.a.b"),
        (section((date.min, {"a": {"value": 1, "mark": "exact"}})), "isolation.a"),
        (section((date.min, {"a": {"value": 1, "source": "x", "mark": "sure"}})), "isolation.a"),
    ],
)
def test_a_wrong_file_is_refused_where_it_is_wrong(document: dict[str, Any], word: str) -> None:
    with pytest.raises(Misconfigured, match=word):
        parse_section(document)
