"""Connections to the broker: opened with limits, so that nothing waits for ever."""

from __future__ import annotations

import socket
from typing import Any

import amqp
from kombu import Connection

#: Seconds between heartbeats; a peer silent for two of them is gone.
HEARTBEAT = 30
_CONNECT_TIMEOUT = 10
#: Milliseconds of unacknowledged TCP data before the kernel gives the peer up.
_TCP_USER_TIMEOUT_MS = 15_000

#: What a broken connection or channel looks like from here.
BROKEN = (amqp.exceptions.AMQPError, OSError)


def open_connection(amqp_uri: str, name: str) -> Any:
    """A connected py-amqp connection; `name` shows in the broker's management page.

    Raises:
        OSError, amqp.AMQPError: the broker is not there or refuses.
    """
    options = {
        "socket_settings": {socket.TCP_USER_TIMEOUT: _TCP_USER_TIMEOUT_MS},
        "client_properties": {"connection_name": name, "product": "lianfang"},
        "read_timeout": None,
        "write_timeout": _CONNECT_TIMEOUT,
    }
    kombu_connection = Connection(
        amqp_uri, heartbeat=HEARTBEAT, connect_timeout=_CONNECT_TIMEOUT, transport_options=options
    )
    return kombu_connection.transport.establish_connection()


def user_of(amqp_uri: str) -> str:
    """The broker user in an address."""
    return str(Connection(amqp_uri).userid)


def close_quietly(connection: Any) -> None:
    """Close a connection that may already be broken; a broken one needs no goodbye."""
    if connection is None:
        return
    try:
        connection.close()
    except BROKEN:
        connection.collect()
