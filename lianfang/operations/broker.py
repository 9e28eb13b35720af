"""Looks at the broker: does it answer, has it room, is the virtual host as it should be."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import amqp

from lianfang.errors import LianfangError
from lianfang.operations.differences import Difference, Live, State, differences
from lianfang.operations.report import BROKER_DOWN, RUN, Area, Both, Line, Status
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.broker import BROKEN, close_quietly, open_connection
from lianfang.topology import Topology

_OLDEST = (3, 10)
#: Used beyond this share of its limit, a resource is worth a word.
_FULL = 0.8
_ROOM_BYTES = 1 << 30
_SHOWN = 6
_APPLY: Both = ("运行 lianfang topology apply", "run: lianfang topology apply")
_START: Both = (
    "启动消息代理，服务会自行重连",
    "start the broker; services reconnect by themselves",
)


def look_at_management(administration: BrokerAdministration) -> Iterator[Line]:
    """Whether the broker answers for itself, and whether its nodes have what they need.

    Raises:
        LianfangError: it does not answer.
    """
    overview = administration.read("overview")
    nodes = administration.read("nodes")
    version = str(overview["rabbitmq_version"])
    old = tuple(int(part) for part in version.split(".")[:2]) < _OLDEST
    running = [node for node in nodes if node.get("running")]
    said = (
        f"RabbitMQ {version}，{len(running)} 个节点",
        f"RabbitMQ {version}, nodes: {len(running)}",
    )
    if old:
        advice = ("升级到 3.10 或更新版本", "upgrade to 3.10 or newer")
        yield _line(("管理接口", "management"), Status.BAD, said, advice, RUN)
    else:
        yield _line(("管理接口", "management"), Status.OK, said)
    yield from _alarms(administration)
    for node in nodes:
        yield from _look_at_node(node)


def _alarms(administration: BrokerAdministration) -> Iterator[Line]:
    name = ("告警", "alarms")
    complaint = administration.complaint_of("alarms")
    if complaint is None:
        yield _line(name, Status.OK, ("无", "none"))
        return
    said = (f"发布被阻塞：{complaint}", f"publishing is blocked: {complaint}")
    advice = ("腾出内存或磁盘，告警自行解除", "free memory or disk; the alarm ends by itself")
    yield _line(name, Status.BAD, said, advice, BROKER_DOWN)


def _look_at_node(node: Mapping[str, Any]) -> Iterator[Line]:
    name, host = ("节点", "node"), str(node["name"])
    if not node.get("running"):
        said = (f"{host} 未运行", f"{host} does not run")
        yield _line(name, Status.BAD, said, _START, BROKER_DOWN)
        return
    if node.get("partitions"):
        others = ", ".join(node["partitions"])
        said = (f"{host} 与 {others} 网络分裂", f"{host} is partitioned from {others}")
        advice = ("修复网络，重启少数派节点", "mend the network, restart the minority's nodes")
        yield _line(name, Status.BAD, said, advice, BROKER_DOWN)
        return
    memory = node["mem_used"] / max(1, node["mem_limit"])
    files = node["fd_used"] / max(1, node["fd_total"])
    room = node["disk_free"] - node["disk_free_limit"]
    said = (
        f"{host} 内存 {memory:.0%}，磁盘余 {_size(node['disk_free'])}，"
        f"句柄 {node['fd_used']}/{node['fd_total']}",
        f"{host}: memory {memory:.0%}, disk free {_size(node['disk_free'])}, "
        f"files {node['fd_used']}/{node['fd_total']}",
    )
    if memory > _FULL or files > _FULL or room < _ROOM_BYTES:
        advice = (
            "接近上限：满了就停止收信，先查 lianfang queues",
            "near its limit, where it stops taking messages: look at lianfang queues first",
        )
        yield _line(name, Status.WARN, said, advice, BROKER_DOWN)
    else:
        yield _line(name, Status.OK, said)


def look_at_amqp(amqp_uri: str) -> Line:
    """Whether an operator can log in to the district's virtual host."""
    name = ("登录", "login")
    begun = time.monotonic()
    try:
        close_quietly(open_connection(amqp_uri, "operations"))
    except amqp.exceptions.AccessRefused:
        said = ("用户或密码不被接受", "user or password is refused")
        return _line(name, Status.BAD, said, _APPLY, RUN)
    except amqp.exceptions.NotAllowed:
        said = ("没有这个虚拟主机，或无权进入", "no such virtual host, or no right to enter it")
        return _line(name, Status.BAD, said, _APPLY, RUN)
    except BROKEN as error:
        said = (f"连不上：{reason(error)}", f"cannot connect: {reason(error)}")
        return _line(name, Status.BAD, said, _START, BROKER_DOWN)
    took = (time.monotonic() - begun) * 1000
    return _line(name, Status.OK, (f"{took:.0f} 毫秒", f"{took:.0f} ms"))


def unreachable(error: LianfangError, *, is_up: bool) -> Line:
    """The line of a broker whose management does not answer; `is_up` when one can log in."""
    said = (f"不应答：{error.message}", f"does not answer: {error.message}")
    look = (
        "核对 AMQP_MANAGEMENT_URI 与 rabbitmq_management 插件",
        "look at AMQP_MANAGEMENT_URI and at the plugin rabbitmq_management",
    )
    advice = look if is_up else _START
    return _line(("管理接口", "management"), Status.BAD, said, advice, BROKER_DOWN)


def live(administration: BrokerAdministration, vhost: str, users: Iterable[str]) -> Live | None:
    """The virtual host as it is; None where there is none."""
    definitions = administration.read("definitions", vhost)
    if definitions is None:
        return None
    found = (administration.read("users", user) for user in users)
    return Live(
        queues=definitions["queues"],
        exchanges=definitions["exchanges"],
        bindings=definitions["bindings"],
        policies=definitions["policies"],
        permissions=administration.read("vhosts", vhost, "permissions"),
        topic_permissions=administration.read("vhosts", vhost, "topic-permissions"),
        users=[user for user in found if user is not None],
        administrator=administration.administrator,
    )


def look_at_topology(
    administration: BrokerAdministration, vhost: str, topology: Topology, users: Mapping[str, str]
) -> Iterator[Line]:
    """Whether queues, bindings, policies, users and rights are those of the topology."""
    present = live(administration, vhost, users.values())
    if present is None:
        said = (f"没有虚拟主机 {vhost}", f"there is no virtual host {vhost}")
        yield _topology_line(("虚拟主机", "virtual host"), Status.BAD, said, _APPLY)
        return
    found = differences(topology, users, present)
    yield from _told(found, State.MISSING, Status.BAD, _APPLY)
    yield from _told(found, State.DIFFERENT, Status.BAD, _APPLY)
    look = ("核对后删除：没有服务使用它", "look, then delete it: no service uses it")
    yield from _told(found, State.SURPLUS, Status.WARN, look)
    if not found:
        figures = (len(topology.queues), len(topology.bindings), len(topology.policies), len(users))
        zh = "{} 队列、{} 绑定、{} 策略、{} 用户，一致".format(*figures)
        en = "{} queues, {} bindings, {} policies, {} users, as they should be".format(*figures)
        said = (f"{vhost}：{zh}", f"{vhost}: {en}")
        yield _topology_line(("虚拟主机", "virtual host"), Status.OK, said)


_STATES: Mapping[State, Both] = {
    State.MISSING: ("缺失", "missing"),
    State.DIFFERENT: ("不同", "different"),
    State.SURPLUS: ("多余", "surplus"),
}


def _told(found: list[Difference], state: State, status: Status, advice: Both) -> Iterator[Line]:
    names = [_described(difference) for difference in found if difference.state is state]
    if not names:
        return
    listed = "; ".join(names[:_SHOWN])
    rest = len(names) - _SHOWN
    said = (
        f"{len(names)}：{listed}" + (f"；另有 {rest}" if rest > 0 else ""),
        f"{len(names)}: {listed}" + (f"; {rest} more" if rest > 0 else ""),
    )
    yield _topology_line(_STATES[state], status, said, advice)


def _described(difference: Difference) -> str:
    fields = f" ({', '.join(difference.fields)})" if difference.fields else ""
    return f"{difference.kind} {difference.name}{fields}"


def reason(error: BaseException) -> str:
    """What the system or the broker said, short."""
    text = getattr(error, "strerror", None) or getattr(error, "reply_text", None) or str(error)
    return str(text or type(error).__name__)[:120]


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"


def _line(
    name: Both, status: Status, said: Both, advice: Both | None = None, runbook: str | None = None
) -> Line:
    return Line(
        area=Area.BROKER, name=name, status=status, said=said, advice=advice, runbook=runbook
    )


def _topology_line(name: Both, status: Status, said: Both, advice: Both | None = None) -> Line:
    runbook = None if status is Status.OK else RUN
    return Line(
        area=Area.TOPOLOGY, name=name, status=status, said=said, advice=advice, runbook=runbook
    )
