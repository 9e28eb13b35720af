"""The proxy does what the fault parts believe it does: seen from both ends of real sockets."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from pymongo import MongoClient
from pymongo.errors import AutoReconnect

from lianfang.runtime.broker import open_connection
from lianfang.runtime.publisher import Outgoing, Publisher
from lianfang.testing.servers import Servers
from tests.faults.frames import Amqp, Mongo, Splitter, Way
from tests.faults.proxy import Proxies, Proxy
from tests.faults.wire import BLACK_HOLE, DEAF, GOOD, MUTE, Line, Wire
from tests.faults.wired import primary_of

_SECONDS = 5.0


class Echo(socketserver.ThreadingTCPServer):
    """Says everything back, and remembers what it heard and how each connection ended."""

    daemon_threads = allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Echoing)
        self.heard = bytearray()
        self.ends: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"


class _Echoing(socketserver.BaseRequestHandler):
    server: Echo

    def handle(self) -> None:
        try:
            while piece := self.request.recv(65536):
                self.server.heard += piece
                self.request.sendall(piece)
        except ConnectionError as error:
            self.server.ends.append(type(error).__name__)
        else:
            self.server.ends.append("goodbye")


@pytest.fixture
def echo() -> Iterator[Echo]:
    """An echo server."""
    server = Echo()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxies() -> Iterator[Proxies]:
    """A thread for proxies."""
    with Proxies() as running:
        yield running


@pytest.fixture
def proxy(echo: Echo, proxies: Proxies) -> Proxy:
    """A proxy before the echo."""
    return proxies.before(echo.address)


def dial(proxy: Proxy) -> socket.socket:
    """A connection to the proxy."""
    host, _, port = proxy.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=_SECONDS)


def read(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    held = b""
    while len(held) < size:
        piece = connection.recv(size - len(held))
        if not piece:
            break
        held += piece
    return held


def says_nothing(connection: socket.socket, seconds: float = 0.3) -> bool:
    """Whether nothing comes, not even an end."""
    connection.settimeout(seconds)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(_SECONDS)
    return False


def until(condition: Callable[[], bool], seconds: float = _SECONDS) -> bool:
    """Whether the condition comes to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_a_good_wire_changes_nothing(proxy: Proxy, echo: Echo) -> None:
    said = bytes(range(256)) * 4000
    with dial(proxy) as client:
        threading.Thread(target=client.sendall, args=(said,)).start()
        assert read(client, len(said)) == said
    assert until(lambda: echo.ends == ["goodbye"])
    assert until(lambda: proxy.connections == 0)


def test_a_black_hole_accepts_and_never_answers(proxy: Proxy, echo: Echo) -> None:
    proxy.wire = BLACK_HOLE
    with dial(proxy) as client:
        client.sendall(b"lost")
        assert says_nothing(client)
        proxy.wire = GOOD
        client.sendall(b"lost too")
        assert says_nothing(client)  # what lost a byte is never whole again
        with dial(proxy) as fresh:
            fresh.sendall(b"heard")
            assert read(fresh, 5) == b"heard"
    assert echo.heard == b"heard"


@pytest.mark.parametrize(("wire", "heard"), [(DEAF, b""), (MUTE, b"x")])
def test_one_direction_alone_can_be_silent(
    proxy: Proxy, echo: Echo, wire: Wire, heard: bytes
) -> None:
    proxy.wire = wire
    with dial(proxy) as client:
        client.sendall(b"x")
        assert says_nothing(client)
        assert echo.heard == heard


def test_an_end_is_not_told_over_a_silent_line(proxy: Proxy, echo: Echo) -> None:
    proxy.wire = DEAF
    with dial(proxy) as client:
        client.sendall(b"x")
        assert says_nothing(client)
    assert not until(lambda: bool(echo.ends), seconds=0.2)


def test_a_reset_is_seen_at_both_ends(proxy: Proxy, echo: Echo) -> None:
    with dial(proxy) as client:
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert until(lambda: echo.ends == ["ConnectionResetError"])


def test_half_open_only_the_server_knows(proxy: Proxy, echo: Echo) -> None:
    with dial(proxy) as client:
        client.sendall(b"x")
        assert read(client, 1) == b"x"
        assert proxy.forget() == 1
        assert until(lambda: echo.ends == ["ConnectionResetError"])
        client.sendall(b"y")
        assert says_nothing(client)


def test_delay_is_paid_once_however_many_bytes_follow(proxy: Proxy) -> None:
    proxy.wire = Wire(up=Line(delay=0.3), down=Line(delay=0.1, jitter=0.1))
    with dial(proxy) as client:
        started = time.monotonic()
        for n in range(20):
            client.sendall(bytes([n]))
            time.sleep(0.005)
        assert read(client, 20) == bytes(range(20))
        assert 0.4 <= time.monotonic() - started < 1.5


def test_a_trickle_comes_in_single_bytes(proxy: Proxy, echo: Echo) -> None:
    proxy.wire = Wire(down=Line(piece=1, rate=100))
    with dial(proxy) as client:
        client.sendall(b"0123456789")
        started = time.monotonic()
        sizes = [len(client.recv(100)) for _ in range(3)]
        assert read(client, 10 - sum(sizes)) == b"0123456789"[sum(sizes) :]
        assert max(sizes) == 1
        assert time.monotonic() - started >= 0.05


def test_a_cut_comes_after_so_many_bytes(proxy: Proxy, echo: Echo) -> None:
    proxy.wire = Wire(cut_after=150)  # both directions count
    with dial(proxy) as client:
        client.sendall(b"x" * 100)
        seen = b""
        with suppress(ConnectionResetError):
            seen = read(client, 100)
        assert len(seen) <= 50
    assert echo.heard == b"x" * 100


def test_messages_are_found_however_the_stream_is_torn() -> None:
    messages = [struct.pack("<i", 4 + n) + b"x" * n for n in (12, 0, 70_000, 1)]
    stream = b"".join(messages)
    splitter = Splitter(Mongo())
    found = [m for n in range(0, len(stream), 7) for m in splitter.feed(stream[n : n + 7])]
    assert found == messages


@pytest.mark.parametrize(
    ("way", "kind", "method", "answers"),
    [
        (Way.DOWN, 60, 80, True),  # a confirm
        (Way.UP, 60, 80, True),  # an acknowledgement
        (Way.DOWN, 60, 60, False),  # a delivery
        (Way.DOWN, 60, 21, True),  # basic.consume-ok
        (Way.UP, 60, 40, False),  # basic.publish
        (Way.UP, 10, 11, False),  # connection.start-ok: the client's part of the opening
        (Way.DOWN, 10, 30, False),  # connection.tune
    ],
)
def test_what_answers_in_amqp(way: Way, kind: int, method: int, answers: bool) -> None:
    payload = struct.pack(">HH", kind, method)
    frame = struct.pack(">BHI", 1, 1, len(payload)) + payload + b"\xce"
    assert list(Splitter(Amqp()).feed(b"AMQP\0\0\x09\x01" + frame))[1:] == [frame]
    assert Amqp().is_answer(way, frame) is answers
    assert Amqp(of_caller=True).is_answer(way, frame) is (answers or method == 60)


def test_a_greeting_is_no_answer_that_can_be_lost(proxies: Proxies) -> None:
    direct = Servers.read().client()
    proxy = proxies.before(primary_of(direct), Mongo(), seed=1)
    proxy.wire = Wire(lost_answers=1.0)
    uri = f"mongodb://{proxy.address}/?directConnection=true"
    client: MongoClient[dict[str, object]] = MongoClient(uri, retryReads=False)
    assert until(lambda: client.is_primary)
    assert proxy.answers == 0
    with pytest.raises(AutoReconnect):
        client.admin.command("ping")
    assert proxy.answers == proxy.lost == 1
    client.close()
    direct.close()


def test_the_database_did_what_it_could_not_answer(proxies: Proxies) -> None:
    servers, name = Servers.read(), f"lftest_{uuid4().hex[:8]}"
    direct = servers.client()
    proxy = proxies.before(primary_of(direct), Mongo(), seed=1)
    uri = f"mongodb://{proxy.address}/?directConnection=true"
    client: MongoClient[dict[str, object]] = MongoClient(uri, retryWrites=False)
    client[name].wire.insert_one({"_id": "answered"})
    proxy.wire = Wire(lost_answers=1.0)
    with pytest.raises(AutoReconnect):
        client[name].wire.insert_one({"_id": "lost"})
    assert {row["_id"] for row in direct[name].wire.find()} == {"answered", "lost"}
    assert proxy.lost >= 1
    client.close()
    direct.drop_database(name)
    direct.close()


def test_the_broker_took_what_it_could_not_confirm(proxies: Proxies) -> None:
    servers, vhost = Servers.read(), f"lftest-{uuid4().hex[:8]}"
    direct_uri = servers.new_vhost(vhost)
    proxy = proxies.before(servers.amqp_host, Amqp(), seed=1)
    connection = open_connection(direct_uri, "test")
    channel = connection.channel()
    channel.queue_declare("q", durable=True, auto_delete=False)
    publisher = Publisher(direct_uri.replace(servers.amqp_host, proxy.address), "test")
    message = Outgoing(id="m", exchange="", routing_key="q", body=b"{}")
    assert publisher.publish([message]) == {"m"}
    proxy.wire = Wire(lost_answers=1.0)
    assert publisher.publish([message]) == set()
    # The channel was open: what the publisher missed is the confirm and nothing before it.
    assert proxy.answers == proxy.lost == 1
    assert until(lambda: channel.queue_declare("q", passive=True).message_count == 2)
    publisher.close()
    connection.close()
    servers.administration.delete_vhost(vhost)
