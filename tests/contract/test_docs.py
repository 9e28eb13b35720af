from __future__ import annotations

import re
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_read_in_one_go(page: str) -> None:
    assert len((ROOT / page).read_text("utf-8").splitlines()) <= 150
