"""Make one MongoDB member a replica set and wait until it is primary. Safe to run again.

Also mends a set of one whose member has moved to another host or port. Needs ``pymongo`` only,
so the local stack and the image's one-shot ``init`` container run the same file.
"""

import argparse
import threading
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

NOT_YET_INITIALIZED = 94
PAUSE = 0.1


def configure(client: MongoClient[dict[str, Any]], name: str, host: str) -> None:
    """Initiate the set, or rename its only member to ``host``; a larger set is left as it is."""
    member = {"_id": 0, "host": host}
    try:
        config = client.admin.command("replSetGetConfig")["config"]
    except OperationFailure as error:
        if error.code != NOT_YET_INITIALIZED:
            raise
        client.admin.command("replSetInitiate", {"_id": name, "members": [member]})
        return
    if len(config["members"]) == 1 and config["members"][0]["host"] != host:
        config["members"][0]["host"] = host
        config["version"] += 1
        client.admin.command("replSetReconfig", config, force=True)


def wait_for_primary(client: MongoClient[dict[str, Any]], deadline: float) -> None:
    """Return once the member is writable; ``TimeoutError`` past the ``deadline``."""
    pause = threading.Event()
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            raise TimeoutError("no primary was elected in time")
        pause.wait(PAUSE)


def main() -> None:
    """Read the command line, configure the member, wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("host", help="host:port, as clients will reach it")
    parser.add_argument("--replica-set", default="lf")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    options = parser.parse_args()
    deadline = time.monotonic() + options.timeout
    client: MongoClient[dict[str, Any]] = MongoClient(
        f"mongodb://{options.host}/",
        directConnection=True,
        serverSelectionTimeoutMS=int(options.timeout * 1000),
    )
    try:
        configure(client, options.replica_set, options.host)
        wait_for_primary(client, deadline)
    except (PyMongoError, TimeoutError) as error:
        raise SystemExit(f"{options.host}: {error}") from error
    finally:
        client.close()


if __name__ == "__main__":
    main()
