"""The commands of the runbooks, as they stand, in a district with something to mend."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from lianfang.testing.servers import ROOT
from tests.component.operations.conftest import Operator

pytestmark = pytest.mark.timeout(300)

PAGES = [
    page for page in sorted(ROOT.glob("docs/how-to/*.md")) if "```bash" in page.read_text("utf-8")
]
RUNBOOKS = {
    "broker-down",
    "database-without-primary",
    "parked-messages-grow",
    "queue-without-consumer",
    "replay",
    "restore-from-backup",
}
HEADINGS = ["How you notice", "What it means for residents", "What is safe already"]


def test_every_runbook_has_commands_that_run_here() -> None:
    assert {page.stem for page in PAGES} >= RUNBOOKS


@pytest.mark.parametrize("name", sorted(RUNBOOKS))
def test_every_runbook_answers_the_same_questions(name: str) -> None:
    text = (ROOT / "docs" / "how-to" / f"{name}.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    expected = [heading for heading in HEADINGS if heading in headings]
    assert expected == (HEADINGS[1:] if name == "replay" else HEADINGS)
    assert headings[-1] == "How you know it is over"
    assert "guarantees.md#" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_as_they_stand(page: Path, operator: Operator) -> None:
    operator.publish(b'{"half":', f"half-of-{page.stem}")
    (cause,) = operator.reads("parked list --origin q.journal.log")
    env = operator.environment(ID=cause["parked_id"], CAUSE=cause["cause"])
    try:
        for block in re.findall(r"^```bash\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                env=env,
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            assert "Traceback" not in done.stderr
    finally:
        operator.district.database("journal").parked.delete_many({})
