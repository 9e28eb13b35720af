"""Runs one service as a process: patched first, drained at the end, with honest exit codes.

Import nothing else of the runtime before `run` has patched: pymongo, ssl and amqp must see green
sockets.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

#: Exit code of a process that was told something wrong.
MISCONFIGURED = 78


def patch() -> None:
    """Make sockets, locks and sleep green; whoever can calls this before any other import."""
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    # Known, and why all of eventlet stays inside this package.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet  # noqa: PLC0415 - must come before everything it patches

    eventlet.monkey_patch()


def run(service: str) -> None:
    """Run `service` until SIGTERM or SIGINT; exits 0 after a drain, 78 when misconfigured."""
    patch()
    from lianfang.runtime.discovery import service_class  # noqa: PLC0415

    sys.exit(serve(service, lambda: service_class(service)))


def serve(name: str, load: Callable[[], Any]) -> int:
    """Run the service class that `load` gives, in a process already patched; the exit code."""
    import eventlet  # noqa: PLC0415
    from eventlet.event import Event  # noqa: PLC0415

    from lianfang.errors import Misconfigured  # noqa: PLC0415
    from lianfang.runtime import logs  # noqa: PLC0415
    from lianfang.settings import Settings  # noqa: PLC0415

    logs.configure(name)
    stopping = Event()

    def stop(_signal: int, _frame: Any) -> None:
        if not stopping.ready():
            eventlet.spawn_after(0, _send_once, stopping)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    try:
        return _until_stopped(container_of(load(), Settings.read()), stopping)
    except Misconfigured as error:
        logs.log.error("misconfigured", detail=error.message)
        return MISCONFIGURED


def _send_once(event: Any, *_: Any) -> None:
    if not event.ready():
        event.send()


def container_of(service_class: Any, settings: Any) -> Any:
    """Nameko's container for a service class; nothing in it has started."""
    from nameko.containers import ServiceContainer  # noqa: PLC0415

    config = {"settings": settings, "AMQP_URI": settings.amqp_uri, "max_workers": 100}
    return ServiceContainer(service_class, config)


def _until_stopped(container: Any, stopping: Any) -> int:
    import eventlet  # noqa: PLC0415

    from lianfang.runtime.health import serve as serve_health  # noqa: PLC0415
    from lianfang.runtime.logs import log  # noqa: PLC0415

    settings = container.config["settings"]
    if not _database_came(settings.mongo_uri, stopping):
        log.info("service_stopped")
        return 0
    container.start()
    server = serve_health(container, settings.health_host, settings.health_port)
    eventlet.spawn(server.serve_forever)
    log.info("service_started", district=settings.district, profile=settings.profile)
    died = eventlet.spawn(container.wait)
    died.link(lambda _: _send_once(stopping))
    stopping.wait()
    if died.dead:
        log.error("service_died")
        return 1
    container.stop()
    log.info("service_stopped")
    return 0


def _database_came(mongo_uri: str, stopping: Any) -> bool:
    """Wait, with a clear line, for a database that is down; the entrypoints wait for the broker.

    False when the process was told to stop first.
    """
    import eventlet  # noqa: PLC0415
    from pymongo.errors import ConnectionFailure  # noqa: PLC0415

    from lianfang.runtime.documents import connect  # noqa: PLC0415
    from lianfang.runtime.logs import log  # noqa: PLC0415

    while not stopping.ready():
        client = connect(mongo_uri, "start", patience=1.0)
        try:
            client.admin.command("ping")
        except ConnectionFailure as error:
            log.warning("waiting_for_database", error=type(error).__name__)
            eventlet.sleep(1)
        else:
            return True
        finally:
            client.close()
    return False
