from __future__ import annotations

import os
import signal
import sys

import pytest
import session
import state


class Stack:
    """Counts who starts and stops it."""

    def __init__(self, running: bool) -> None:
        self.running, self.asked = running, []

    def up(self) -> bool:
        was_down, self.running = not self.running, True
        self.asked.append("up")
        return was_down

    def down(self) -> None:
        self.running = False
        self.asked.append("down")

    def run(self, *program: str) -> int:
        return session.run_between(program, self.up, self.down, lambda: {"GIVEN": "yes"})


def python(program: str) -> tuple[str, str, str]:
    return sys.executable, "-c", program


def test_what_was_not_up_before_is_down_again_afterwards() -> None:
    stack = Stack(running=False)
    assert stack.run(*python("pass")) == 0
    assert stack.asked == ["up", "down"]


def test_what_was_up_before_stays_up() -> None:
    stack = Stack(running=True)
    assert stack.run(*python("pass")) == 0
    assert stack.asked == ["up"]


def test_the_command_sees_the_environment_and_its_exit_code_is_ours() -> None:
    program = "import os, sys; sys.exit(7 if os.environ['GIVEN'] == 'yes' else 1)"
    assert Stack(running=False).run(*python(program)) == 7


def test_a_killed_command_ends_as_a_shell_would_say_it() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    stack = Stack(running=False)
    assert stack.run(*python(program)) == 128 + 9
    assert not stack.running


def test_a_command_that_does_not_exist_is_named_and_nothing_stays_up() -> None:
    stack = Stack(running=False)
    with pytest.raises(state.StackError, match="no such command: /does/not/exist"):
        stack.run("/does/not/exist")
    assert not stack.running


def test_run_without_a_command_starts_nothing() -> None:
    stack = Stack(running=False)
    with pytest.raises(state.StackError, match="needs a command"):
        stack.run()
    assert stack.asked == []


def test_a_signal_waits_until_the_record_is_complete() -> None:
    done = []

    def interrupted() -> None:
        with session.uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("record")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == ["record"]
