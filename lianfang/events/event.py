"""What every event of the published language has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact that somebody's action or a rule brought about.

    `TYPE` is two words, noun and past participle. `SUBJECT` names the field with the
    aggregate's id.
    """

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str]
    VERSION: ClassVar[int] = 1

    revision: int = 1

    @property
    def subject(self) -> str:
        """The id of the aggregate this is about."""
        return str(getattr(self, self.SUBJECT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunked(Event):
    """An event whose list travels in several messages; `chunk` counts from 1 to `chunks`."""

    chunk: int = 1
    chunks: int = 1
