from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIANFANG = Path(sys.executable).with_name("lianfang")
ROOT = Path(__file__).resolve().parents[2]
NOTHING = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "TERM": "dumb"}


def said(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """What the command says in an environment that sets nothing else."""
    return subprocess.run(
        [LIANFANG, *words],
        env=NOTHING | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


EXPLAINED = ["", "run", "topology", "migrate", "demo", "audit", "check", "queues", "trace"]
EXPLAINED += ["parked", "parked list", "parked show", "parked replay", "parked discard"]


@pytest.mark.parametrize("words", [tuple(words.split()) for words in EXPLAINED])
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


@pytest.mark.parametrize("words", [("parked", "list"), ("trace", "x")])
def test_an_operators_command_without_an_address_says_where_it_looked(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = said(*words, LIANFANG_SECRETS_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("misconfigured: AMQP_URI is not set")
    assert f"{tmp_path}/operator.env" in done.stderr


def test_queues_without_the_management_names_the_setting() -> None:
    done = said("queues")
    assert done.returncode == 1
    assert "AMQP_MANAGEMENT_URI" in done.stderr


@pytest.mark.parametrize(("lang", "told"), [("zh", "不看"), ("en", "not looked at")])
def test_check_without_any_address_says_what_it_did_not_look_at(
    lang: str, told: str, tmp_path: Path
) -> None:
    done = said("check", "--lang", lang, LIANFANG_SECRETS_DIR=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.count(told) == 3
    assert "AMQP_URI is not set" in done.stdout


def test_a_group_and_single_messages_are_not_mixed() -> None:
    uri = "amqp://x:x@127.0.0.1:1/x"
    done = said("parked", "replay", "an-id", "--cause", "3f2a9c01", AMQP_URI=uri)
    assert done.returncode == 2
    assert "--cause" in done.stderr


def test_a_broker_that_is_not_there_is_one_line() -> None:
    done = said("parked", "list", AMQP_URI="amqp://x:x@127.0.0.1:1/x")
    assert done.returncode == 1
    assert done.stderr == "unavailable: journal.count_parked: ConnectionRefusedError\n"


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
