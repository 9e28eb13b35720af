"""Make one MongoDB member a replica set and wait until it is primary. Safe to run again.

Also mends a set of one whose member has moved to another host or port. With ``--users`` it then
creates the administrator, whose password is ``MONGO_ADMIN_PASSWORD`` in the environment, and one
user per service, which sees its own database and the district's data keys and nothing else. Their
passwords are made once; each lies with its address in ``<service>.mongo.env``. The first time this
works only over the member's own loopback interface. Needs ``pymongo`` only, so the local stack and
the image run the same file.
"""

import argparse
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

UNAUTHORIZED, AUTHENTICATION_FAILED, NOT_YET_INITIALIZED = 13, 18, 94
ADMINISTRATOR = "admin"
PAUSE = 0.1

Client = MongoClient[dict[str, Any]]


def connect(host: str, seconds: float, password: str | None = None) -> Client:
    """A connection to this one member, as the administrator when a password is given."""
    login = {"username": ADMINISTRATOR, "password": password} if password else {}
    wait = int(seconds * 1000)
    return MongoClient(host, directConnection=True, serverSelectionTimeoutMS=wait, **login)


def configure(client: Client, name: str, host: str) -> None:
    """Initiate the set, or rename its only member to ``host``; a larger set is left as it is."""
    member = {"_id": 0, "host": host}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code not in {NOT_YET_INITIALIZED, UNAUTHORIZED}:
            raise
        client.admin.command("replSetInitiate", {"_id": name, "members": [member]})
        return
    if len(config["members"]) == 1 and config["members"][0]["host"] != host:
        config["members"][0]["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def wait_for_primary(client: Client, deadline: float) -> None:
    """Return once the member is writable; ``TimeoutError`` past the ``deadline``."""
    pause = threading.Event()
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise TimeoutError("no primary was elected in time")
        pause.wait(PAUSE)


def authenticates(client: Client) -> bool:
    """Whether the administrator exists; raises when the password is wrong for another reason."""
    try:
        client.admin.command("connectionStatus")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        return False
    return True


def save_user(client: Client, name: str, password: str, databases: list[str]) -> None:
    """Create the user, or give it this password and these databases."""
    roles = [{"role": "readWrite", "db": database} for database in databases]
    known = client.admin.command("usersInfo", name)["users"]
    client.admin.command("updateUser" if known else "createUser", name, pwd=password, roles=roles)


def kept_password(address_file: Path, user: str) -> str:
    """The password in the user's address, or a new one when there is no address yet."""
    if not address_file.exists():
        return secrets.token_urlsafe(24)
    return address_file.read_text().partition(f"//{user}:")[2].partition("@")[0]


def save_service(client: Client, service: str, options: argparse.Namespace) -> None:
    """Give a service its user, and write where it reaches its database."""
    address_file = options.secrets / f"{service}.mongo.env"
    password = kept_password(address_file, service)
    prefix = options.database_prefix
    save_user(client, service, password, [f"{prefix}_{service}", f"{prefix}_keys"])
    where = f"{options.host}/?replicaSet={options.replica_set}&authSource=admin"
    draft = address_file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(f"MONGO_URI=mongodb://{service}:{password}@{where}\n")
    draft.replace(address_file)


def initiate(options: argparse.Namespace) -> None:
    """Configure the member, wait for it, and make the users if asked."""
    deadline = time.monotonic() + options.timeout
    via = options.via or options.host
    password = os.environ["MONGO_ADMIN_PASSWORD"] if options.users else None
    with connect(via, options.timeout, password) as client:
        if password is None or authenticates(client):
            configure(client, options.replica_set, options.host)
            wait_for_primary(client, deadline)
        else:
            found_set(options, via, password, deadline)
        for service in options.users:
            save_service(client, service, options)


def found_set(options: argparse.Namespace, via: str, password: str, deadline: float) -> None:
    """Make a new member with authentication a set, and its administrator the first user."""
    with connect(via, options.timeout) as client:
        if not client.admin.command("hello").get("setName"):
            configure(client, options.replica_set, options.host)
        wait_for_primary(client, deadline)
        client.admin.command("createUser", ADMINISTRATOR, pwd=password, roles=["root"])


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", help="host:port, as clients will reach it")
    parser.add_argument("--via", metavar="HOST:PORT", help="as this program reaches it")
    parser.add_argument("--replica-set", default="lf", metavar="NAME")
    parser.add_argument(
        "--users", nargs="*", default=[], metavar="SERVICE", help="authentication is on: make them"
    )
    parser.add_argument("--database-prefix", default="lianfang", metavar="PREFIX")
    parser.add_argument("--secrets", type=Path, default=Path(), metavar="FOLDER")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    options = parser.parse_args()
    try:
        initiate(options)
    except (PyMongoError, TimeoutError, KeyError) as error:
        raise SystemExit(f"{options.host}: {error}") from error


if __name__ == "__main__":
    main()
