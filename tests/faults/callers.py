"""Callers who send each command again, under the same request id, until it is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from lianfang.client import District
from lianfang.errors import DeadlineExceeded, LianfangError, Retryable

_PAUSE = 0.2
#: Seconds after which a command that nobody answers counts as never answered.
_GIVE_UP = 300.0


@dataclass(frozen=True, slots=True)
class Command:
    """One method with its document."""

    method: str
    document: dict[str, Any]


#: Yields commands, is sent the answer of each.
Story = Generator[Command, dict[str, Any], None]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a caller was told."""

    request_id: str
    command: Command
    answer: dict[str, Any]
    #: When, on the monotonic clock.
    at: float = field(default_factory=time.monotonic)


@dataclass
class Callers:
    """Several callers who tell one story after the other, until the stories or the block end."""

    uri: str
    stories: Iterator[tuple[str, Story]]
    count: int = 6
    receipts: list[Receipt] = field(default_factory=list)
    #: Is told of each receipt before its story goes on.
    heard: Callable[[Receipt], None] = lambda _: None
    #: Seconds until a caller asks again.
    patience: float = 10.0
    #: Commands sent again because no answer came.
    repeats: int = 0
    #: Commands that were refused, or never answered.
    refused: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin."""
        self._next, self._ending = threading.Lock(), threading.Event()
        self._threads = [
            threading.Thread(target=self._call, daemon=True) for _ in range(self.count)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Begin no further story; return when those begun are told."""
        self._ending.set()
        self.join()

    def join(self) -> None:
        """Return when every story is told."""
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with District(self.uri, actor="caller") as district:
            while not self._ending.is_set():
                with self._next:
                    found = next(self.stories, None)
                if found is None:
                    return
                self._tell(district, *found)

    def _tell(self, district: District, name: str, story: Story) -> None:
        command: Command | None = next(story)
        step = 0
        while command is not None:
            step += 1
            request_id = f"{name}-{step}"
            answer = self._ask(district, request_id, command)
            if answer is None:
                return
            receipt = Receipt(request_id, command, answer)
            self.heard(receipt)
            self.receipts.append(receipt)
            try:
                command = story.send(answer)
            except StopIteration:
                command = None

    def _ask(self, district: District, request_id: str, command: Command) -> dict[str, Any] | None:
        last = time.monotonic() + _GIVE_UP
        while time.monotonic() < last:
            try:
                return district.command(
                    command.method,
                    request_id=request_id,
                    deadline=self.patience,
                    **command.document,
                )
            except (Retryable, DeadlineExceeded):
                self.repeats += 1
                threading.Event().wait(_PAUSE)
            except LianfangError as error:
                self.refused.append(f"{command.method} {request_id}: {error.code}: {error}")
                return None
        self.refused.append(f"{command.method} {request_id}: never answered")
        return None
