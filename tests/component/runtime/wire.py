"""A wire to the broker that a test can cut, silence or leave unplugged."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Wire:
    """Forwards one local port to the broker; silent, it takes everything and passes nothing on."""

    def __init__(self, amqp_uri: str) -> None:
        target = urlsplit(amqp_uri)
        self._target = (target.hostname, target.port)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.uri = amqp_uri.replace(f"{target.hostname}:{target.port}", f"127.0.0.1:{port}")
        self._silent = threading.Event()
        self._ends: list[socket.socket] = []

    def plug_in(self) -> None:
        """Begin to listen; before that every connection is refused."""
        self._socket.listen(20)
        threading.Thread(target=self._accept, daemon=True).start()

    def silence(self) -> None:
        """From now on nothing comes through, in either direction, and nothing is closed."""
        self._silent.set()

    def cut(self) -> None:
        """Close every connection there is."""
        ends, self._ends = self._ends, []
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._socket.accept()
            except OSError:
                return
            self._ends.append(near)
            if self._silent.is_set():
                continue
            far = socket.create_connection(self._target)
            self._ends.append(far)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self._silent.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
