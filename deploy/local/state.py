"""Where the local stack keeps its things, and how it reads and writes them.

Everything lies under ``.local/`` of the checkout. Files appear whole or not at all, and those
that can hold a secret are readable by their owner only.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
LOGS = LOCAL / "logs"
SETTINGS = LOCAL / "settings.json"
PYTHON = ROOT / ".venv" / "bin" / "python"
CHECKOUT = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]

_settings_lock = threading.Lock()

FIRST_PORT, LAST_PORT, PORT_BLOCK = 20_000, 32_000, 20


class StackError(Exception):
    """Something a person has to mend; its text says what and how."""


def say(text: str) -> None:
    """Print a line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def finish(main: Callable[[], int | None]) -> NoReturn:
    """Run ``main`` and exit with its code, or with 1 and the message of a ``StackError``."""
    try:
        sys.exit(main() or 0)
    except StackError as error:
        say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` atomically with ``text``, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in ``path``; empty when there is no such file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise StackError(f"{path} is damaged ({error}); remove it and start again") from error
    return found


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Replace ``path`` atomically with ``value`` as JSON, mode 0600."""
    write_private(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_env(path: Path) -> dict[str, str]:
    """The ``NAME=value`` lines of an environment file, quotes around a value removed."""
    pairs = {}
    for line in path.read_text().splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
        pairs[name.removeprefix("export ").strip()] = value[1:-1] if quoted else value
    return pairs


def write_env(path: Path, pairs: dict[str, str]) -> None:
    """Replace ``path`` atomically with ``NAME=value`` lines, mode 0600."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in pairs.items()))


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_ports(*names: str) -> dict[str, int]:
    """A free port per name: the remembered one, or another (then remembered) if that is taken.

    Outside the kernel's range for outgoing connections, starting at a place that depends on the
    checkout, so two checkouts rarely meet.
    """
    with _settings_lock:
        settings = read_json(SETTINGS)
        ports: dict[str, int] = settings.setdefault("ports", {})
        for name in names:
            if name not in ports or not is_free(ports[name]):
                ports[name] = find_port(set(ports.values()))
        write_json(SETTINGS, settings)
    return {name: ports[name] for name in names}


def find_port(taken: set[int]) -> int:
    """The first free port of this machine that is not in ``taken``."""
    blocks = (LAST_PORT - FIRST_PORT) // PORT_BLOCK
    first = FIRST_PORT + int(CHECKOUT, 16) % blocks * PORT_BLOCK
    for port in (*range(first, LAST_PORT), *range(FIRST_PORT, first)):
        if port not in taken and is_free(port):
            return port
    raise StackError(f"no free port between {FIRST_PORT} and {LAST_PORT}")


@contextlib.contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Hold the checkout's lock ``name``: a second ``up`` or ``down`` waits for the first."""
    LOCAL.mkdir(mode=0o700, exist_ok=True)
    with (LOCAL / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
