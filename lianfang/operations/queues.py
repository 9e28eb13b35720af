"""Depth, flow and readers of every queue, and how long it takes until one is empty. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lianfang.operations.differences import REPLY_QUEUES
from lianfang.operations.report import Both
from lianfang.topology import PARKING, UNROUTED, Topology

_RETRY = "retry."
_READERS = ("q.", "rpc-")
#: Messages a second below which a queue neither grows nor shrinks.
_STANDSTILL = 0.05


class Trouble(StrEnum):
    """What about a queue wants a person."""

    MISSING = "missing"
    SURPLUS = "surplus"
    NO_CONSUMER = "no_consumer"
    MEMBER_DOWN = "member_down"
    PARKING = "parking"
    UNROUTED = "unrouted"
    RETRYING = "retrying"


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """One queue; rates are messages a second, None where the broker has not measured yet."""

    name: str
    ready: int = 0
    unacknowledged: int = 0
    consumers: int = 0
    rate_in: float | None = None
    rate_out: float | None = None
    #: How fast it grows; below zero it shrinks.
    growth: float | None = None
    troubles: tuple[Trouble, ...] = ()

    @property
    def depth(self) -> int:
        """Everything that is not acknowledged."""
        return self.ready + self.unacknowledged

    @property
    def is_growing(self) -> bool:
        """Whether more comes than goes."""
        return self.growth is not None and self.growth > _STANDSTILL

    @property
    def drain_seconds(self) -> float | None:
        """Seconds until it is empty at the present rate; None while it does not shrink."""
        if self.depth == 0:
            return 0.0
        if self.growth is None or self.growth > -_STANDSTILL:
            return None
        return self.depth / -self.growth


def compare(topology: Topology, live: Iterable[Mapping[str, Any]]) -> list[Queue]:
    """The topology's queues in its order, those that are missing too, then the surplus ones."""
    found = {queue["name"]: queue for queue in live if not queue["name"].startswith(REPLY_QUEUES)}
    expected = [queue["name"] for queue in topology.queues]
    surplus = sorted(found.keys() - set(expected))
    return [
        *(_measured(name, found.get(name)) for name in expected),
        *(_measured(name, found[name], Trouble.SURPLUS) for name in surplus),
    ]


def _measured(name: str, found: Mapping[str, Any] | None, *known: Trouble) -> Queue:
    if found is None:
        return Queue(name=name, troubles=(Trouble.MISSING,))
    stats = found.get("message_stats", {})
    ready, consumers = found.get("messages_ready", 0), found.get("consumers", 0)
    waiting = found.get("messages", ready)
    checks = {
        Trouble.NO_CONSUMER: consumers == 0 and name.startswith((*_READERS, PARKING)),
        Trouble.MEMBER_DOWN: len(found.get("online", ())) < len(found.get("members", ())),
        Trouble.PARKING: name == PARKING and waiting > 0,
        Trouble.UNROUTED: name == UNROUTED and waiting > 0,
        Trouble.RETRYING: name.startswith(_RETRY) and waiting > 0,
    }
    return Queue(
        name=name,
        ready=ready,
        unacknowledged=found.get("messages_unacknowledged", 0),
        consumers=consumers,
        rate_in=_rate(stats, "publish"),
        rate_out=_rate(stats, "ack"),
        growth=_growth(found, _rate(stats, "publish"), _rate(stats, "ack")),
        troubles=(*known, *(trouble for trouble, is_so in checks.items() if is_so)),
    )


def _growth(
    found: Mapping[str, Any], rate_in: float | None, rate_out: float | None
) -> float | None:
    """What comes less what goes; the depth's own change where nothing is acknowledged.

    Between two looks the depth of a busy queue rises and falls by what is in somebody's hands.
    """
    if rate_in is None or rate_out is None:
        return _rate(found, "messages")
    return rate_in - rate_out


def _rate(stats: Mapping[str, Any], what: str) -> float | None:
    details = stats.get(f"{what}_details")
    return None if details is None else float(details["rate"])


#: What each trouble is called, and what to do about it.
NAMES: Mapping[Trouble, Both] = {
    Trouble.MISSING: ("缺失", "missing"),
    Trouble.SURPLUS: ("多余", "surplus"),
    Trouble.NO_CONSUMER: ("无消费者", "no consumer"),
    Trouble.MEMBER_DOWN: ("副本离线", "replica offline"),
    Trouble.PARKING: ("滞留待收", "being parked"),
    Trouble.UNROUTED: ("无人订阅", "no subscriber"),
    Trouble.RETRYING: ("重试中", "trying again"),
}
ADVICE: Mapping[Trouble, Both] = {
    Trouble.MISSING: ("运行 lianfang topology apply", "run: lianfang topology apply"),
    Trouble.SURPLUS: (
        "没有服务订阅它，只会堆积：核对后删除",
        "no service subscribes, it only fills up: look, then delete it",
    ),
    Trouble.NO_CONSUMER: (
        "启动它的服务：docs/how-to/queue-without-consumer.md",
        "start its service: docs/how-to/queue-without-consumer.md",
    ),
    Trouble.MEMBER_DOWN: (
        "启动那个节点：docs/how-to/broker-down.md",
        "start that node: docs/how-to/broker-down.md",
    ),
    Trouble.PARKING: (
        "日志服务正在接收，随后 lianfang parked list",
        "journal is taking them over; then: lianfang parked list",
    ),
    Trouble.UNROUTED: (
        "事件已留存但无人收到：运行 lianfang topology apply",
        "kept, and nobody heard of them; run: lianfang topology apply",
    ),
    Trouble.RETRYING: (
        "5 秒、1 分、10 分后自行重试，之后滞留",
        "again after 5 s, 1 min and 10 min, then parked",
    ),
}
