"""The size budget: modules, tests and functions stay short enough to read in one go.

Prints every file and function over its budget and exits with 1 when there is one.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE_LINES, TEST_LINES, FUNCTION_LINES = 300, 400, 40


def python_files() -> list[Path]:
    """The Python files of the checkout that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).exists()]


def oversized(path: Path) -> Iterator[str]:
    """A complaint for the module and for each function over budget; docstrings are free."""
    name = path.relative_to(ROOT)
    text = path.read_text()
    lines, budget = len(text.splitlines()), TEST_LINES if name.parts[0] == "tests" else MODULE_LINES
    if lines > budget:
        yield f"{name}:1: {lines} lines, budget {budget}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = function_lines(node)
            if length > FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name}: {length} lines, budget {FUNCTION_LINES}"


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function from its ``def`` on, without its docstring."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        length -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return length


def main() -> int:
    """Print the complaints; 1 when there are any."""
    complaints = [complaint for path in python_files() for complaint in oversized(path)]
    print("\n".join(complaints) or "every module and function is inside its size budget")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
