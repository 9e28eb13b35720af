"""Containers as the fallback where a server's binaries are missing and a Docker daemon runs."""

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import processes
from state import StackError

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - inside a container that publishes on loopback only


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the ``docker`` command and hand back what it said."""
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def is_running() -> bool:
    """Whether there is a client and a daemon answers it."""
    return shutil.which("docker") is not None and call("info").returncode == 0


def is_up(name: str) -> bool:
    """Whether the container runs."""
    return call("inspect", "-f", "{{.State.Running}}", name).stdout.strip() == "true"


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container to run: its ports are published under the same numbers on loopback."""

    name: str
    image: str
    ports: Sequence[int]
    mounts: Mapping[Path, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    command: Sequence[str] = ()


def run(container: Container, is_ready: Callable[[], bool], seconds: float) -> str:
    """Start a container and wait until ``is_ready``; it is removed again when that fails."""
    name = container.name
    call("rm", "-f", "--volumes", name)
    published = [f"--publish=127.0.0.1:{port}:{port}" for port in container.ports]
    mounted = [f"--volume={source}:{target}:ro" for source, target in container.mounts.items()]
    given = [f"--env={name}={value}" for name, value in container.environment.items()]
    options = ["--detach", "--name", name, *published, *mounted, *given]
    started = call("run", *options, container.image, *container.command)
    if started.returncode != 0:
        raise StackError(f"docker run {container.image} failed: {started.stderr.strip()}")
    if not processes.wait_until(is_ready, seconds):
        logs = call("logs", "--tail", "15", name)
        remove(name)
        raise StackError(f"{container.image} did not start:\n{logs.stdout}{logs.stderr}")
    return name


def remove(name: str) -> None:
    """Stop the container and remove it with its data."""
    call("stop", name)
    call("rm", "-f", "--volumes", name)
