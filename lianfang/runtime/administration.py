"""Applies a topology to a broker through its management address, and hands out credentials.

Only an administrator runs this; services hold no right to configure. Safe to repeat: what is there
and equal stays, passwords are made once and kept in files that only their owner reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from lianfang.errors import Misconfigured, Unavailable
from lianfang.runtime.vault import write_once
from lianfang.topology import Topology

_TIMEOUT = 30.0


class BrokerAdministration:
    """The management API of one broker; `patience` is how many seconds it has for each answer."""

    def __init__(self, management_uri: str, *, patience: float = _TIMEOUT) -> None:
        self._patience = patience
        parts = urlsplit(management_uri)
        if not parts.username or not parts.password:
            raise Misconfigured("AMQP_MANAGEMENT_URI must name the administrator and a password")
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port}/api"
        self._session = requests.Session()
        self._session.auth = (parts.username, parts.password)
        self.administrator = parts.username

    def _call(self, method: str, *path: str, body: Any = None) -> Any:
        answer = self._ask(method, *path, body=body)
        if answer.status_code == requests.codes.not_found and method in ("GET", "DELETE"):
            return None
        if not answer.ok:
            raise Misconfigured(f"{method} {'/'.join(path)}: {answer.status_code} {answer.text}")
        return answer.json() if method == "GET" else None

    def _ask(self, method: str, *path: str, body: Any = None) -> requests.Response:
        url = "/".join((self._base, *(quote(part, safe="") for part in path)))
        try:
            return self._session.request(method, url, json=body, timeout=self._patience)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise Unavailable(f"broker management: {type(error).__name__}") from error

    def read(self, *path: str) -> Any:
        """What the management API says at a path; None where there is nothing.

        Raises:
            Unavailable: nobody answers there.
            Misconfigured: it refuses to say.
        """
        return self._call("GET", *path)

    def complaint_of(self, check: str) -> str | None:
        """What one of the broker's own health checks complains about; None where it passes."""
        answer = self._ask("GET", "health", "checks", check)
        if answer.status_code != requests.codes.service_unavailable:
            return None
        return str(answer.json().get("reason", answer.text))

    def broker_major(self) -> int:
        """The broker's major version."""
        return int(str(self._call("GET", "overview")["rabbitmq_version"]).partition(".")[0])

    def apply(self, vhost: str, topology: Topology, users: Mapping[str, str]) -> None:
        """Make the virtual host be as the topology says; `users` maps its names to broker users."""
        self._call("PUT", "vhosts", vhost)
        full = {"configure": ".*", "write": ".*", "read": ".*"}
        self._call("PUT", "permissions", vhost, self.administrator, body=full)
        for policy in topology.policies:
            body = {k: policy[k] for k in ("pattern", "apply-to", "priority", "definition")}
            self._call("PUT", "policies", vhost, policy["name"], body=body)
        self._call("POST", "definitions", vhost, body=_definitions(topology))
        for name, permission in topology.permissions.items():
            user = users[name]
            self._call("PUT", "permissions", vhost, user, body=permission)
            for topic in topology.topic_permissions.get(name, ()):
                self._call("PUT", "topic-permissions", vhost, user, body=topic)

    def put_user(self, user: str, password: str) -> None:
        """Create a user without any tag, or give it this password."""
        self._call("PUT", "users", user, body={"password": password, "tags": ""})

    def delete_vhost(self, vhost: str) -> None:
        """Remove a virtual host and all that is in it."""
        self._call("DELETE", "vhosts", vhost)

    def queues(self, vhost: str) -> list[dict[str, Any]]:
        """The queues of a virtual host as the management page knows them."""
        found: list[dict[str, Any]] = self._call("GET", "queues", vhost) or []
        return found

    def purge(self, vhost: str, queues: Sequence[str]) -> None:
        """Empty queues."""
        for queue in queues:
            self._call("DELETE", "queues", vhost, queue, "contents")


def _definitions(topology: Topology) -> dict[str, Any]:
    return {
        "exchanges": list(topology.exchanges),
        "queues": list(topology.queues),
        "bindings": list(topology.bindings),
    }


def credentials(secrets_dir: Path, user: str) -> str:
    """The password of a user of this district, made once and kept in a file of mode 0600."""
    path = secrets_dir / f"{user}.password"
    write_once(path, secrets.token_urlsafe(24).encode())
    return path.read_text().strip()


def write_environment(path: Path, values: Mapping[str, str]) -> None:
    """Write a process's private environment file, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{key}={value}\n" for key, value in values.items()))
