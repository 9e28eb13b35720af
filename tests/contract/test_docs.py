from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from lianfang.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SOURCES = [*ROOT.glob("lianfang/**/*.py"), *ROOT.glob("services/**/*.py")]
POLICY = [*ROOT.glob("deploy/policy/shenzhen-2020-02/*.yml")]


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    for link in (link for link in links if "://" not in link):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def test_every_code_name_of_the_glossary_is_in_the_code() -> None:
    code = "\n".join(path.read_text("utf-8") for path in [*SOURCES, *POLICY])
    rows = re.findall(r"^\|.*\|$", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    cells = [row.split("|")[4] for row in rows if row.count("|") == 6]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert len(names) > 60
    assert not [name for name in names if not re.search(rf"\b{re.escape(name)}\b", code)]


def commands(word: str) -> set[tuple[str, ...]]:
    """The commands starting with a word in all pages, without what follows a `#` or an option."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    found = re.findall(rf"^ +(?:\.venv/bin/)?{word} ([^#\n]+)", text, re.MULTILINE)
    found += re.findall(rf"`{word} ([^`\n]+)`", text)
    return {tuple(line.split()) for line in found}


def test_every_make_target_of_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {word for words in commands("make") for word in words[:1]}
    assert len(named) > 4
    assert named <= targets


def test_every_lianfang_command_of_the_pages_exists() -> None:
    def is_known(words: tuple[str, ...]) -> bool:
        known = typer.main.get_command(app)
        for word in words:
            if not hasattr(known, "commands") or word.startswith(("-", "<")):
                return True
            known = known.commands.get(word)
            if known is None:
                return False
        return True

    named = commands("lianfang")
    assert len(named) > 4
    assert not [words for words in named if not is_known(words)]


def test_every_path_of_the_pages_exists() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    paths = set(
        re.findall(r"`((?:lianfang|services|deploy|tests|docs|benchmarks)/[\w./-]+)`", text)
    )
    assert len(paths) > 4
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_every_guarantee_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text("utf-8")
    shown = re.findall(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+/test_\w+\.py)\)", text)
    named = [(name, path) for name, path in shown if name != "its own tests"]
    assert len(named) > 30
    for name, path in named:
        assert f"def test_{name.replace(' ', '_')}(" in (ROOT / path).read_text("utf-8"), name
