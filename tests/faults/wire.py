"""What a wire does to the connections on it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.frames import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one direction does to the bytes on it."""

    #: Seconds that each byte is under way, and how much longer at most.
    delay: float = 0.0
    jitter: float = 0.0
    #: At most so many bytes at a time, and so many a second; 0 is no limit.
    piece: int = 0
    rate: float = 0.0
    #: Nothing arrives. A connection that lost a byte this way stays silent when the wire is mended.
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What a wire does to connections."""

    up: Line = Line()
    down: Line = Line()
    #: A connection is reset when it has carried so many bytes.
    cut_after: int | None = None
    #: The share of answers that is lost, and each one's connection with it.
    lost_answers: float = 0.0

    def line(self, way: Way) -> Line:
        """The line of a direction."""
        return self.up if way is Way.UP else self.down


GOOD = Wire()
BLACK_HOLE = Wire(up=Line(silent=True), down=Line(silent=True))
DEAF = Wire(up=Line(silent=True))
MUTE = Wire(down=Line(silent=True))
