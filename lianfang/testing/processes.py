"""Child processes of a test or a measurement: started, waited for, weighed and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lianfang.testing.servers import LOCAL, ROOT

READY_SECONDS = 180.0
_GRACE_SECONDS = 30.0
_KILOBYTES = 1024


class Child:
    """One process, its output in `.local/private/logs/<name>.log`."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        logs = LOCAL / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = logs / f"{name}.log"
        self.log.unlink(missing_ok=True)
        self._command, self._env = command, dict(env)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                self._command, env=self._env, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def alive(self) -> bool:
        """Whether the process that was started last still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL it."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """Start the same command again; the process before has ended."""
        self._process = self._start()

    def kill_and_restart(self) -> None:
        """SIGKILL it, then start the same command again."""
        self.kill()
        self.restart()

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return when `ready` says so.

        Raises:
            RuntimeError: the process ended or took too long; with the end of its log.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} is not ready:\n{self._tail()}")
            time.sleep(0.1)

    def wait_for_success(self) -> None:
        """Return when it ended well.

        Raises:
            RuntimeError: it did not; with the end of its log.
        """
        if self._process.wait(READY_SECONDS) != 0:
            raise RuntimeError(f"{self.name} failed:\n{self._tail()}")

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]

    def said_ready(self) -> bool:
        """Whether the log has a line `ready`."""
        return "ready\n" in self.log.read_text(errors="replace")

    def peak_rss_mb(self) -> float:
        """The most memory the process ever held, in MiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / _KILOBYTES

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        """End it: gracefully, then by force."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
