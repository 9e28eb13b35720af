from __future__ import annotations

import pytest

from docs.generate.__main__ import PAGES, REFERENCE


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_says_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text("utf-8") == PAGES[name](), "stale: run `make docs`"


def test_every_reference_page_is_written_by_the_program() -> None:
    assert {path.name for path in REFERENCE.iterdir()} == {*PAGES}
