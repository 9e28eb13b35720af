from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIANFANG = Path(sys.executable).with_name("lianfang")
ROOT = Path(__file__).resolve().parents[2]
NOTHING = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "TERM": "dumb"}


def said(*words: str) -> subprocess.CompletedProcess[str]:
    """What the command says in an environment that sets nothing."""
    return subprocess.run(
        [LIANFANG, *words], env=NOTHING, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("words", [(), ("run",), ("topology",), ("migrate",), ("demo",)])
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    done = said(*words, "--help")
    assert done.returncode == 0
    assert "Usage: lianfang" in done.stdout
    assert done.stderr == ""


def test_a_command_that_lacks_a_setting_names_it_on_one_line() -> None:
    done = said("migrate")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "MONGO_URI" in done.stderr


def test_a_service_that_is_told_something_wrong_says_so_and_ends_with_78() -> None:
    done = said("run", "dispatch")
    assert done.returncode == 78
    assert "MONGO_URI" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_a_process_that_becomes_a_service_is_patched_before_anything_else_loads() -> None:
    program = (
        "import sys; sys.argv = ['lianfang', 'run', '--help']\n"
        "from lianfang.runtime.runner import patch\n"
        "heavy = {'pymongo', 'nameko', 'amqp', 'typer', 'eventlet'} & set(sys.modules)\n"
        "sys.exit(f'loaded too early: {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
