"""A broker that confirms as a test tells it: enough AMQP for one publisher, over a real socket."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Any

from amqp.serialization import decode_properties_basic, dumps

METHOD, HEADER, BODY = 1, 2, 3
_END = b"\xce"
#: What the client says and what it gets for it: class, method -> class, method, layout, arguments.
_ANSWERS: dict[tuple[int, int], tuple[int, int, str, list[Any]]] = {
    (10, 11): (10, 30, "BlB", [100, 131072, 0]),
    (10, 40): (10, 41, "s", [""]),
    (10, 50): (10, 51, "", []),
    (20, 10): (20, 11, "S", [""]),
    (20, 41): (0, 0, "", []),
    (85, 10): (85, 11, "", []),
}


@dataclass(frozen=True)
class Say:
    """One thing the broker does: `what` about the n-th message of the window."""

    what: str
    n: int = 0
    multiple: bool = False


@dataclass
class ScriptedBroker:
    """Takes windows of messages and does after each what its script says."""

    #: By the last message of each window: how many there are, and what then happens.
    scripts: dict[str, tuple[int, list[Say]]] = field(default_factory=dict)
    #: Ids of messages that it has taken on, and said so.
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.uri = f"amqp://guest:guest@127.0.0.1:{self._socket.getsockname()[1]}//"
        threading.Thread(target=self._accept, daemon=True).start()

    def expect(self, ids: list[str], script: list[Say]) -> None:
        """What happens once these have come; when they come again, they are confirmed."""
        self.scripts[ids[-1]] = len(ids), script

    def script_after(self, name: str) -> tuple[int, list[Say]]:
        size, script = self.scripts[name]
        self.scripts[name] = size, [Say("ack", size - 1, multiple=True)]
        return size, script

    def close(self) -> None:
        self._socket.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._socket.accept()
                peer = _Peer(self, near)
                threading.Thread(target=peer.serve, daemon=True).start()


class _Peer:
    """One connection."""

    def __init__(self, broker: ScriptedBroker, near: socket.socket) -> None:
        self.broker, self.socket, self.file = broker, near, near.makefile("rb")
        self.tag = 0
        self.sent: list[tuple[int, str]] = []

    def serve(self) -> None:
        with contextlib.suppress(OSError, ConnectionError, struct.error), self.socket:
            self.file.read(8)
            self.send(0, 10, 10, "ooFSS", [0, 9, {}, "PLAIN", "en_US"])
            while True:
                self.take(*self.frame())

    def frame(self) -> tuple[int, int, bytes]:
        kind, channel, size = struct.unpack(">BHI", self.file.read(7))
        payload = self.file.read(size)
        self.file.read(1)
        return kind, channel, payload

    def take(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == METHOD:
            known = struct.unpack(">HH", payload[:4])
            answer = _ANSWERS.get(known)  # type: ignore[arg-type]
            if answer is not None and answer[0]:
                self.send(channel, *answer)
        elif kind == HEADER:
            properties, _ = decode_properties_basic(payload, 12)
            self.tag += 1
            self.sent.append((self.tag, properties["message_id"]))
        elif kind == BODY and self.sent[-1][1] in self.broker.scripts:
            size, script = self.broker.script_after(self.sent[-1][1])
            window = self.sent[-size:]
            for say in script:
                self.act(channel, say, window)

    def act(self, channel: int, say: Say, window: list[tuple[int, str]]) -> None:
        tag, name = window[say.n]
        match say.what:
            case "ack":
                upto = window[: say.n + 1] if say.multiple else [(tag, name)]
                self.broker.taken.update(one for _, one in upto)
                self.send(channel, 60, 80, "Lb", [tag, say.multiple])
            case "nack":
                self.send(channel, 60, 120, "Lbb", [tag, say.multiple, False])
            case "return":
                self.give_back(channel, name)
                self.send(channel, 60, 80, "Lb", [tag, False])
            case "stale" if window[0][0] > 1:
                self.send(channel, 60, 80, "Lb", [window[0][0] - 1, True])
            case "block":
                self.send(0, 10, 60, "s", ["low on memory"])
            case "unblock":
                self.send(0, 10, 61, "", [])
            case "refuse":
                self.send(channel, 20, 40, "BsBB", [404, "no exchange", 60, 40])
            case "reset":
                self.socket.shutdown(socket.SHUT_RDWR)

    def give_back(self, channel: int, name: str) -> None:
        self.send(channel, 60, 50, "Bsss", [312, "NO_ROUTE", "", "k"])
        properties = struct.pack(">HB", 1 << 7, len(name)) + name.encode()
        self.write(HEADER, channel, struct.pack(">HHQ", 60, 0, 2) + properties)
        self.write(BODY, channel, b"{}")

    def send(self, channel: int, kind: int, method: int, layout: str, values: list[Any]) -> None:
        self.write(METHOD, channel, struct.pack(">HH", kind, method) + dumps(layout, values))

    def write(self, kind: int, channel: int, payload: bytes) -> None:
        self.socket.sendall(struct.pack(">BHI", kind, channel, len(payload)) + payload + _END)
