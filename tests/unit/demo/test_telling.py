"""What the demo shows and leaves behind, in both languages."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lianfang.demo import checks
from lianfang.demo.checks import Checks
from lianfang.demo.screen import Screen
from lianfang.events import BY_TYPE
from lianfang.vocabulary import ContactCategory, Measure, Outcome
from lianfang.words import ZH, word


def shown(lang: str) -> tuple[Screen, io.StringIO]:
    page = io.StringIO()
    return Screen(lang, Console(file=page)), page


def test_the_screen_speaks_the_language_it_was_asked_for() -> None:
    for lang, text in (("zh", "封控"), ("zh-CN", "封控"), ("en", "sealed")):
        screen, page = shown(lang)
        screen.say("封控", "sealed")
        assert page.getvalue().strip() == text


def test_every_word_that_the_demo_shows_has_its_chinese() -> None:
    for vocabulary in (Measure, Outcome, ContactCategory):
        assert {str(member) for member in vocabulary} <= set(ZH)
    assert all(event in BY_TYPE for event in ZH if "." in event)


def test_a_word_without_chinese_is_shown_as_it_is() -> None:
    assert word("unheard_of", "zh") == "unheard_of"
    assert word("unheard_of", "en") == "unheard of"


def test_figures_that_differ_from_the_ledger_are_marked() -> None:
    screen, page = shown("en")
    screen.counts(("", "Tasks"), ("", "kind"), {"gate_post": 2}, {"gate_post": 1})
    assert "✗" in page.getvalue()


def test_a_check_that_does_not_hold_is_among_the_failed() -> None:
    made = Checks()
    assert made.equal("lost", 0, 0)
    assert not made.equal("parked", 0, 1)
    assert [check.name for check in made.failed] == ["parked"]
    assert [document["holds"] for document in made.document()] == [True, False]


def test_the_report_goes_where_it_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = checks.write({"lost": 0}, {"declarations": 1}, tmp_path / "elsewhere")
    assert folder == Path(".local/demo")
    assert json.loads((folder / "report.json").read_text()) == {"lost": 0}


def test_a_read_only_place_sends_the_report_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".local").touch()
    folder = checks.write({}, {}, tmp_path / "elsewhere")
    assert folder == tmp_path / "elsewhere"
    assert (folder / "ledger.json").exists()
