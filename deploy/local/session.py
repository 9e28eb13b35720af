"""What stack.py and services.py share: up, down, status, and a command run in between."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType

from state import StackError, finish

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_EXIT = 128


@contextlib.contextmanager
def signals(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Give every ending signal to ``handler`` inside the block; processes started in it do not."""
    before = {sign: signal.signal(sign, handler) for sign in ENDINGS}
    try:
        yield
    finally:
        for sign, action in before.items():
            signal.signal(sign, action)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let the block end before an ending signal takes effect, so its record is complete."""
    seen: list[int] = []
    with signals(lambda sign, _: seen.append(sign)):
        yield
    if seen:
        raise KeyboardInterrupt


def interrupt(sign: int, _: FrameType | None) -> None:
    """Turn an ending signal into the exception that runs every ``finally``."""
    raise KeyboardInterrupt(sign)


def call(command: Sequence[str], env: Mapping[str, str]) -> int:
    """Run ``command`` to its end and return its exit code.

    Ctrl-C reaches the command from the terminal itself; a signal sent to this process is passed on.
    """
    process = subprocess.Popen(command, env=dict(env))

    def pass_on(sign: int, _: FrameType | None) -> None:
        if sign != signal.SIGINT:
            process.send_signal(sign)

    with signals(pass_on):
        code = process.wait()
    return code if code >= 0 else SIGNAL_EXIT - code


def run_between(
    command: Sequence[str],
    up: Callable[[], bool],
    down: Callable[[], None],
    environment: Callable[[], dict[str, str]],
) -> int:
    """Bring up, run ``command`` in that environment, and take down what was not up before."""
    if not command:
        raise StackError("run needs a command, for example: run -- pytest")
    with signals(interrupt):
        ours = up()
        try:
            return call(command, os.environ | environment())
        except FileNotFoundError as error:
            raise StackError(f"no such command: {command[0]}") from error
        finally:
            if ours:
                down()


def main(
    usage: str | None,
    up: Callable[[], bool],
    down: Callable[[], None],
    status: Callable[[], int],
    environment: Callable[[], dict[str, str]],
) -> None:
    """Read the command line, do what it says, exit."""

    def act() -> int:
        match sys.argv[1:]:
            case ["up"]:
                up()
                return status()
            case ["down"]:
                down()
                return 0
            case ["status"]:
                return status()
            case ["run", "--", *command] | ["run", *command]:
                return run_between(command, up, down, environment)
        raise StackError(f"say up, down, status or run -- COMMAND\n\n{usage}")

    finish(act)
