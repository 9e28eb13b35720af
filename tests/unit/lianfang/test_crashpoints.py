"""Crash points: harmless until the process itself arms one, and then only for whom it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from lianfang.errors import NotPermitted
from lianfang.runtime import crashpoints
from lianfang.runtime.crashpoints import Point, arm, at_work, disarm, is_armed, reached


@pytest.fixture(autouse=True)
def _harmless_again() -> Iterator[None]:
    yield
    disarm()


def test_a_point_acts_only_for_whom_it_is_armed() -> None:
    acted: list[str] = []
    arm("test", Point.AFTER_COMMIT, "q.isolation.cases", lambda: acted.append("cases"))
    reached(Point.AFTER_COMMIT, "q.dispatch.cases")
    reached(Point.BEFORE_ACK, "q.isolation.cases")
    assert acted == []
    reached(Point.AFTER_COMMIT, "q.isolation.cases")
    assert acted == ["cases"]


def test_whoever_is_at_work_is_meant_until_it_ends() -> None:
    acted: list[int] = []
    arm("test", Point.AFTER_PUBLISH, "confirm_case", lambda: acted.append(1))
    with at_work("confirm_case"):
        assert is_armed(Point.AFTER_PUBLISH)
        assert not is_armed(Point.HALF_WINDOW)
        reached(Point.AFTER_PUBLISH)
    assert not is_armed(Point.AFTER_PUBLISH)
    reached(Point.AFTER_PUBLISH)
    assert acted == [1]


def test_another_thread_works_for_somebody_else() -> None:
    seen: list[bool] = []
    arm("test", Point.AFTER_PUBLISH, "confirm_case", lambda: None)
    with at_work("confirm_case"):
        other = Thread(target=lambda: seen.append(is_armed(Point.AFTER_PUBLISH)))
        other.start()
        other.join()
    assert seen == [False]


@pytest.mark.parametrize("profile", ["production", "", "Test"])
def test_production_cannot_be_armed(profile: str) -> None:
    with pytest.raises(NotPermitted):
        arm(profile, Point.AFTER_COMMIT, "confirm_case")
    with at_work("confirm_case"):
        assert not is_armed(Point.AFTER_COMMIT)


def test_an_action_may_raise_what_the_runtime_then_has_to_bear() -> None:
    def refuse() -> None:
        raise KeyError("as asked")

    arm("demo", Point.IN_DECISION, "confirm_case", refuse)
    with pytest.raises(KeyError):
        reached(Point.IN_DECISION, "confirm_case")


def test_every_point_says_what_is_done_by_then() -> None:
    sentences = [point.value for point in Point]
    assert len(set(sentences)) == len(Point)
    assert all(", and " in sentence or ", which " in sentence for sentence in sentences)
    assert all(point.label.replace("-", "").isalpha() for point in Point)


def test_no_module_of_the_product_arms_a_point() -> None:
    product = Path(crashpoints.__file__).parents[1]
    arming = re.compile(r"\barm\(|import .*\barm\b")
    found = [path.name for path in product.rglob("*.py") if arming.search(path.read_text())]
    assert found == ["crashpoints.py"]
