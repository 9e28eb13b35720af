"""A virtual host and databases in which one service at a time lives through a scene.

Nothing but taps is bound to `events` and `parking`: what a service says reaches nobody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import amqp
import orjson
from pymongo.read_concern import ReadConcern

from lianfang.runtime.broker import open_connection
from lianfang.runtime.discovery import service_class
from lianfang.runtime.door import Incoming
from lianfang.runtime.handlers import Handler, declared, need_of
from lianfang.runtime.subscription import incoming
from lianfang.topology import EVENTS, PARKING, RPC, retry_exchange, rpc_queue
from tests.faults.scenes import SUBSCRIPTION, Scene, State, restore, snapshot, state_of

_RETRIES = tuple(retry_exchange(step) for step in (1, 2, 3))
_KEPT = ("content_type", "message_id")


class Workbench:
    """See the module. `databases` by service; the virtual host has its queues."""

    def __init__(self, amqp_uri: str, databases: Mapping[str, Any]) -> None:
        self._databases = databases
        self._connection = open_connection(f"{amqp_uri}?heartbeat=0", "crash points")
        self._channel = self._connection.channel()
        self._channel.auto_decode = False
        self._user = amqp_uri.partition("//")[2].partition(":")[0]
        self._reply_key = str(uuid4())
        self.said, self.parked = self._tap(EVENTS, "#"), self._tap(PARKING, "#")
        self.replies = self._tap(RPC, self._reply_key)
        #: Every queue that a process of the service reads.
        self._queues = {
            name: [rpc_queue(name), *(h.queue for h in declared(service_class(name), Handler))]
            for name in databases
        }
        for name in databases:
            self._silence(name)

    def _tap(self, exchange: str, key: str) -> str:
        queue: str = self._channel.queue_declare("", exclusive=True, auto_delete=True).queue
        self._channel.queue_bind(queue, exchange, key)
        return queue

    def _silence(self, service: str) -> None:
        need = need_of(service_class(service))
        for sub in need.subscriptions:
            for event_type in sub.event_types:
                key = "#" if event_type == "#" else f"{event_type}.#"
                self._channel.queue_unbind(sub.queue, EVENTS, key)
        if need.reads_parking:
            self._channel.queue_unbind(PARKING, PARKING, "")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    # -- before ---------------------------------------------------------------------------------

    def prepare(self, scene: Scene) -> None:
        """The database as it was, and nothing in any queue."""
        restore(self._databases[scene.actor.service], scene.before)
        own = self._queues[scene.actor.service]
        for queue in {*own, *_direct(scene), *_RETRIES, self.said, self.parked, self.replies}:
            self._channel.queue_purge(queue)

    def cause(self, scene: Scene) -> None:
        """What makes the scene happen; a timer needs nothing but the time."""
        if scene.message is not None:
            self._put(scene.message, queue_of(scene))
        if scene.request is not None:
            self._ask(f"{scene.actor.service}.{scene.actor.name}", scene.request)

    def _put(self, raw: Incoming, queue: str) -> None:
        properties = {key: raw.properties[key] for key in _KEPT if key in raw.properties}
        headers = dict(raw.headers)
        message = amqp.Message(raw.body, delivery_mode=2, application_headers=headers, **properties)
        self._channel.basic_publish(message, "", queue)

    def _ask(self, method: str, document: Mapping[str, Any]) -> None:
        message = amqp.Message(
            orjson.dumps({"args": [], "kwargs": document}),
            content_type="application/json",
            correlation_id=str(uuid4()),
            reply_to=self._reply_key,
            user_id=self._user,
        )
        self._channel.basic_publish(message, RPC, method)

    # -- after ----------------------------------------------------------------------------------

    def listen(self, scene: Scene, heard: Counter[str]) -> None:
        """Count every event, and what was put straight into a queue, by its id."""
        for queue in (self.said, *_direct(scene)):
            heard.update(str(raw.properties.get("message_id")) for raw in self.fetch(queue))

    def fetch(self, queue: str) -> list[Incoming]:
        """All that is ready in a queue."""
        found = []
        while (message := self._channel.basic_get(queue, no_ack=True)) is not None:
            message.delivery_info.setdefault("delivery_tag", 0)
            found.append(incoming(message))
        return found

    def depth(self, queue: str) -> int:
        """How many messages are ready."""
        return int(self._channel.queue_declare(queue, passive=True).message_count)

    def consumers(self, scene: Scene) -> int:
        """How many processes read the scene's queue; what they held is ready once there is none."""
        return int(self._channel.queue_declare(queue_of(scene), passive=True).consumer_count)

    def is_quiet(self, scene: Scene) -> bool:
        """Nothing waits in the queue, on the ladder or in the outbox."""
        return (
            not any(self.depth(queue) for queue in (queue_of(scene), *_RETRIES))
            and self._database(scene)["outbox"].count_documents({"stuck": False}, limit=1) == 0
        )

    def state(self, scene: Scene) -> State:
        """What is in the database."""
        return state_of(snapshot(self._database(scene)))

    def end_open_transactions(self, scene: Scene, client_name: str) -> None:
        """What the database does by itself after ten seconds (decision 12)."""
        client = self._database(scene).client
        admin = client.get_database("admin", read_concern=ReadConcern("local"))
        pipeline = [
            {"$currentOp": {"allUsers": True, "idleSessions": True}},
            {"$match": {"appName": client_name, "transaction": {"$exists": True}}},
        ]
        sessions = [{"id": operation["lsid"]["id"]} for operation in admin.aggregate(pipeline)]
        if sessions:
            admin.command("killSessions", sessions, codec_options=client.codec_options)

    def _database(self, scene: Scene) -> Any:
        return self._databases[scene.actor.service]


def queue_of(scene: Scene) -> str:
    """Where the cause lies; a timer has none, and any queue tells that its process lives."""
    actor = scene.actor
    return actor.name if actor.kind == SUBSCRIPTION else rpc_queue(actor.service)


def _direct(scene: Scene) -> set[str]:
    """The queues into which the scene puts something past every exchange."""
    return {key for exchange, key, _ in scene.said if exchange == ""}
