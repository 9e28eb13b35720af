from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from lianfang.events import BY_TYPE, producer_of
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import need_of
from lianfang.topology import PARKING, ServiceNeed, SubscriptionNeed, render

GOLDEN = Path(__file__).parent / "topology.json"
#: Two services of a small house; what is derived from them is wire and never changes unseen.
SAMPLE = (
    ServiceNeed(
        name="screening",
        publishes=("case.confirmed", "case.closed"),
        subscriptions=(
            SubscriptionNeed(
                service="screening",
                name="declarations",
                event_types=("declaration.submitted", "resident.left"),
            ),
        ),
    ),
    ServiceNeed(
        name="journal",
        publishes=("message.replayed",),
        subscriptions=(SubscriptionNeed(service="journal", name="log", event_types=("#",)),),
        reads_parking=True,
    ),
)
NEEDS = [need_of(service_class(name)) for name in SERVICES]


def rendered() -> str:
    """The sample's topology on the brokers that are out there."""
    callers = {"city": [r"screening\.get_.*", r"journal\..*"]}
    brokers = {
        f"broker {major}": dataclasses.asdict(render(SAMPLE, broker_major=major, callers=callers))
        for major in (3, 4)
    }
    return json.dumps(brokers, indent=1, ensure_ascii=False) + "\n"


def test_what_is_derived_for_the_broker_is_what_was_derived_before() -> None:
    assert rendered() == GOLDEN.read_text("utf-8")


def test_no_queue_has_two_policies() -> None:
    """Only one applies to a queue, so two that match would silently lose one."""
    for major in (3, 4):
        topology = render(NEEDS, broker_major=major)
        for queue in topology.queues:
            matching = [p for p in topology.policies if re.search(p["pattern"], queue["name"])]
            assert len(matching) <= 1, queue["name"]


def test_every_subscription_dies_into_parking_and_has_no_length_limit() -> None:
    topology = render(NEEDS, broker_major=4)
    for policy in topology.policies:
        assert not {"max-length", "max-length-bytes"} & policy["definition"].keys()
    (subscriptions,) = [p for p in topology.policies if p["name"] == "subscriptions"]
    assert subscriptions["definition"]["dead-letter-exchange"] == PARKING
    assert subscriptions["definition"]["dead-letter-strategy"] == "at-least-once"
    assert subscriptions["definition"]["delivery-limit"] == 50


def test_every_queue_is_a_quorum_queue_with_a_name_of_its_own() -> None:
    topology = render(NEEDS, broker_major=4)
    assert {q["arguments"]["x-queue-type"] for q in topology.queues} == {"quorum"}
    assert max(Counter(q["name"] for q in topology.queues).values()) == 1


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.name)
def test_a_service_hears_only_what_somebody_says(need: ServiceNeed) -> None:
    for subscription in need.subscriptions:
        unknown = set(subscription.event_types) - set(BY_TYPE) - {"#"}
        assert not unknown, subscription.name


def test_every_event_is_said_by_one_service_that_exists() -> None:
    assert {producer_of(event) for event in BY_TYPE.values()} <= set(SERVICES)


def test_nobody_may_configure_and_no_service_may_use_all_keys() -> None:
    topology = render(NEEDS, broker_major=4)
    for name in SERVICES:
        assert topology.permissions[name]["configure"] == "^$"
        assert re.fullmatch(topology.permissions[name]["read"], f"rpc-{name}")
        assert not re.fullmatch(topology.permissions[name]["read"], "events")


if __name__ == "__main__":  # a change that is meant: python -m tests.contract.test_topology
    GOLDEN.write_text(rendered(), "utf-8")
