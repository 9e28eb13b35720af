"""What the topology lets each user do, asked of the real broker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import amqp
import pytest

from lianfang.client import District
from lianfang.errors import Unavailable
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import need_of
from lianfang.runtime.publisher import ChannelRefused, Outgoing, Publisher
from lianfang.settings import Settings
from lianfang.topology import EVENTS, PARKING, RPC, render

PASSWORD = "made-up-for-this-test"
KEY = "9d3ec2c7-6a8e-4f2e-8a53-0a4f0e1c7d11"


class House:
    """A virtual host with the permissions of production, and a connection for each user."""

    def __init__(self, settings: Settings, administration: BrokerAdministration) -> None:
        self.vhost = f"{settings.database_prefix}_house"
        self._host = urlsplit(settings.amqp_uri).netloc.rpartition("@")[2]
        self.administration = administration
        self.users = {name: f"{self.vhost}-{name}" for name in (*SERVICES, "command")}
        topology = render(
            [need_of(service_class(name)) for name in SERVICES],
            broker_major=administration.broker_major(),
            callers={self.users["command"]: [r"screening\.get_case"]},
        )
        for user in self.users.values():
            administration.put_user(user, PASSWORD)
        known = {**self.users, self.users["command"]: self.users["command"]}
        administration.apply(self.vhost, topology, known)
        self.topology = replace(topology)

    def uri(self, name: str) -> str:
        return f"amqp://{self.users[name]}:{PASSWORD}@{self._host}/{self.vhost}"

    def publish(self, name: str, exchange: str, key: str) -> bool:
        """Whether this user may publish so."""
        publisher = Publisher(self.uri(name), "test")
        message = Outgoing(id="m", exchange=exchange, routing_key=key, body=b"{}")
        try:
            publisher.publish([message])
        except ChannelRefused as error:
            if "ACCESS_REFUSED" not in str(error):
                raise
            return False
        finally:
            publisher.close()
        return True

    def may(self, name: str, method: str, *args: Any, **kwargs: Any) -> bool:
        """Whether this user may call a channel method."""
        connection = open_connection(self.uri(name), "test")
        try:
            getattr(connection.channel(), method)(*args, **kwargs)
        except amqp.exceptions.AccessRefused:
            return False
        finally:
            close_quietly(connection)
        return True

    def close(self) -> None:
        self.administration.delete_vhost(self.vhost)
        for user in self.users.values():
            self.administration._call("DELETE", "users", user)


@pytest.fixture(scope="module")
def house(session_settings: Settings, administration: BrokerAdministration) -> Iterator[House]:
    made = House(session_settings, administration)
    yield made
    made.close()


def test_a_service_publishes_its_own_events_and_no_others(house: House) -> None:
    assert house.publish("screening", EVENTS, "case.confirmed.4403.nanshan")
    assert not house.publish("screening", EVENTS, "seal.imposed.4403.nanshan")
    assert not house.publish("isolation", EVENTS, "case.confirmed.4403.nanshan")
    assert not house.publish("screening", EVENTS, "caseXconfirmed.4403.nanshan")


def test_a_service_declares_deletes_and_binds_nothing(house: House) -> None:
    assert not house.may("screening", "queue_declare", "mine")
    assert not house.may("screening", "exchange_declare", "mine", "topic")
    assert not house.may("screening", "queue_delete", "rpc-screening")
    assert not house.may("screening", "queue_bind", "rpc-screening", EVENTS, "#")


def test_a_service_reads_its_own_queues_and_no_others(house: House) -> None:
    names = [queue["name"] for queue in house.topology.queues]
    own = [name for name in names if name.startswith(("q.screening.", "rpc-screening"))]
    assert len(own) >= 2
    for name in names:
        assert house.may("screening", "basic_get", name) == (name in own), name
    assert house.may("journal", "basic_get", PARKING)


def test_a_service_retries_into_its_own_queues_only(house: House) -> None:
    assert house.publish("screening", "retry.1", "q.screening.cases")
    assert not house.publish("screening", "retry.1", "q.isolation.cases")
    assert house.publish("screening", PARKING, "q.screening.cases")


def test_only_the_journal_sends_to_a_queue_by_its_name(house: House) -> None:
    assert house.publish("journal", "", "q.journal.log")
    assert not house.publish("screening", "", "q.isolation.cases")


def test_a_service_answers_callers_and_cannot_call_other_services(house: House) -> None:
    assert house.publish("screening", RPC, KEY)
    assert not house.publish("screening", RPC, "isolation.impose_seal")


def test_a_caller_calls_what_it_may_and_nothing_else(house: House) -> None:
    assert house.publish("command", RPC, "screening.get_case")
    assert not house.publish("command", RPC, "screening.confirm_case")
    assert not house.publish("command", EVENTS, "case.confirmed.4403.nanshan")


def test_a_caller_cannot_read_others_requests(house: House) -> None:
    """With `#` bound to the RPC exchange it would see everybody's documents."""
    queue = f"rpc.reply-{house.users['command']}-1"
    assert house.may("command", "queue_declare", queue)
    for key in ("#", "*.*", "screening.*", "screening.get_case"):
        assert not house.may("command", "queue_bind", queue, RPC, key)
    assert house.may("command", "queue_bind", queue, RPC, KEY)
    assert not house.may("command", "queue_declare", "rpc.reply-somebody-else-1")
    assert not house.may("command", "basic_get", "rpc-screening")


def test_the_callers_client_has_all_the_rights_it_needs(house: House) -> None:
    caller = District(house.uri("command"))
    with pytest.raises(Unavailable, match="deadline"):
        caller.query("screening.get_case", deadline=0.5, case_id="c")
    with contextlib.suppress(*BROKEN):
        caller.close()
