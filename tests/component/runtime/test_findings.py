"""The ten findings about the libraries under us that changed the design, each with our cure.

What the libraries do by themselves is in test_plain. Each of these was seen failing without its
cure; how is said in the commit that brought it here.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.handlers import need_of
from lianfang.runtime.publisher import Outgoing, Publisher
from lianfang.topology import DELIVERY_LIMIT, EVENTS, PARKING, RETRY_DELAYS_MS, render
from services.journal.domain.parked import DELIVERY_LIMIT as DIED_OF_IT
from services.journal.domain.parked import arrival_of
from tests.component.runtime.probe import Probe
from tests.component.runtime.rig import ONE, ROOT, Process, Rig, body_of, discarded, until

UNDECODABLE = {
    b"no json": "undecodable",
    b"\xff\xfe": "undecodable",
    b"[1, 2]": "undecodable",
    b'{"specversion": "1.0"}': "invalid_payload",
    b"[" * 5000: "undecodable",
    b"x" * (257 * 1024): "too_large",
}
LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-runtime.lock"]


@pytest.fixture
def running(rig: Rig) -> Iterator[Rig]:
    """The rig with a process on it that has to survive the test."""
    process = rig.start()
    yield rig
    assert process.alive
    rig.say("afterwards")
    until(lambda: rig.seen("afterwards"))
    assert process.stop() == 0


def locked(package: str) -> set[tuple[int, ...]]:
    """The versions that the locks pin and this machine has."""
    pinned = [
        re.search(rf"^{package}==([\d.]+)", lock.read_text("utf-8"), re.MULTILINE) for lock in LOCKS
    ]
    assert all(pinned), f"{package} is in no lock"
    found = [pin[1] for pin in pinned if pin] + [importlib.metadata.version(package)]
    return {tuple(int(part) for part in version.split(".")) for version in found}


def under_eventlet(rig: Rig, what: str) -> dict[str, Any]:
    """What `run_green` told of itself, in a process patched as a service is."""
    command = [sys.executable, "-m", "tests.component.runtime.run_green", what]
    process = Process(command, rig.environment())
    assert process.wait(60) == 0, "".join(process.lines)
    told: dict[str, Any] = json.loads(process.lines[-1])
    return told


# -- 1: nameko closes its connection before the work in hand is acknowledged -------------------


def test_finding_1_a_graceful_stop_redelivers_nothing(rig: Rig) -> None:
    process = rig.start()
    for key in ("a", "b"):
        rig.say(key, "slow")
    process.line("probe_at_work", key="a")
    assert process.stop() == 0
    assert rig.depth(ONE) == 0
    assert [rig.seen(key).times for key in ("a", "b")] == [1, 1]
    assert not any(rig.seen(key).redelivered for key in ("a", "b"))


# -- 2: kombu acknowledges what it cannot decode, and it is gone -------------------------------


def test_finding_2_an_undecodable_message_is_parked(running: Rig) -> None:
    for body, reason in UNDECODABLE.items():
        running.put(body)
        parked = running.parked()
        assert (parked.headers["x-reason"], parked.body) == (reason, body)


def test_finding_2_pickle_is_parked_unopened(running: Rig) -> None:
    running.put(b"cos\nsystem\n(S'true'\ntR.", content_type="application/x-python-serialize")
    assert running.parked().headers["x-reason"] == "invalid_payload"


# -- 3: a message header ends a nameko process, and the next, and the next ---------------------


def test_finding_3_a_call_stack_header_of_the_wrong_type_means_nothing_to_us(running: Rig) -> None:
    running.say("a", application_headers={"nameko.call_id_stack": 7})
    until(lambda: running.seen("a"))


# -- 4: kombu expands a compressed body before anybody looks -----------------------------------


def test_finding_4_a_compressed_body_is_refused_unopened(running: Rig) -> None:
    (process,) = running.processes
    before = peak_memory(process)
    bomb = zlib.compress(b"\0" * 200_000_000, 9)
    headers = {"compression": "application/x-gzip"}
    running.put(bomb, application_headers=headers)
    parked = running.parked()
    assert parked.headers["x-reason"] == "invalid_payload"
    assert parked.body == bomb
    assert peak_memory(process) - before < 50_000_000


def peak_memory(process: Process) -> int:
    status = Path(f"/proc/{process.popen.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


# -- 5: py-amqp confirms a message with the confirm of the one before --------------------------


def test_finding_5_a_returned_message_is_never_confirmed_and_spoils_no_other(rig: Rig) -> None:
    def message(name: str, exchange: str, key: str) -> Outgoing:
        return Outgoing(id=name, exchange=exchange, routing_key=key, body=b"{}")

    nobody = [message(f"lost{n}", "", "nobody") for n in range(2)]
    key = "message.discarded.4403.nanshan"
    mixed = [message("a", EVENTS, key), *nobody, message("b", EVENTS, key)]
    returned: set[str] = set()
    with closing(Publisher(rig.settings.amqp_uri, "test")) as publisher:
        assert publisher.publish(nobody[:1], returned) == set()
        assert publisher.publish(nobody[1:], returned) == set()
        assert returned == {"lost0", "lost1"}
        assert publisher.publish(mixed) == {"a", "b"}
    assert len(rig.take(ONE)) == 2


# -- 6: amqp before 5.4.2 mixes the frames of greenthreads that share a connection -------------


def test_finding_6_greenthreads_that_share_a_connection_mix_no_frames(rig: Rig) -> None:
    assert under_eventlet(rig, "writers") == {"written": 160}


def test_finding_6_no_amqp_is_installed_that_mixes_frames() -> None:
    assert min(locked("amqp")) >= (5, 4, 2)


# -- 7: pymongo 4.16 says that it supports eventlet no more ------------------------------------


def test_finding_7_who_waits_for_the_database_holds_up_nobody(rig: Rig) -> None:
    told = under_eventlet(rig, "driver")
    assert told["ticks"] > 10
    assert told["seconds"] < 3, "four who wait a second each wait together"


def test_finding_7_the_driver_is_of_the_last_line_that_names_eventlet() -> None:
    assert {version[:2] for version in locked("pymongo")} == {(4, 15)}


# -- 8: RabbitMQ from 4.0 on drops after twenty deliveries what nothing says to keep -----------


@pytest.mark.parametrize("major", [3, 4])
def test_finding_8_no_queue_that_is_read_is_left_to_the_brokers_own_limit(major: int) -> None:
    topology = render([need_of(Probe)], broker_major=major)
    limits: dict[str, list[Any]] = {
        queue["name"]: [
            policy["definition"].get("delivery-limit")
            for policy in topology.policies
            if re.search(policy["pattern"], queue["name"])
        ]
        for queue in topology.queues
        if not queue["name"].startswith("retry.")  # which nobody reads
    }
    mine = {name for name in limits if name.startswith("q.")}
    assert mine
    assert all(limits[name] == [DELIVERY_LIMIT] for name in mine)
    assert all(limits[name] == ([-1] if major == 4 else []) for name in set(limits) - mine)


def test_finding_8_what_was_delivered_too_often_is_parked_with_its_origin(rig: Rig) -> None:
    said = rig.say("victim")
    for _ in range(DELIVERY_LIMIT + 1):
        message = until(lambda: rig.channel.basic_get(ONE))
        rig.channel.basic_reject(message.delivery_tag, requeue=True)
    parked = rig.parked()
    arrival = arrival_of(parked.headers, "bytes")
    assert (arrival.origin, arrival.reason) == (ONE, DIED_OF_IT)
    assert parked.body == body_of(discarded("victim"))
    assert said in parked.body.decode()
    assert (rig.depth(ONE), rig.take(PARKING)) == (0, [])


# -- 9: the delayed-message plugin has no place in a broker with Khepri ------------------------


def test_finding_9_retries_wait_without_the_delayed_message_plugin(
    rig: Rig, administration: BrokerAdministration
) -> None:
    kinds = {kind["name"] for kind in administration.read("overview")["exchange_types"]}
    assert "topic" in kinds
    assert "x-delayed-message" not in kinds
    (message,) = rig.handle("one", discarded("a", "early"))
    assert message.outcome == "retried"
    (back,) = until(lambda: rig.take(ONE))
    assert back.headers["x-attempt"] == 1


def test_finding_9_the_ladder_is_made_of_what_every_broker_has() -> None:
    topology = render([need_of(Probe)], broker_major=4)
    assert {exchange["type"] for exchange in topology.exchanges} <= {"topic", "fanout"}
    ladder = [p["definition"] for p in topology.policies if "message-ttl" in p["definition"]]
    assert [step["message-ttl"] for step in ladder] == list(RETRY_DELAYS_MS)
    plugins = (ROOT / "deploy" / "rabbitmq" / "enabled_plugins").read_text("utf-8")
    assert "delayed" not in plugins


# -- 10: nameko's command line needs pkg_resources ---------------------------------------------


def test_finding_10_our_runner_needs_no_pkg_resources(rig: Rig) -> None:
    process = rig.start("forbid_pkg_resources")
    assert process.stop() == 0
