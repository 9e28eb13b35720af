from __future__ import annotations

from pathlib import Path

import pytest
import sizes

BODY = "\n".join("    x = 1" for _ in range(39))
DOCSTRING = '    """One.\n' + "\n" * 30 + '    """\n'


def written(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of the test's own."""
    monkeypatch.setattr(sizes, "ROOT", tmp_path)
    return tmp_path


def test_a_function_of_forty_lines_is_inside_the_budget(root: Path) -> None:
    assert not list(sizes.oversized(written(root, "a.py", f"def f():\n{BODY}\n")))


def test_a_longer_function_is_named_with_its_line_and_length(root: Path) -> None:
    path = written(root, "services/a.py", f"\ndef f():\n{BODY}\n    y = 2\n")
    assert list(sizes.oversized(path)) == ["services/a.py:2: f: 41 lines, budget 40"]


def test_a_docstring_is_free(root: Path) -> None:
    assert not list(sizes.oversized(written(root, "a.py", f"def f():\n{DOCSTRING}{BODY}\n")))


def test_methods_and_coroutines_are_counted_too(root: Path) -> None:
    indented = "\n".join(
        "    " + line for line in f"async def f(self):\n{BODY}\n    y = 2".split("\n")
    )
    path = written(root, "a.py", f"class A:\n{indented}\n")
    assert list(sizes.oversized(path)) == ["a.py:2: f: 41 lines, budget 40"]


@pytest.mark.parametrize(
    ("name", "budget"), [("lianfang/a.py", 300), ("tests/unit/test_a.py", 400)]
)
def test_a_module_has_a_budget_and_a_test_a_larger_one(root: Path, name: str, budget: int) -> None:
    assert not list(sizes.oversized(written(root, name, "x = 1\n" * budget)))
    path = written(root, name, "x = 1\n" * (budget + 1))
    assert list(sizes.oversized(path)) == [f"{name}:1: {budget + 1} lines, budget {budget}"]
