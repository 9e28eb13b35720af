"""Connections to the broker: opened with limits, so that nothing waits for ever.

A message's properties are written by whoever sends it. py-amqp decodes them before anybody can look
and raises out of its reading loop over a name that is no UTF-8 or a date beyond the calendar; such
a message would end every connection it reaches. Here it arrives with properties that the door
refuses.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import amqp
from amqp import abstract_channel, serialization
from amqp.transport import TCPTransport
from kombu import Connection

#: Seconds between heartbeats; a peer silent for two of them is gone.
HEARTBEAT = 10
#: Seconds that the broker has for each answer of the protocol.
ANSWER_TIMEOUT = 10
#: Milliseconds of unacknowledged TCP data before the kernel gives the peer up.
_TCP_USER_TIMEOUT_MS = 15_000
_READ_BYTES = 16 * 1024
_CORK_BYTES = 64 * 1024

#: What a broken connection or channel looks like from here.
BROKEN = (amqp.exceptions.AMQPError, OSError)

#: The content type of a message whose properties cannot be read.
UNREADABLE = "application/x-unreadable-properties"
_BASIC = 60
_DELIVERY = "sLbss"
_WRONG = (ValueError, OverflowError, ArithmeticError, OSError, struct.error)


def open_connection(amqp_uri: str, name: str) -> Any:
    """A connected py-amqp connection; `name` shows in the broker's management page.

    Raises:
        OSError, amqp.AMQPError: the broker is not there, refuses, or does not answer.
    """
    options = {
        "socket_settings": {socket.TCP_USER_TIMEOUT: _TCP_USER_TIMEOUT_MS},
        "client_properties": {"connection_name": name, "product": "lianfang"},
    }
    kombu_connection = Connection(
        amqp_uri, heartbeat=HEARTBEAT, connect_timeout=ANSWER_TIMEOUT, transport_options=options
    )
    connection = kombu_connection.transport.establish_connection()
    # py-amqp waits for the answers of declare, consume, cancel and close without any limit.
    connection.transport.sock.settimeout(ANSWER_TIMEOUT)
    _read_only_when_told(connection)
    _read_wide(connection.transport)
    return connection


def _read_only_when_told(connection: Any) -> None:
    """Let a publish write and nothing else.

    py-amqp reads before each publish whether the broker is blocked; beside the loop that reads the
    same connection that is a second reader, and either may take the middle of the other's frame.
    The broker's word still comes, to whoever reads.
    """
    capabilities = connection.client_properties.get("capabilities", {})
    connection.client_properties["capabilities"] = {**capabilities, "connection.blocked": False}


def _read_wide(transport: Any) -> None:
    """Take what the kernel has in one go: py-amqp asks it seven times for each message.

    Over TLS py-amqp does so itself.
    """
    if isinstance(transport, TCPTransport):
        receive = transport.sock.recv
        transport._quick_recv = lambda n: receive(max(n, _READ_BYTES))


@contextmanager
def corked(connection: Any) -> Iterator[None]:
    """What is written inside leaves in pieces of 64 KiB instead of one system call per message.

    An error inside throws the rest away; the connection is broken then.
    """
    transport = connection.transport
    send = transport._write
    held = bytearray()

    def hold(piece: Any) -> None:
        held.extend(piece)  # py-amqp writes its own buffer, which it will use again
        if len(held) >= _CORK_BYTES:
            release()

    def release() -> None:
        out = bytes(held)
        held.clear()
        send(out)

    transport._write = hold
    try:
        yield
        if held:
            release()
    finally:
        transport._write = send


def close_quietly(connection: Any) -> None:
    """Close a connection that may already be broken; a broken one needs no goodbye."""
    if connection is None:
        return
    try:
        connection.close()
    except BROKEN:
        connection.collect()


def drop(connection: Any) -> None:
    """Let go of a connection that cannot be trusted any more, without another word to it."""
    if connection is not None:
        connection.collect()


def _tolerant_properties(
    decode: Callable[[Any, int], tuple[dict[str, Any], int]],
) -> Callable[[Any, int], tuple[dict[str, Any], int]]:
    def read(buffer: Any, offset: int) -> tuple[dict[str, Any], int]:
        try:
            return decode(buffer, offset)
        except _WRONG:
            return {"content_type": UNREADABLE}, len(buffer)

    return read


def _tolerant_arguments(decode: Callable[..., Any]) -> Callable[..., Any]:
    """Reads the arguments of a delivery even where its routing key is no UTF-8."""

    def read(layout: str, buffer: Any, offset: int) -> Any:
        try:
            return decode(layout, buffer, offset)
        except UnicodeDecodeError:
            if layout != _DELIVERY:
                raise
            return _delivery(bytes(buffer), offset)

    return read


def _delivery(buffer: bytes, offset: int) -> tuple[list[Any], int]:
    """Consumer tag, delivery tag, redelivered, exchange, routing key."""

    def text(at: int) -> tuple[str, int]:
        end = at + 1 + buffer[at]
        return buffer[at + 1 : end].decode("utf-8", "replace"), end

    consumer, offset = text(offset)
    (tag,) = struct.unpack_from(">Q", buffer, offset)
    redelivered = bool(buffer[offset + 8] & 1)
    exchange, offset = text(offset + 9)
    key, offset = text(offset)
    return [consumer, tag, redelivered, exchange, key], offset


serialization.PROPERTY_CLASSES[_BASIC] = _tolerant_properties(
    serialization.PROPERTY_CLASSES[_BASIC]
)
abstract_channel.loads = _tolerant_arguments(abstract_channel.loads)
