"""The Python of the pages, run against five real processes as a reader would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lianfang.testing.district import PrivateDistrict
from lianfang.testing.servers import Servers
from tests.system.processes import running

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "```python" in page.read_text("utf-8")
]


@pytest.fixture(scope="module")
def district() -> Iterator[PrivateDistrict]:
    """One district for all pages."""
    name = "docs" + "".join("abcdefghij"[int(c, 16) % 10] for c in uuid4().hex[:8])
    district = PrivateDistrict(Servers.read(), name)
    with running(district):
        yield district
    district.client.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_python_of_a_page_runs_as_it_stands(
    page: Path, district: PrivateDistrict, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = (district.secrets / "operator.env").read_text()
    monkeypatch.setenv("AMQP_URI", credentials.strip().removeprefix("AMQP_URI="))
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    said: dict[str, Any] = {}
    try:
        for block in blocks:
            exec(compile(block, str(page), "exec"), said)  # the pages are ours
    finally:
        if connected := said.get("district"):
            connected.close()
