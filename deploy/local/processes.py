"""Processes that outlive the command which started them, told from strangers by start time."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from state import StackError

INTERVAL = 0.1


def identity(pid: int) -> dict[str, int | str] | None:
    """What tells this process from a later one with its pid; None for a zombie or a gone one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(") ")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if state == "Z" else {"pid": pid, "started": int(fields[18]), "boot": boot}


def is_alive(recorded: Mapping[str, object] | None) -> bool:
    """Whether the recorded process, and not another one with its pid, still runs."""
    if not recorded:
        return False
    found = identity(int(str(recorded["pid"])))
    return found is not None and all(recorded.get(key) == value for key, value in found.items())


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Ask ``condition`` again and again; True as soon as it holds, False after ``seconds``."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(INTERVAL)
    return True


def stop(recorded: Mapping[str, object] | None, grace: float) -> bool:
    """End the recorded process: asked first, killed after ``grace`` seconds. False: it was gone."""
    if recorded is None or not is_alive(recorded):
        return False
    pid = int(str(recorded["pid"]))
    for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return True
        if wait_until(lambda: not is_alive(recorded), seconds):
            return True
    raise StackError(f"process {pid} does not end")


def start(
    command: Sequence[str | Path], env: Mapping[str, str], cwd: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, its output appended to ``log``."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """End ``process`` and everything it started in its session at once."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, for an error message."""
    if not log.exists():
        return f"(no log {log})"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
