"""A TCP proxy whose wire fails on command: silence, resets, delay, trickle, cuts, lost answers.

It runs in a thread of its own; what the wire does may change at any time from any other thread.
Nothing is ever altered or reordered: bytes arrive, arrive late, or do not arrive.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.faults.frames import Protocol, Splitter, Way
from tests.faults.wire import GOOD

T = TypeVar("T")

_CHUNK = 64 * 1024
_AHEAD = 256
_WAIT = 10.0
#: Closing a socket with this option says RST instead of goodbye.
_NO_GOODBYE = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Link:
    """One connection through the proxy."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    carried: int = 0
    silent: set[Way] = field(default_factory=set)

    def reset(self) -> None:
        """Cut both halves without a word."""
        for half in (self.client, self.server):
            _abort(half)


class Proxy:
    """One port in front of one server; made by `Proxies`."""

    def __init__(self, run: Callable[..., Any], target: str, protocol: Protocol, seed: int) -> None:
        host, _, port = target.rpartition(":")
        self._target, self._protocol = (host, int(port)), protocol
        self._chance = random.Random(seed)
        self._run = run
        self._links: set[_Link] = set()
        #: What the wire does from now on; assign another.
        self.wire = GOOD
        #: Answers lost so far, and answers seen.
        self.lost = self.answers = 0
        self._listener: asyncio.Server = run(self._listen())
        port_here = self._listener.sockets[0].getsockname()[1]
        #: Where clients find this proxy.
        self.address = f"127.0.0.1:{port_here}"

    def reset(self) -> int:
        """RST every connection, at both ends; returns how many."""
        return int(self._run(self._each(_Link.reset)))

    def forget(self) -> int:
        """Half-open: servers see a reset, clients see nothing, now and for ever; how many."""
        return int(self._run(self._each(_forget)))

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def close(self) -> None:
        """Listen no more and end every connection."""
        self._run(self._close())

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _each(self, act: Callable[[_Link], None]) -> int:
        links = list(self._links)
        for link in links:
            act(link)
        return len(links)

    async def _close(self) -> None:
        self._listener.close()
        await self._each(_Link.reset)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server = await asyncio.open_connection(*self._target)
        except OSError:
            _abort(writer)
            return
        link = _Link(writer, server)
        for half in (writer, server):
            half.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._carry(link, Way.UP, reader, server),
                self._carry(link, Way.DOWN, server_reader, writer),
            )
        except asyncio.CancelledError:
            return  # the proxies end; asyncio would make a noise about it
        finally:
            self._links.discard(link)
            link.reset()

    async def _carry(
        self, link: _Link, way: Way, source: asyncio.StreamReader, sink: asyncio.StreamWriter
    ) -> None:
        """Carry one direction until its source ends; an end is told unless the line is silent."""
        under_way: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue(_AHEAD)
        delivering = asyncio.create_task(self._deliver(link, way, under_way, sink))
        try:
            await self._receive(link, way, source, under_way)
        except OSError:
            if way not in link.silent:
                _abort(sink)
        await under_way.put(None)
        await delivering
        if way not in link.silent:
            sink.close()

    async def _receive(
        self,
        link: _Link,
        way: Way,
        source: asyncio.StreamReader,
        under_way: asyncio.Queue[tuple[float, bytes] | None],
    ) -> None:
        splitter, due = Splitter(self._protocol), 0.0
        while piece := await source.read(_CHUNK):
            for message in splitter.feed(piece):
                if self._loses(way, message):
                    link.reset()
                    return
                line = self.wire.line(way)
                late = line.delay + line.jitter * self._chance.random()
                due = max(due, asyncio.get_running_loop().time() + late)
                await under_way.put((due, message))

    def _loses(self, way: Way, message: bytes) -> bool:
        if not self.wire.lost_answers or not self._protocol.is_answer(way, message):
            return False
        self.answers += 1
        lost = self._chance.random() < self.wire.lost_answers
        self.lost += lost
        return lost

    async def _deliver(
        self,
        link: _Link,
        way: Way,
        under_way: asyncio.Queue[tuple[float, bytes] | None],
        sink: asyncio.StreamWriter,
    ) -> None:
        while (item := await under_way.get()) is not None:
            due, message = item
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            if self.wire.line(way).silent:
                link.silent.add(way)
            if way not in link.silent:
                await self._write(link, way, message, sink)

    async def _write(
        self, link: _Link, way: Way, message: bytes, sink: asyncio.StreamWriter
    ) -> None:
        line, cut = self.wire.line(way), self.wire.cut_after
        size = line.piece or len(message)
        for start in range(0, len(message), size):
            part = message[start : start + size]
            if cut is not None and link.carried + len(part) > cut:
                sink.write(part[: max(0, cut - link.carried)])
                await asyncio.sleep(0)
                link.reset()
                return
            link.carried += len(part)
            if sink.is_closing():
                return
            sink.write(part)
            await _flushed(sink)
            await asyncio.sleep(len(part) / line.rate if line.rate else 0)


class Proxies:
    """The thread in which proxies run, until the end of the block."""

    def __enter__(self) -> Self:
        """Start the thread."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._all: list[Proxy] = []
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every proxy, then the thread."""
        for proxy in self._all:
            proxy.close()
        self._run(_finish_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT)
        self._loop.close()

    def before(self, target: str, protocol: Protocol | None = None, seed: int = 0) -> Proxy:
        """A new proxy in front of `host:port`."""
        proxy = Proxy(self._run, target, protocol or Protocol(), seed)
        self._all.append(proxy)
        return proxy

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_WAIT)


async def _finish_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # the transports say that they are lost


def _forget(link: _Link) -> None:
    link.silent = {Way.UP, Way.DOWN}
    _abort(link.server)


def _abort(half: asyncio.StreamWriter) -> None:
    if not half.transport.is_closing():
        half.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_GOODBYE)
        half.transport.abort()


async def _flushed(sink: asyncio.StreamWriter) -> None:
    try:
        await sink.drain()
    except OSError:
        _abort(sink)  # its reader sees the end
