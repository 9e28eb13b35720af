from __future__ import annotations

import copy
from typing import Any

import pytest

from lianfang.operations.differences import Difference, Kind, Live, State, differences
from lianfang.topology import ServiceNeed, SubscriptionNeed, render

NEED = ServiceNeed(
    name="screening",
    publishes=("case.confirmed",),
    subscriptions=(
        SubscriptionNeed(service="screening", name="residents", event_types=("resident.moved",)),
    ),
)
TOPOLOGY = render([NEED], broker_major=4, callers={"x-operator": [r"screening\..*"]})
USERS = {"screening": "x-screening", "x-operator": "x-operator"}


def live() -> Live:
    """The topology as a broker tells it, with its own additions."""
    permissions = [
        {"user": USERS[name], "vhost": "d-x", **rights}
        for name, rights in TOPOLOGY.permissions.items()
    ]
    topics = [
        {"user": USERS[name], "vhost": "d-x", **topic}
        for name, given in TOPOLOGY.topic_permissions.items()
        for topic in given
    ]
    administrator = {"user": "root", "configure": ".*", "write": ".*", "read": ".*"}
    return copy.deepcopy(
        Live(
            queues=[*TOPOLOGY.queues, {"name": "rpc.reply-x-operator-1"}],
            exchanges=list(TOPOLOGY.exchanges),
            bindings=[
                *TOPOLOGY.bindings,
                {
                    "source": "nameko-rpc",
                    "destination": "rpc.reply-x-operator-1",
                    "routing_key": "1",
                },
            ],
            policies=[{"vhost": "d-x", **policy} for policy in TOPOLOGY.policies],
            permissions=[*permissions, administrator],
            topic_permissions=topics,
            users=[{"name": user, "tags": []} for user in USERS.values()],
            administrator="root",
        )
    )


def found(changed: Live) -> list[tuple[Kind, State, str, tuple[str, ...]]]:
    def told(each: Difference) -> tuple[Kind, State, str, tuple[str, ...]]:
        return each.kind, each.state, each.name, each.fields

    return [told(each) for each in differences(TOPOLOGY, USERS, changed)]


def test_what_was_applied_differs_in_nothing() -> None:
    assert found(live()) == []


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("queues", Kind.QUEUE),
        ("exchanges", Kind.EXCHANGE),
        ("bindings", Kind.BINDING),
        ("policies", Kind.POLICY),
        ("users", Kind.USER),
        ("permissions", Kind.PERMISSION),
        ("topic_permissions", Kind.TOPIC_PERMISSION),
    ],
)
def test_what_is_gone_is_missing(part: str, kind: Kind) -> None:
    changed = live()
    getattr(changed, part).pop(0)
    ((told, state, _, _),) = found(changed)
    assert (told, state) == (kind, State.MISSING)


@pytest.mark.parametrize(
    ("part", "more", "told"),
    [
        ("queues", {"name": "q.screening.old"}, (Kind.QUEUE, "q.screening.old")),
        (
            "bindings",
            {"source": "events", "destination": "q.screening.residents", "routing_key": "#"},
            (Kind.BINDING, "events → q.screening.residents → #"),
        ),
        ("policies", {"name": "ttl", "pattern": ".*"}, (Kind.POLICY, "ttl")),
        ("permissions", {"user": "stranger", "read": ".*"}, (Kind.PERMISSION, "stranger")),
    ],
)
def test_what_nobody_asked_for_is_surplus(
    part: str, more: dict[str, Any], told: tuple[Kind, str]
) -> None:
    changed = live()
    getattr(changed, part).append(more)
    assert found(changed) == [(told[0], State.SURPLUS, told[1], ())]


def test_what_is_otherwise_says_in_which_field() -> None:
    changed = live()
    changed.queues[0]["arguments"] = {"x-queue-type": "classic"}
    changed.policies[0]["definition"]["delivery-limit"] = 3
    changed.permissions[0]["configure"] = ".*"
    changed.users[0]["tags"] = ["administrator"]
    assert found(changed) == [
        (Kind.QUEUE, State.DIFFERENT, "q.screening.residents", ("arguments",)),
        (Kind.POLICY, State.DIFFERENT, "subscriptions", ("definition",)),
        (Kind.USER, State.DIFFERENT, "x-screening", ("tags",)),
        (Kind.PERMISSION, State.DIFFERENT, "x-screening", ("configure",)),
    ]
