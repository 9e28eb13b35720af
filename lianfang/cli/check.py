"""`lianfang check`: what is wrong with the district, in one screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from lianfang.cli.speech import AsJson, Lang, Speech, answering, print_json
from lianfang.errors import LianfangError
from lianfang.operations.queues import Queue
from lianfang.operations.report import Area, Both, Line, Status, worst
from lianfang.settings import Settings

#: Seconds that the broker's management and the database have before they count as away.
_PATIENCE = 3.0
_MARK_WIDTH = 3
_MARKS = {
    Status.OK: ("✓", "green"),
    Status.WARN: ("!", "bold yellow"),
    Status.BAD: ("✗", "bold red"),
    Status.UNKNOWN: ("?", "dim"),
}
_AREAS: dict[Area, Both] = {
    Area.BROKER: ("消息代理", "Broker"),
    Area.TOPOLOGY: ("拓扑", "Topology"),
    Area.DATABASES: ("数据库", "Databases"),
    Area.SERVICES: ("服务", "Services"),
}


def check(lang: Lang = "zh", as_json: AsJson = False) -> None:
    """一屏看清哪里坏了 · What is wrong with broker, topology, databases and services.

    Each line is ✓ fine, ! soon, ✗ wrong or ? unknown because of something else, with the next step
    and its page of docs/how-to/. Ends with 1 when something is ✗, or when nothing could be looked
    at. Uses AMQP_MANAGEMENT_URI, MONGO_URI and the operator's AMQP_URI, those that are set.
    """
    with answering():
        settings = Settings.read(needs_database=False)
        lines = list(look(settings))
    if as_json:
        print_json({"status": worst(lines), "lines": [asdict(line) for line in lines]})
    else:
        _show(Speech(lang), settings.district, lines)
    blind = all(line.status is Status.UNKNOWN for line in lines)
    raise typer.Exit(1 if blind or worst(lines) is Status.BAD else 0)


@dataclass
class _Known:
    """What is known so far, so that one fault is told once."""

    #: The operator's address of a broker that lets the operator in.
    amqp_uri: str | None = None
    #: What the management says of each queue; empty where it says nothing.
    queues: dict[str, Queue] = field(default_factory=dict)
    has_primary: bool = True


def look(settings: Settings) -> Iterator[Line]:
    """Every line, in the order in which to mend."""
    known = _Known()
    yield from _look_at_broker(settings, known)
    yield from _look_at_management(settings, known)
    yield from _look_at_databases(settings, known)
    yield from _look_at_services(known)


def _look_at_broker(settings: Settings, known: _Known) -> Iterator[Line]:
    from lianfang.cli.access import operator_uri
    from lianfang.operations import broker

    try:
        uri = operator_uri(settings)
    except LianfangError as error:
        yield _unknown(Area.BROKER, ("登录", "login"), (error.message, error.message))
        return
    login = broker.look_at_amqp(uri)
    known.amqp_uri = uri if login.status is Status.OK else None
    yield login


def _look_at_management(settings: Settings, known: _Known) -> Iterator[Line]:
    """What the broker says of itself, the topology, and the queues for whoever looks later."""
    from lianfang.cli.district import topology_of, users_of, vhost_of
    from lianfang.operations import broker
    from lianfang.operations.queues import compare
    from lianfang.runtime.administration import BrokerAdministration

    if settings.amqp_management_uri is None:
        told = ("没有 AMQP_MANAGEMENT_URI，不看", "not looked at: AMQP_MANAGEMENT_URI is not set")
        yield _unknown(Area.BROKER, ("管理接口", "management"), told)
        yield _unknown(Area.TOPOLOGY, _AREAS[Area.TOPOLOGY], told)
        return
    try:
        administration = BrokerAdministration(settings.amqp_management_uri, patience=_PATIENCE)
        yield from broker.look_at_management(administration)
        topology = topology_of(settings, administration.broker_major())
        vhost, users = vhost_of(settings.district), users_of(settings.district)
        yield from broker.look_at_topology(administration, vhost, topology, users)
        known.queues = {q.name: q for q in compare(topology, administration.queues(vhost))}
    except LianfangError as error:
        told = ("查不了：管理接口不应答", "cannot be looked at: the management does not answer")
        yield broker.unreachable(error, is_up=known.amqp_uri is not None)
        yield _unknown(Area.TOPOLOGY, _AREAS[Area.TOPOLOGY], told)


def _look_at_databases(settings: Settings, known: _Known) -> Iterator[Line]:
    if not settings.mongo_uri:
        told = ("没有 MONGO_URI，不看", "not looked at: MONGO_URI is not set")
        yield _unknown(Area.DATABASES, _AREAS[Area.DATABASES], told)
        return
    from lianfang.cli.district import RUNTIME_COLLECTIONS
    from lianfang.operations import databases
    from lianfang.runtime.discovery import SERVICES, collections_of
    from lianfang.runtime.documents import connect

    names = {name: f"{settings.database_prefix}_{name}" for name in SERVICES}
    declared = {names[name]: [*collections_of(name), *RUNTIME_COLLECTIONS] for name in SERVICES}
    with connect(settings.mongo_uri, "check", patience=_PATIENCE) as client:
        replica_set = list(databases.look_at_replica_set(client))
        yield from replica_set
        known.has_primary = worst(replica_set) is not Status.BAD
        if known.has_primary:
            yield from databases.look_at_databases(client, declared)
        yield from databases.look_at_outboxes(client, names)


def _look_at_services(known: _Known) -> Iterator[Line]:
    from lianfang.operations import services
    from lianfang.runtime.discovery import SERVICES

    if known.amqp_uri is None:
        told = ("问不了：连不上代理", "cannot be asked: there is no way in to the broker")
        yield _unknown(Area.SERVICES, _AREAS[Area.SERVICES], told)
        return
    look = services.Look(known.amqp_uri, known.queues, has_primary=known.has_primary)
    yield from look.at_all(SERVICES)


def _unknown(area: Area, name: Both, said: Both) -> Line:
    return Line(area=area, name=name, status=Status.UNKNOWN, said=said)


def _show(speech: Speech, district: str, lines: Sequence[Line]) -> None:
    console = speech.console
    speech.say(f"[bold]联防 · {district}[/bold]", f"[bold]Lianfang · {district}[/bold]")
    width = max(cell_len(speech.pick(line.name)) for line in lines)
    for area in Area:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_MARK_WIDTH, justify="right")
        grid.add_column(no_wrap=True, min_width=width)
        grid.add_column(overflow="fold")
        for line in (line for line in lines if line.area is area):
            mark, style = _MARKS[line.status]
            plain = line.status in (Status.OK, Status.UNKNOWN)
            said = Text(speech.pick(line.said), style="dim" if plain else "")
            grid.add_row(Text(mark, style=style), speech.pick(line.name), said)
            if line.advice is not None:
                grid.add_row("", "", _advice(speech, line))
        console.print(Text(speech.pick(_AREAS[area]), style="bold"))
        console.print(grid)
    _show_sum(speech, lines)


def _advice(speech: Speech, line: Line) -> Text:
    advice = Text(f"→ {speech.pick(line.advice or ('', ''))}", style="cyan")
    if line.runbook:
        advice.append(f"  docs/how-to/{line.runbook}.md", style="dim")
    return advice


def _show_sum(speech: Speech, lines: Sequence[Line]) -> None:
    bad = sum(line.status is Status.BAD for line in lines)
    warned = sum(line.status is Status.WARN for line in lines)
    blind = sum(line.status is Status.UNKNOWN for line in lines)
    if bad:
        zh = f"[bold red]✗[/bold red] {bad} 处故障，{warned} 处警告：从上往下修"
        en = f"[bold red]✗[/bold red] wrong: {bad}, warnings: {warned}; mend from the top down"
    elif warned:
        zh = f"[yellow]![/yellow] 无故障，{warned} 处警告"
        en = f"[yellow]![/yellow] nothing is wrong; warnings: {warned}"
    elif blind:
        zh, en = f"? 看到的都正常，{blind} 处没能看", f"? fine as far as seen; not seen: {blind}"
    else:
        zh, en = "[green]✓[/green] 一切正常", "[green]✓[/green] Everything is as it should be"
    speech.say(zh, en)
