"""A private RabbitMQ node: its own name, ports, cookie and data, on the loopback interface only.

It has a port mapper (``epmd``) of its own too, so that nothing is left when it stops. A RabbitMQ
that the system runs is never asked, changed or stopped. The node has no ``guest``: its first and
only built-in user is an administrator with a password generated for this checkout.
"""

import base64
import json
import os
import re
import secrets
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import processes
import state
from state import LOCAL, StackError

COMMON = state.ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf"
PLUGINS = COMMON.with_name("enabled_plugins")
IMAGE = "rabbitmq:4-management"
ADMINISTRATOR = "lianfang-admin"
PORTS = ("amqp", "management", "prometheus", "distribution", "epmd")
MAPPERS = ("usr/lib/erlang/erts-*/bin/epmd", "usr/lib*/erlang/bin/epmd", "opt/*/bin/epmd")
HOMES = (
    "usr/lib/rabbitmq/bin",
    "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin",
    "opt/rabbitmq/sbin",
)
OLDEST = (3, 10)
BOOT_SECONDS = 90.0
GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Node:
    """One node of this checkout: its folder, and the word that sets it apart from the others."""

    folder: Path = LOCAL / "rabbitmq"
    purpose: str = ""

    @property
    def name(self) -> str:
        """What it is called among Erlang's nodes."""
        return f"lianfang-{state.CHECKOUT}{self.suffix}@localhost"

    @property
    def container(self) -> str:
        """What its container is called."""
        return f"lianfang-{state.CHECKOUT}{self.suffix}-rabbitmq"

    @property
    def suffix(self) -> str:
        """Its purpose as part of a name."""
        return f"-{self.purpose}" if self.purpose else ""

    @property
    def pid_file(self) -> Path:
        """Where it writes which process it is."""
        return self.folder / "node.pid"

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return state.LOGS / f"rabbitmq{self.suffix}.log"

    def choose_ports(self) -> dict[str, int]:
        """A free port for each of its uses, the same ones as the last time if it can be."""
        chosen = state.choose_ports(*(f"{use}{self.suffix}" for use in PORTS))
        return {use: chosen[f"{use}{self.suffix}"] for use in PORTS}


OWN = Node()


def binaries() -> Path | None:
    """The directory of RabbitMQ's own scripts, not of the wrappers that switch the user.

    None when there is none of a version that this project supports.
    """
    homes = [home for pattern in HOMES for home in sorted(Path("/").glob(pattern), reverse=True)]
    command = shutil.which("rabbitmq-server")
    if command:
        homes.append(Path(command).resolve().parent)
    scripts = ("rabbitmq-server", "rabbitmq-env")
    whole = [home for home in homes if all((home / script).exists() for script in scripts)]
    return next((home for home in whole if version(home) >= OLDEST), None)


def version(home: Path) -> tuple[int, ...]:
    """The version of the RabbitMQ in ``home``, read from the name of its directory.

    A directory that does not say counts as new enough.
    """
    named = re.search(r"rabbitmq_server-(\d+)\.(\d+)", str((home / "rabbitmq-server").resolve()))
    return tuple(int(part) for part in named.groups()) if named else OLDEST


def administrator_password(node: Node) -> str:
    """The generated password; kept beside the node's data, because it lives and dies with them."""
    kept = node.folder / "password"
    if not kept.exists():
        state.write_private(kept, secrets.token_urlsafe(24))
    return kept.read_text()


def ask(uri: str, path: str) -> Any:
    """GET ``path`` of the management API at ``uri``; None while nobody answers there."""
    scheme, _, rest = uri.partition("://")
    credentials, _, host = rest.rpartition("@")
    request = urllib.request.Request(f"{scheme}://{host.rstrip('/')}{path}")
    token = base64.b64encode(urllib.request.unquote(credentials).encode()).decode()
    request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=5
        ) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            raise StackError(f"RabbitMQ at {host} refuses the administrator's password") from error
        return None
    except (OSError, ValueError):
        return None


def amqp_port(uri: str) -> int | None:
    """The port on which the node behind the management API accepts AMQP; None before it does."""
    overview = ask(uri, "/api/overview")
    listeners = overview["listeners"] if overview else []
    return next((int(each["port"]) for each in listeners if each["protocol"] == "amqp"), None)


def is_ready(uri: str) -> bool:
    """Whether the node behind the management API has booted and accepts AMQP connections."""
    return amqp_port(uri) is not None


def configure(node: Node, ports: dict[str, int], address: str, private: str = "") -> None:
    """Write the node's configuration: the common part, then what belongs to this checkout."""
    state.write_private(
        node.folder / "rabbitmq.conf",
        COMMON.read_text()
        + f"\nlisteners.tcp.local = {address}:{ports['amqp']}\n"
        + f"management.tcp.ip = {address}\nmanagement.tcp.port = {ports['management']}\n"
        + f"prometheus.tcp.ip = {address}\nprometheus.tcp.port = {ports['prometheus']}\n"
        + private,
    )


def environment(node: Node, ports: dict[str, int]) -> dict[str, str]:
    """The environment of the node: nothing of ``/etc/rabbitmq`` is read."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(node.folder),
        "RABBITMQ_NODENAME": node.name,
        "RABBITMQ_NODE_PORT": str(ports["amqp"]),
        "RABBITMQ_DIST_PORT": str(ports["distribution"]),
        "RABBITMQ_MNESIA_BASE": str(node.folder / "data"),
        "RABBITMQ_PID_FILE": str(node.pid_file),
        "RABBITMQ_LOG_BASE": str(node.folder / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(node.folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(node.folder / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(node.folder / "conf.d"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(node.folder / "advanced.config"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(node.folder / "config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(PLUGINS),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(ports["epmd"]),
    }


def up(node: Node = OWN) -> dict[str, Any]:
    """Start the node and wait until it serves; nothing keeps running when that fails."""
    ports = node.choose_ports()
    password = administrator_password(node)
    uri = f"http://{ADMINISTRATOR}:{password}@127.0.0.1:{ports['management']}"
    described = {"ports": ports, "management_uri": uri, "host": f"127.0.0.1:{ports['amqp']}"}
    home = binaries()
    if home is not None:
        mapper = start_mapper(node, ports["epmd"])
        try:
            process = start_node(node, home, ports, uri)
        except BaseException:
            processes.stop(mapper, GRACE_SECONDS)
            raise
        return described | {"process": process, "mapper": mapper}
    if not docker.is_running():
        raise StackError("no RabbitMQ and no Docker here: run deploy/local/setup.sh")
    return described | {"container": start_container(node, ports, uri)}


def start_mapper(node: Node, port: int) -> dict[str, Any] | None:
    """Start the node's own ``epmd`` on ``port``.

    None when there is no such program to be seen: the node then starts one itself, which stays.
    """
    on_path = shutil.which("epmd")
    found = [Path(on_path)] if on_path else []
    found += [each for pattern in MAPPERS for each in sorted(Path("/").glob(pattern))]
    if not found:
        return None
    command = [found[0], "-port", str(port), "-address", "127.0.0.1"]
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    mapper = processes.start(command, kept, node.folder, node.log)
    return processes.identity(mapper.pid)


def start_node(node: Node, home: Path, ports: dict[str, int], uri: str) -> dict[str, Any]:
    """Boot the node from the binaries in ``home``; returns which process it is."""
    for part in (node.folder / "data", node.folder / "log"):
        part.mkdir(parents=True, exist_ok=True)
    password = administrator_password(node)
    administrator = f"default_user = {ADMINISTRATOR}\ndefault_pass = {password}\n"
    configure(node, ports, "127.0.0.1", administrator)
    env = environment(node, ports)
    script = processes.start([home / "rabbitmq-server"], env, node.folder, node.log)
    try:
        if (
            not processes.wait_until(
                lambda: script.poll() is not None or is_ready(uri), BOOT_SECONDS
            )
            or script.poll() is not None
        ):
            raise StackError(f"RabbitMQ did not start:\n{processes.tail(node.log)}")
        found = processes.identity(int(node.pid_file.read_text()))
        if found is None:
            raise StackError(f"RabbitMQ ended right after its start, see {node.log}")
    except BaseException:
        processes.kill_session(script)
        raise
    return found


def start_container(node: Node, ports: dict[str, int], uri: str) -> str:
    """Run the node in a container published on the loopback interface; returns its name."""
    configure(node, ports, docker.ANY_ADDRESS)
    config = node.folder / "rabbitmq.conf"
    config.chmod(0o644)  # the image's user reads it; no password is in it
    inside = Path("/lianfang")
    mounts = {file: str(inside / file.name) for file in (config, PLUGINS)}
    given = {
        "RABBITMQ_CONFIG_FILE": str(inside / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(inside / PLUGINS.name),
        "RABBITMQ_DEFAULT_USER": ADMINISTRATOR,
        "RABBITMQ_DEFAULT_PASS": administrator_password(node),
    }
    container = docker.Container(
        name=node.container,
        image=IMAGE,
        ports=[ports[name] for name in ("amqp", "management", "prometheus")],
        mounts=mounts,
        environment=given,
    )
    return docker.run(container, lambda: is_ready(uri), BOOT_SECONDS)


def is_up(described: dict[str, Any]) -> bool:
    """Whether what ``up`` described still runs."""
    if "container" in described:
        return docker.is_up(described["container"])
    return processes.is_alive(described.get("process"))


def down(described: dict[str, Any]) -> None:
    """Stop exactly the node that ``up`` described, and its port mapper."""
    if "container" in described:
        docker.remove(described["container"])
    processes.stop(described.get("process"), GRACE_SECONDS)
    processes.stop(described.get("mapper"), GRACE_SECONDS)


if __name__ == "__main__":  # setup.sh asks: are there binaries to run?
    sys.exit(binaries() is None)
