"""Looks at the replica set and at each service's database: primary, promises, indexes, outbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pymongo import MongoClient, ReadPreference
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from lianfang.operations.report import BROKER_DOWN, DATABASE_DOWN, RUN, Area, Both, Line, Status
from lianfang.runtime.documents import Collection
from lianfang.runtime.engine import PATIENCE
from lianfang.runtime.work import OUTBOX

#: Seconds a member may be behind, and a row may wait in an outbox, before it is worth a word.
_LAG, _OLD = 10.0, 30.0
_OUTBOX: Both = ("发件箱", "outbox")
_ALIVE = ("PRIMARY", "SECONDARY", "ARBITER")
_SHOWN = 4
_MIGRATE: Both = ("运行 lianfang migrate", "run: lianfang migrate")


def look_at_replica_set(client: MongoClient[Any]) -> Iterator[Line]:
    """Whether there is a primary, who else is there, and what a write promises.

    Without a primary this is the one line that says so, with what each address answered.
    """
    try:
        client.admin.command("hello")
    except PyMongoError as error:
        yield _without_primary(client, error)
        return
    yield from _members(client)
    yield from _promises(client)


def _without_primary(client: MongoClient[Any], error: PyMongoError) -> Line:
    name = ("主节点", "primary")
    if not isinstance(error, ServerSelectionTimeoutError):
        text = f"{type(error).__name__}"
        said = (f"不应答：{text}", f"does not answer: {text}")
    else:
        servers = client.topology_description.server_descriptions()
        seen = ", ".join(f"{h}:{p} {s.server_type_name}" for (h, p), s in sorted(servers.items()))
        said = (f"没有主节点（{seen}）", f"there is none ({seen})")
    advice = (
        "启动多数成员；申报已排队的不会丢",
        "start a majority of the members; what waits in queues is not lost",
    )
    return _line(name, Status.BAD, said, advice, DATABASE_DOWN)


def _members(client: MongoClient[Any]) -> Iterator[Line]:
    name = ("副本集", "replica set")
    try:
        state = client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        yield _line(name, Status.UNKNOWN, _refused(error))
        return
    members = state["members"]
    away = [m for m in members if m["stateStr"] not in _ALIVE or not m.get("health")]
    lag = _lag_of(state)
    listed = ", ".join(f"{m['name']} {m['stateStr']}" for m in members)
    said = (f"{listed}；多数派落后 {lag:.0f} 秒", f"{listed}; the majority is {lag:.0f} s behind")
    if away:
        advice = ("启动缺席的成员", "start the member that is away")
        yield _line(name, Status.WARN, said, advice, DATABASE_DOWN)
    elif lag > _LAG:
        advice = ("查看落后成员的磁盘与网络", "look at disk and network of the member behind")
        yield _line(name, Status.WARN, said, advice, DATABASE_DOWN)
    else:
        yield _line(name, Status.OK, said)


def _lag_of(state: Mapping[str, Any]) -> float:
    """How many seconds what the majority has is behind what the primary has."""
    times = state["optimes"]
    applied, committed = times["lastAppliedWallTime"], times["lastCommittedWallTime"]
    lag: float = (applied - committed).total_seconds()
    return max(0.0, lag)


def _promises(client: MongoClient[Any]) -> Iterator[Line]:
    name = ("写关注与事务", "write concern, transactions")
    try:
        concern = client.admin.command("getDefaultRWConcern").get("defaultWriteConcern", {})
        asked = {"getParameter": 1, "transactionLifetimeLimitSeconds": 1}
        seconds = client.admin.command(asked)["transactionLifetimeLimitSeconds"]
    except OperationFailure as error:
        yield _line(name, Status.UNKNOWN, _refused(error))
        return
    weight = concern.get("w", "majority")
    said = (f"w={weight}，事务最长 {seconds} 秒", f"w={weight}, transactions end after {seconds} s")
    if seconds > PATIENCE:
        advice = (
            f"transactionLifetimeLimitSeconds 设为 10：被杀进程的事务会挡住别人 {seconds} 秒",
            f"set transactionLifetimeLimitSeconds to 10: a killed process holds others {seconds} s",
        )
        yield _line(name, Status.WARN, said, advice, RUN)
    elif weight != "majority":
        advice = ("默认写关注设为 majority", "set the default write concern to majority")
        yield _line(name, Status.WARN, said, advice, RUN)
    else:
        yield _line(name, Status.OK, said)


def look_at_databases(
    client: MongoClient[Any], declared: Mapping[str, Sequence[Collection[Any]]]
) -> Iterator[Line]:
    """Whether each database (by name) has the collections and indexes that are declared."""
    missing: list[str] = []
    total = 0
    for database, collections in declared.items():
        for collection in collections:
            total += len(collection.indexes)
            missing += _missing_of(client[database][collection.name], collection)
    name = ("索引", "indexes")
    if not missing:
        yield _line(name, Status.OK, (f"{total} 个，齐全", f"all {total} are there"))
        return
    listed = "; ".join(missing[:_SHOWN])
    rest = len(missing) - _SHOWN
    said = (
        f"缺 {len(missing)}：{listed}" + (f"；另有 {rest}" if rest > 0 else ""),
        f"{len(missing)} missing: {listed}" + (f"; {rest} more" if rest > 0 else ""),
    )
    yield _line(name, Status.BAD, said, _MIGRATE, RUN)


def _missing_of(live: Any, collection: Collection[Any]) -> list[str]:
    found = {name: _shape(index) for name, index in live.index_information().items()}
    wanted = [index.model().document for index in collection.indexes]
    return [
        f"{live.database.name}.{live.name}.{index['name']}"
        for index in wanted
        if found.get(index["name"]) != _shape(index)
    ]


def _shape(index: Mapping[str, Any]) -> tuple[Any, ...]:
    key = index["key"]
    fields = key.items() if isinstance(key, Mapping) else key
    options = (index.get(n) for n in ("partialFilterExpression", "expireAfterSeconds"))
    return (tuple((f, int(d)) for f, d in fields), bool(index.get("unique")), *options)


def look_at_outboxes(client: MongoClient[Any], databases: Mapping[str, str]) -> Iterator[Line]:
    """What each service has committed and could not publish; `databases` maps service to name.

    Read from whichever member answers, so this says what waits even without a primary.
    """
    try:
        found = _rows_of(client, databases)
    except PyMongoError as error:
        said = (f"查不了：{type(error).__name__}", f"cannot be read: {type(error).__name__}")
        yield _line(_OUTBOX, Status.UNKNOWN, said)
        return
    stuck = ", ".join(f"{service} {rows.stuck}" for service, rows in found.items() if rows.stuck)
    late = ", ".join(f"{service} {rows.late}" for service, rows in found.items() if rows.late)
    if stuck:
        said = (f"被代理拒收：{stuck}", f"refused by the broker: {stuck}")
        advice = (
            "find_stuck 说原因，修好后 release_outbox",
            "find_stuck says why; when that is mended: release_outbox",
        )
        yield _line(_OUTBOX, Status.BAD, said, advice, BROKER_DOWN)
    if late:
        said = (f"超过 {_OLD:.0f} 秒未发出：{late}", f"waiting over {_OLD:.0f} s: {late}")
        advice = (
            "代理恢复且服务运行后自行发出",
            "leaves by itself when the broker is back and the service runs",
        )
        yield _line(_OUTBOX, Status.WARN, said, advice, BROKER_DOWN)
    if not stuck and not late:
        waiting = sum(rows.waiting for rows in found.values())
        yield _line(_OUTBOX, Status.OK, (f"{waiting} 条在途", f"{waiting} on their way"))


class _Rows(NamedTuple):
    waiting: int
    late: int
    stuck: int


def _rows_of(client: MongoClient[Any], databases: Mapping[str, str]) -> dict[str, _Rows]:
    """What each outbox holds: all, what is late by the database's clock, what is stuck."""
    late = {"stuck": False, "$expr": {"$lt": ["$at", {"$subtract": ["$$NOW", _OLD * 1000]}]}}
    any_member = ReadPreference.SECONDARY_PREFERRED
    found = {}
    for service, name in databases.items():
        rows = client.get_database(name, read_preference=any_member)[OUTBOX]
        asked: tuple[dict[str, Any], ...] = ({}, late, {"stuck": True})
        found[service] = _Rows(*(rows.count_documents(where) for where in asked))
    return found


def _refused(error: OperationFailure) -> Both:
    text = str((error.details or {}).get("codeName") or error.code)
    return f"无权查看：{text}", f"no right to look: {text}"


def _line(
    name: Both, status: Status, said: Both, advice: Both | None = None, runbook: str | None = None
) -> Line:
    return Line(
        area=Area.DATABASES, name=name, status=status, said=said, advice=advice, runbook=runbook
    )
