"""Looks at the services: does each answer, do its queues have readers, what waits for a person."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from lianfang.client import District
from lianfang.errors import LianfangError
from lianfang.operations.queues import Queue, Trouble
from lianfang.operations.report import (
    NO_CONSUMER,
    PARKED_GROW,
    RUN,
    Area,
    Both,
    Line,
    Status,
)
from lianfang.topology import UNROUTED, rpc_queue

#: Seconds that a service has to answer.
_DEADLINE = 3.0
#: A queue that grows is worth a word from here on.
_MANY = 100


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the services through the broker.

    `queues` is what the management says of each queue; without it every service is asked.
    """

    amqp_uri: str
    queues: Mapping[str, Queue]
    has_primary: bool

    def at_all(self, services: Sequence[str]) -> Iterator[Line]:
        """Each service by its own word, all asked at once; then what waits for a person."""
        with ThreadPoolExecutor(len(services) + 1) as pool:
            asked = [pool.submit(self._at, name) for name in services]
            parked = pool.submit(self._at_parked)
            yield from (each.result() for each in asked)
            yield from look_at_queues(self.queues)
            yield parked.result()

    def _at(self, name: str) -> Line:
        requests = self.queues.get(rpc_queue(name))
        if requests is not None and requests.consumers == 0:
            return _dead(name, ("没有进程在听请求", "no process listens for requests"))
        begun = time.monotonic()
        try:
            with District(self.amqp_uri) as district:
                idle = district.query(f"{name}.get_idle", deadline=_DEADLINE)
        except LianfangError as error:
            if not self.has_primary:
                said = ("在等数据库", "waits for the database")
                return _line((name, name), Status.UNKNOWN, said)
            return _dead(name, (f"不应答：{error.message}", f"does not answer: {error.message}"))
        took = (time.monotonic() - begun) * 1000
        if deaf := self._without_reader(name):
            said = (f"应答，但无人消费 {deaf}", f"answers, but nobody consumes {deaf}")
            advice = ("查看其日志，再重启", "look at its log, then restart it")
            return _line((name, name), Status.BAD, said, advice, NO_CONSUMER)
        said = (
            f"{took:.0f} 毫秒应答；待收 {idle['queued']}，"
            f"处理中 {idle['unsettled']}，待发 {idle['outbox']}",
            f"answers in {took:.0f} ms; queued {idle['queued']}, "
            f"in hand {idle['unsettled']}, to publish {idle['outbox']}",
        )
        return _line((name, name), Status.OK, said)

    def _without_reader(self, name: str) -> str:
        deaf = (q for q in self.queues.values() if Trouble.NO_CONSUMER in q.troubles)
        return ", ".join(q.name for q in deaf if q.name.startswith(f"q.{name}."))

    def _at_parked(self) -> Line:
        """How many messages wait for a person's decision."""
        name = ("滞留消息", "parked")
        try:
            with District(self.amqp_uri) as district:
                counted = district.query("journal.count_parked", deadline=_DEADLINE)
        except LianfangError:
            said = ("未知：日志服务不应答", "unknown: journal does not answer")
            return _line(name, Status.UNKNOWN, said)
        count, causes = counted["count"], len(counted["causes"])
        if not count:
            return _line(name, Status.OK, ("无", "none"))
        said = (f"{count} 条，{causes} 种原因", f"{count} messages, causes: {causes}")
        advice = ("看 lianfang parked list", "see: lianfang parked list")
        return _line(name, Status.WARN, said, advice, PARKED_GROW)


def _dead(name: str, said: Both) -> Line:
    advice = (f"启动：lianfang run {name}", f"start it: lianfang run {name}")
    return _line((name, name), Status.BAD, said, advice, NO_CONSUMER)


def look_at_queues(queues: Mapping[str, Queue]) -> Iterator[Line]:
    """What piles up, what nobody subscribed to and what is being tried again."""
    growing = [q for q in queues.values() if q.is_growing and q.depth >= _MANY]
    if growing:
        listed = ", ".join(f"{q.name} {q.depth}" for q in growing)
        advice = (
            "看 lianfang queues --watch；不降就再起一个副本",
            "watch lianfang queues --watch; if it goes on, start another replica",
        )
        said = (f"正在增长：{listed}", f"growing: {listed}")
        yield _line(("队列", "queues"), Status.WARN, said, advice, NO_CONSUMER)
    unrouted = queues.get(UNROUTED)
    if unrouted is not None and unrouted.depth:
        said = (f"{unrouted.depth} 个事件无人订阅", f"{unrouted.depth} events had no subscriber")
        advice = ("运行 lianfang topology apply", "run: lianfang topology apply")
        yield _line((UNROUTED, UNROUTED), Status.WARN, said, advice, RUN)
    retrying = sum(q.depth for q in queues.values() if Trouble.RETRYING in q.troubles)
    if retrying:
        said = (f"{retrying} 条消息等待重试", f"{retrying} messages wait to be tried again")
        advice = (
            "自行重试；三级后仍失败则滞留",
            "by itself; what fails to the end of the ladder is parked",
        )
        yield _line(("重试", "retries"), Status.WARN, said, advice, PARKED_GROW)


def _line(
    name: Both, status: Status, said: Both, advice: Both | None = None, runbook: str | None = None
) -> Line:
    return Line(
        area=Area.SERVICES, name=name, status=status, said=said, advice=advice, runbook=runbook
    )
