from __future__ import annotations

from typing import Any

import pytest

from lianfang.cli.queues import drain, has_trouble
from lianfang.cli.speech import Speech
from lianfang.operations.queues import ADVICE, NAMES, Queue, Trouble, compare
from lianfang.topology import ServiceNeed, SubscriptionNeed, render

NEED = ServiceNeed(
    name="screening",
    publishes=("case.confirmed",),
    subscriptions=(
        SubscriptionNeed(service="screening", name="residents", event_types=("resident.moved",)),
    ),
)
TOPOLOGY = render([NEED], broker_major=3)
NAMED = [queue["name"] for queue in TOPOLOGY.queues]


def live(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """The topology's queues as the management tells them, all idle and read; `q_` is `q.`."""
    idle = {"messages": 0, "messages_ready": 0, "messages_unacknowledged": 0, "consumers": 1}
    changes = {name.replace("_", "."): facts for name, facts in changed.items()}
    return [{"name": name, **idle, **changes.get(name, {})} for name in NAMED]


def troubles(found: list[Queue]) -> dict[str, tuple[Trouble, ...]]:
    return {queue.name: queue.troubles for queue in found if queue.troubles}


@pytest.mark.parametrize(
    ("depth", "growth", "seconds", "zh", "en"),
    [
        (0, 5.0, 0.0, "", ""),
        (90, -3.0, 30.0, "30 s", "30 s"),
        (900, -3.0, 300.0, "5.0 min", "5.0 min"),
        (36_000, -4.0, 9000.0, "2.5 h", "2.5 h"),
        (864_000, -4.0, 216_000.0, "2.5 d", "2.5 d"),
        (90, 3.0, None, "增长中", "growing"),
        (90, 0.0, None, "不动", "standing"),
        (90, None, None, "不动", "standing"),
    ],
)
def test_a_queue_drains_at_its_net_rate_or_grows_or_stands(
    depth: int, growth: float | None, seconds: float | None, zh: str, en: str
) -> None:
    queue = Queue(name="q.x.y", ready=depth, growth=growth)
    assert queue.drain_seconds == seconds
    assert drain(Speech("zh"), queue) == zh
    assert drain(Speech("en"), queue) == en


def test_the_queues_of_the_topology_are_as_they_should_be() -> None:
    found = compare(TOPOLOGY, live())
    assert [queue.name for queue in found] == NAMED
    assert not troubles(found)


def test_missing_and_surplus_queues_are_told_from_each_other_and_replies_from_both() -> None:
    there = [queue for queue in live() if queue["name"] != "retry.2"]
    there += [{"name": "q.screening.old"}, {"name": "rpc.reply-nanshan-operator-1"}]
    found = troubles(compare(TOPOLOGY, there))
    assert found["retry.2"] == (Trouble.MISSING,)
    assert found["q.screening.old"][0] == Trouble.SURPLUS
    assert len(found) == 2


def test_each_trouble_of_a_queue_is_named() -> None:
    found = compare(
        TOPOLOGY,
        live(
            q_screening_residents={"consumers": 0},
            parking={"messages": 3},
            unrouted={"messages": 1, "consumers": 0},
            retry_1={"messages": 2, "consumers": 0, "online": ["a"], "members": ["a", "b"]},
        ),
    )
    assert troubles(found) == {
        "q.screening.residents": (Trouble.NO_CONSUMER,),
        "parking": (Trouble.PARKING,),
        "unrouted": (Trouble.UNROUTED,),
        "retry.1": (Trouble.MEMBER_DOWN, Trouble.RETRYING),
    }
    assert has_trouble(found)


def test_a_message_that_is_tried_again_is_nobodys_trouble_yet() -> None:
    assert not has_trouble(compare(TOPOLOGY, live(retry_1={"messages": 2})))


def test_rates_are_those_of_the_broker_and_unknown_before_it_measured() -> None:
    stats = {"publish_details": {"rate": 10.0}, "ack_details": {"rate": 30.0}}
    measured = {"messages": 100, "messages_ready": 60, "messages_unacknowledged": 40}
    measured |= {"message_stats": stats, "messages_details": {"rate": 70.0}}
    queue, *others = compare(TOPOLOGY, live(q_screening_residents=measured))
    assert (queue.depth, queue.rate_in, queue.rate_out) == (100, 10.0, 30.0)
    assert queue.drain_seconds == 5.0
    assert {each.rate_in for each in others} == {None}


def test_where_nothing_is_acknowledged_the_depth_itself_tells_the_rate() -> None:
    expiring = {"messages": 100, "messages_ready": 100, "messages_details": {"rate": -10.0}}
    found = {queue.name: queue for queue in compare(TOPOLOGY, live(retry_1=expiring))}
    assert found["retry.1"].drain_seconds == 10.0


def test_every_trouble_has_a_name_and_a_next_step_in_both_languages() -> None:
    for words in (NAMES, ADVICE):
        assert set(words) == set(Trouble)
        assert all(zh and en and zh != en for zh, en in words.values())
