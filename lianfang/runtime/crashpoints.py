"""Named points between two steps of the runtime, each of which a test can make fatal.

Only code inside the process can arm one, never a message or a call, and the profile `production`
refuses. While nothing is armed a point costs one look at a variable.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

from lianfang.errors import NotPermitted

ARMABLE = ("demo", "test")


class Point(Enum):
    """A place where a process may die; the value says what is done by then and what is not."""

    AFTER_RECEIVE = "a message or request has arrived, and nobody has looked at it"
    IN_DECISION = "its transaction is open and has read, and the handler is about to decide"
    BEFORE_COMMIT = "everything is written into the transaction, which is not committed"
    AFTER_COMMIT = "the transaction is committed, and nothing it says is published"
    HALF_WINDOW = "half of the rows are handed to the broker, and the others are not"
    AFTER_PUBLISH = "the broker has confirmed the rows, and they still lie in the outbox"
    AFTER_REMOVAL = "the rows are out of the outbox, and the message is not acknowledged"
    IN_RETRY = "the copy is confirmed on the retry ladder, and the original not acknowledged"
    IN_PARK = "the copy is confirmed in parking, and the original not acknowledged"
    BEFORE_REPLY = "the command is committed and published, and its answer not sent"
    BEFORE_ACK = "everything is done, and the message or request not acknowledged"

    @property
    def label(self) -> str:
        """As tables and command lines write it."""
        return self.name.lower().replace("_", "-")


Action = Callable[[], None]

_armed: dict[tuple[Point, str], Action] = {}
_at_work: ContextVar[str] = ContextVar("at_work", default="")


def die() -> None:
    """SIGKILL to this process: no handler runs, nothing is flushed."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(profile: str, point: Point, name: str, action: Action = die) -> None:
    """Let whoever reaches `point` on behalf of `name` (a queue or a method) do `action`.

    Raises:
        NotPermitted: outside the profiles `demo` and `test`.
    """
    if profile not in ARMABLE:
        raise NotPermitted("crash points can be armed only in the profiles demo and test")
    _armed[point, name] = action


def disarm() -> None:
    """Make every point harmless again."""
    _armed.clear()


@contextmanager
def at_work(name: str) -> Iterator[None]:
    """What this greenthread does inside is on behalf of `name`."""
    token = _at_work.set(name)
    try:
        yield
    finally:
        _at_work.reset(token)


def is_armed(point: Point) -> bool:
    """Whether `point` would act on behalf of whom this greenthread works for."""
    return bool(_armed) and (point, _at_work.get()) in _armed


def reached(point: Point, name: str | None = None) -> None:
    """This process is at `point`, on behalf of `name` or of whom the greenthread works for."""
    if _armed:
        action = _armed.get((point, _at_work.get() if name is None else name))
        if action is not None:
            action()
