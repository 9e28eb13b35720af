"""`/health/live`, `/health/ready` and `/metrics` of one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError

from lianfang.runtime.logs import log
from lianfang.runtime.process import Process
from lianfang.runtime.rpc import RpcMethod
from lianfang.runtime.subscription import Subscription

#: Seconds without a look at the outbox after which the process counts as stuck; a look may itself
#: wait for a database that is away.
STUCK_AFTER = 60.0
#: Seconds that whoever asks may take to say what it wants.
_ASK_TIMEOUT = 5

Checks = Callable[[], dict[str, Any]]


def liveness(container: Any) -> dict[str, Any]:
    """Whether the process still turns: its sweeper looked not long ago."""
    looked_at = container.shared_extensions[Process].looked_at
    age = round(time.monotonic() - looked_at, 1)
    return {"ok": age < STUCK_AFTER, "seconds_since_look": age}


def readiness(container: Any) -> dict[str, Any]:
    """Whether consumers are connected and the database has a primary."""
    entrypoints = list(container.entrypoints)
    consuming = {e.handler.queue: e.connected for e in entrypoints if isinstance(e, Subscription)}
    answering = all(e.server.connected for e in entrypoints if isinstance(e, RpcMethod))
    try:
        container.shared_extensions[Process].engine.client.admin.command("hello")
        database = True
    except PyMongoError as error:
        log.info("database_not_ready", error=type(error).__name__)
        database = False
    ready = database and answering and all(consuming.values())
    return {"ok": ready, "consuming": consuming, "rpc": answering, "database": database}


class _Server(ThreadingMixIn, WSGIServer):
    """Each probe in a greenthread of its own: a slow one keeps no other waiting."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = _ASK_TIMEOUT

    def log_message(self, format: str, *args: Any) -> None:
        """Probes are not worth a line."""


def serve(container: Any, host: str, port: int) -> Any:
    """A server for the pages; the caller runs `serve_forever` in a greenthread."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest()]
        checks = {"/health/live": liveness, "/health/ready": readiness}.get(path)
        if checks is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not found"]
        found = checks(container)
        status = "200 OK" if found["ok"] else "503 Service Unavailable"
        start_response(status, [("Content-Type", "application/json")])
        return [orjson.dumps(found)]

    server = make_server(host, port, application, server_class=_Server, handler_class=_Quiet)
    log.info("health_listening", host=host, port=server.server_port)
    return server
