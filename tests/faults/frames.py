"""Where messages end on a wire, and which of them answer something.

With these the proxy lets a request through and loses only its answer: the server did what the
client never hears of.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import Enum

_MONGO_HEADER = 4
_GREETINGS = (b"isWritablePrimary\0", b"ismaster\0")
_PREAMBLE = b"AMQP"
_PREAMBLE_BYTES = 8
_AMQP_HEADER, _AMQP_END = 7, 1
_METHOD = 1
_CONNECTION, _BASIC = 10, 60
_ACK, _NACK, _DELIVER = 80, 120, 60
_START, _TUNE = 10, 30


class Way(Enum):
    """A direction."""

    UP = "to the server"
    DOWN = "to the client"


class Protocol:
    """Bytes as they come: no messages, no answers."""

    def length(self, held: bytes) -> int | None:
        """How long the first message is; None while its head is not complete."""
        return len(held) or None

    def is_answer(self, way: Way, message: bytes) -> bool:
        """Whether somebody waits for this message to know that what it asked was done."""
        return False


class Mongo(Protocol):
    """MongoDB's wire protocol: what the server says answers, but for how it is.

    A driver asks that all the time and nothing happens by it; with these answers lost it knows no
    server most of the time, and hardly a transaction comes to its commit.
    """

    def length(self, held: bytes) -> int | None:
        """The message's own first word."""
        if len(held) < _MONGO_HEADER:
            return None
        length: int = struct.unpack_from("<i", held)[0]
        return length

    def is_answer(self, way: Way, message: bytes) -> bool:
        """All that the server says, but no answer to a greeting."""
        return way is Way.DOWN and not any(word in message for word in _GREETINGS)


class Amqp(Protocol):
    """AMQP 0-9-1: confirms and `…-ok`s answer the client, acknowledgements answer the broker.

    To a caller the deliveries are answers too; to a service they are work.
    """

    def __init__(self, *, of_caller: bool = False) -> None:
        self._of_caller = of_caller

    def length(self, held: bytes) -> int | None:
        """A frame's, or the preamble's."""
        if held.startswith(_PREAMBLE):
            return _PREAMBLE_BYTES
        if len(held) < _AMQP_HEADER:
            return None
        size: int = struct.unpack_from(">I", held, 3)[0]
        return _AMQP_HEADER + size + _AMQP_END

    def is_answer(self, way: Way, message: bytes) -> bool:
        """Not: what opens a connection, content, heartbeats and what is sent unasked."""
        if message[0] != _METHOD:
            return False
        kind, method = struct.unpack_from(">HH", message, _AMQP_HEADER)
        if kind == _BASIC and method in (_ACK, _NACK):
            return True
        if way is Way.UP:
            return False
        if kind == _CONNECTION and method in (_START, _TUNE):
            return False
        if kind == _BASIC and method == _DELIVER:
            return self._of_caller
        return method % 2 == 1  # every `…-ok`, and nothing else, has an odd number


class Splitter:
    """Cuts a stream of one direction into whole messages."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol, self._held = protocol, bytearray()

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The messages that `piece` completes."""
        self._held += piece
        while self._held:
            length = self._protocol.length(self._held)
            if length is None or len(self._held) < length:
                return
            yield bytes(self._held[:length])
            del self._held[:length]
