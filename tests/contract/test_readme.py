from __future__ import annotations

import re
from pathlib import Path

import pytest

from lianfang.events import BY_TYPE, producer_of
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import Call, declared, need_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "README.zh-CN.md")
LISTENS, PUBLISHES, ANSWERS = 3, 4, 5
MAX_LINES = 150


def rows(page: str) -> dict[str, list[str]]:
    """The cells of the service table by service."""
    lines = (ROOT / page).read_text("utf-8").splitlines()
    cells = [line.split("|") for line in lines if line.startswith("| `")]
    return {row[1].strip(" `"): row for row in cells}


def meant(cell: str) -> set[str]:
    """The event types that a cell means; `case.*` is every type of that noun."""
    words = re.findall(r"`([a-z.*_]+)`", cell)
    assert all(word.removesuffix(".*") for word in words)
    return {
        event_type
        for word in words
        for event_type in BY_TYPE
        if event_type == word or (word.endswith(".*") and event_type.startswith(word[:-1]))
    }


def nouns(event_types: set[str]) -> set[str]:
    """The first words: a table may say `case.*` where not every word of a case is heard."""
    return {event_type.partition(".")[0] for event_type in event_types}


def published(service: str) -> set[str]:
    """What the language says that a service publishes."""
    return {event_type for event_type, cls in BY_TYPE.items() if producer_of(cls) == service}


@pytest.mark.parametrize("page", PAGES)
def test_the_readme_is_read_in_one_go(page: str) -> None:
    assert len((ROOT / page).read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("page", PAGES)
def test_the_service_table_says_who_publishes_and_hears_what(page: str) -> None:
    table = rows(page)
    assert table.keys() == set(SERVICES)
    for name in SERVICES:
        assert meant(table[name][PUBLISHES]) == published(name), name
        heard = {t for s in need_of(service_class(name)).subscriptions for t in s.event_types}
        if heard != {"#"}:
            said = meant(table[name][LISTENS])
            assert said >= heard, name
            assert nouns(said) == nouns(heard), name
        calls = {call.name for call in declared(service_class(name), Call)}
        assert set(re.findall(r"`(\w+)`", table[name][ANSWERS])) <= calls, name


def test_both_languages_show_the_same_links_and_code() -> None:
    english, chinese = ((ROOT / page).read_text("utf-8") for page in PAGES)
    for pattern in (r"\]\((docs/[^)]+)\)", r"```python\n(.*?)```"):
        assert re.findall(pattern, english, re.DOTALL) == re.findall(pattern, chinese, re.DOTALL)
