from __future__ import annotations

import ast
from pathlib import Path

import pytest

from lianfang.operations import report
from lianfang.operations.parked import Outcome, cause_of
from lianfang.operations.report import Area, Line, Status, worst

ROOT = Path(__file__).resolve().parents[3]
HOW_TO = ROOT / "docs" / "how-to"
CAUSE = {"reason": "bug", "origin": "q.screening.residents", "stack": "3f2a9c01"}


def line(status: Status) -> Line:
    return Line(area=Area.BROKER, name=("名", "name"), status=status, said=("话", "said"))


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ([], "ok"),
        (["ok", "warn"], "warn"),
        (["ok", "warn", "unknown"], "unknown"),
        (["unknown", "bad", "ok"], "bad"),
    ],
)
def test_a_report_is_as_bad_as_its_worst_line(said: list[str], whole: str) -> None:
    assert worst(line(Status(each)) for each in said) == whole


def test_every_runbook_that_a_line_can_name_is_a_page() -> None:
    names = {report.BROKER_DOWN, report.DATABASE_DOWN, report.PARKED_GROW}
    names |= {report.NO_CONSUMER, report.RUN}
    assert not [name for name in names if not (HOW_TO / f"{name}.md").exists()]


def test_every_page_that_the_code_names_is_there() -> None:
    sources = [*ROOT.glob("lianfang/cli/*.py"), *ROOT.glob("lianfang/operations/*.py")]
    texts = [
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    words = {word.rstrip(".,;") for text in texts for word in text.replace("：", " ").split()}
    pages = {word for word in words if word.startswith("docs/") and word.endswith(".md")}
    assert len(pages) > 3
    assert not [page for page in pages if not (ROOT / page).exists()]


@pytest.mark.parametrize("field", CAUSE)
def test_a_cause_is_known_by_reason_subscription_and_stack(field: str) -> None:
    assert cause_of(CAUSE) == cause_of({**CAUSE, "error": "other", "count": 3})
    assert cause_of(CAUSE) != cause_of({**CAUSE, field: "other"})


def test_a_replay_is_good_when_nothing_is_left() -> None:
    assert Outcome(done=3).is_good
    assert not Outcome(done=3, waiting=1).is_good
    assert not Outcome(done=3, parked_again=("p",)).is_good
    assert not Outcome(done=3, refused={"p": "parked message is discarded"}).is_good
