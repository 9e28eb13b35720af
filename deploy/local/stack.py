"""The broker and the database on this machine: ``up``, ``down``, ``status`` and ``run``.

``up`` starts a private RabbitMQ and a private MongoDB, or takes those that ``AMQP_URI`` and
``MONGO_URI`` name, and writes ``.local/stack.json`` and ``.local/stack.env``. ``down`` stops
exactly what ``up`` started. ``run -- COMMAND`` runs a command with the stack up and stops the
stack afterwards, unless it was up before.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import broker
import database
import session
import state
from state import LOCAL, StackError, say

RECORD = LOCAL / "stack.json"
ENVIRONMENT = LOCAL / "stack.env"
SERVICES = state.ROOT / "deploy" / "local" / "services.py"
MANAGEMENT_PORT = 15672
SERVERS = {"rabbitmq": broker, "mongo": database}


def given_broker() -> dict[str, Any] | None:
    """The broker named by the environment.

    Its management API is looked for on the usual port when only ``AMQP_URI`` is given, and its
    AMQP port is asked of the management API when only that is given.
    """
    amqp = urlsplit(os.environ.get("AMQP_URI", ""))
    management = os.environ.get("AMQP_MANAGEMENT_URI", "")
    if not amqp.netloc and not management:
        return None
    if not management:
        login = amqp.netloc.rpartition("@")[0]
        management = f"http://{login}@{amqp.hostname}:{MANAGEMENT_PORT}"
    listening = broker.amqp_port(management)
    known = urlsplit(management)
    if listening is None:
        raise StackError(
            f"no RabbitMQ management API at {known.hostname}:{known.port}: "
            "set AMQP_MANAGEMENT_URI=http://administrator:password@host:port"
        )
    host = f"{amqp.hostname or known.hostname}:{amqp.port or listening}"
    return {"host": host, "management_uri": management, "given": True}


def given_database() -> dict[str, Any] | None:
    """The database named by the environment."""
    uri = os.environ.get("MONGO_URI")
    return {"uri": uri, "given": True} if uri else None


GIVEN = {"rabbitmq": given_broker, "mongo": given_database}


def is_up(name: str, described: dict[str, Any]) -> bool:
    """Whether a recorded server of ours runs; one that was given is not ours."""
    return bool(described) and "given" not in described and bool(SERVERS[name].is_up(described))


def bring_up(name: str, recorded: dict[str, Any]) -> dict[str, Any]:
    """The server to use: the given one, else the recorded one if it runs, else a new one.

    An environment that repeats the address of the recorded one gives nothing else.
    """
    given = GIVEN[name]()
    ours = is_up(name, recorded)
    if given is None or (ours and all(recorded.get(k) == given[k] for k in given if k != "given")):
        return recorded if ours else SERVERS[name].up()
    if ours:
        SERVERS[name].down(recorded)
    return given


def up() -> bool:
    """Bring up what is not up and record it; True when something was started.

    Interrupted, or when one server fails, it stops again what it started.
    """
    with state.exclusively("stack"):
        before = state.read_json(RECORD)
        try:
            with session.uninterrupted():
                record = bring_up_all(before)
        except BaseException:
            take_down([name for name in SERVERS if name not in before])
            raise
    return any(
        is_up(name, record[name]) and record[name] != before.get(name, {}) for name in SERVERS
    )


def bring_up_all(before: dict[str, Any]) -> dict[str, Any]:
    """Bring up both servers at once; the record is written even when one of them fails."""
    with ThreadPoolExecutor() as pool:
        coming = {n: pool.submit(bring_up, n, before.get(n, {})) for n in SERVERS}
    up_now = {n: server.result() for n, server in coming.items() if server.exception() is None}
    record = before | up_now
    state.write_json(RECORD, record)
    for server in coming.values():
        server.result()
    state.write_env(ENVIRONMENT, environment(record))
    return record


def take_down(names: list[str]) -> None:
    """Stop the recorded servers of these names, unless they were given, and forget them."""
    record = state.read_json(RECORD)
    for name in [name for name in names if name in record]:
        if "given" not in record[name]:
            SERVERS[name].down(record[name])
        del record[name]
        state.write_json(RECORD, record)
    if not record:
        RECORD.unlink(missing_ok=True)
        ENVIRONMENT.unlink(missing_ok=True)


def environment(record: dict[str, Any]) -> dict[str, str]:
    """What a service needs to know of the stack."""
    return {
        "AMQP_MANAGEMENT_URI": record["rabbitmq"]["management_uri"],
        "AMQP_HOST": record["rabbitmq"]["host"],
        "MONGO_URI": record["mongo"]["uri"],
    }


def down() -> None:
    """Stop the services, then the servers that ``up`` started, and forget them."""
    subprocess.run([sys.executable, SERVICES, "down"], check=True)
    with state.exclusively("stack"):
        take_down(list(SERVERS))


def status() -> int:
    """Say what runs where; 0 when everything does."""
    record = state.read_json(RECORD)
    words = {}
    for name in SERVERS:
        server = record.get(name, {})
        words[name] = "given" if "given" in server else "up" if is_up(name, server) else "down"
        ports = " ".join(f"{use}:{port}" for use, port in server.get("ports", {}).items())
        say(f"{name:<10} {words[name]:<6} {ports}")
    return 1 if "down" in words.values() else 0


def service_environment() -> dict[str, str]:
    """The environment of a command run with the stack."""
    return state.read_env(ENVIRONMENT)


if __name__ == "__main__":
    session.main(__doc__, up, down, status, service_environment)
