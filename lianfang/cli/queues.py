"""`lianfang queues`: how deep, how fast, who reads, how long it takes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lianfang.cli.speech import AsJson, Lang, Speech, answering, print_json
from lianfang.operations.queues import ADVICE, NAMES, Queue, Trouble, compare

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_HARMLESS = (Trouble.RETRYING,)


def queues(
    check: Annotated[
        bool, typer.Option("--check", help="有异常则以 1 结束 · end with 1 when something is wrong")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="持续刷新，Ctrl-C 结束 · refresh until Ctrl-C")
    ] = False,
    every: Annotated[float, typer.Option(min=0.2, help="刷新间隔秒 · seconds between looks")] = 2.0,
    all_queues: Annotated[bool, typer.Option("--all", help="空闲的也列出 · idle ones too")] = False,
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """每个队列的深度、速率、排空时间与消费者 · Depth, rates, drain time and consumers.

    Compares with the topology: a missing, a surplus or an unread queue is named with its runbook.
    Idle queues are only counted unless --all. Needs AMQP_MANAGEMENT_URI; the broker measures rates
    every five seconds.
    """
    speech = Speech(lang)
    with answering():
        look = _looker()
        found = look()
        if watch and not as_json:
            _watch(speech, look, found, every, all_queues)
            return
    if as_json:
        print_json([document(queue) for queue in found])
    else:
        speech.console.print(_screen(speech, found, all_queues))
    raise typer.Exit(1 if check and has_trouble(found) else 0)


def has_trouble(found: Sequence[Queue]) -> bool:
    """Whether something wants a person; what is being tried again does not yet."""
    return any(t not in _HARMLESS for queue in found for t in queue.troubles)


def document(queue: Queue) -> dict[str, Any]:
    """As JSON."""
    return asdict(queue) | {
        "depth": queue.depth,
        "growing": queue.is_growing,
        "drain_seconds": queue.drain_seconds,
    }


def _looker() -> Any:
    """A function that looks at the queues once more."""
    from lianfang.cli.district import topology_of, vhost_of
    from lianfang.errors import Misconfigured
    from lianfang.runtime.administration import BrokerAdministration
    from lianfang.settings import Settings

    settings = Settings.read(needs_database=False)
    if settings.amqp_management_uri is None:
        raise Misconfigured("AMQP_MANAGEMENT_URI is not set: only the management knows the queues")
    administration = BrokerAdministration(settings.amqp_management_uri, patience=10.0)
    topology = topology_of(settings, administration.broker_major())
    vhost = vhost_of(settings.district)
    return lambda: compare(topology, administration.queues(vhost))


def _watch(speech: Speech, look: Any, found: list[Queue], every: float, whole: bool) -> None:
    pause = threading.Event()
    with Live(_screen(speech, found, whole), console=speech.console, auto_refresh=False) as live:
        try:
            while not pause.wait(every):
                live.update(_screen(speech, look(), whole), refresh=True)
        except KeyboardInterrupt:
            return


def _screen(speech: Speech, found: Sequence[Queue], whole: bool) -> RenderableType:
    shown = [q for q in found if whole or q.depth or q.troubles or q.rate_in or q.rate_out]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    heads = [("待取", "ready"), ("未确认", "unacked"), ("进/秒", "in/s"), ("出/秒", "out/s")]
    heads += [("排空", "drains in"), ("消费者", "readers")]
    table.add_column(speech.pick(("队列", "queue")), no_wrap=True)
    for head in heads:
        table.add_column(speech.pick(head), justify="right", no_wrap=True)
    table.add_column(speech.pick(("注意", "note")))
    for queue in shown:
        notes = "; ".join(speech.pick(NAMES[trouble]) for trouble in queue.troubles)
        style = "" if not queue.troubles else "yellow" if _is_mild(queue) else "bold red"
        missing = Trouble.MISSING in queue.troubles
        figures = ["–"] * len(heads) if missing else _figures(speech, queue)
        table.add_row(Text(queue.name, style=style), *figures, Text(notes, style=style))
    footer = _footer(speech, found, len(shown))
    return Group(table, *_advice(speech, found), footer) if shown else footer


def _advice(speech: Speech, found: Sequence[Queue]) -> list[Text]:
    """What to do about each kind of trouble, once."""
    present = {trouble for queue in found for trouble in queue.troubles}
    return [
        Text.assemble((f"{speech.pick(NAMES[trouble])}  ", "bold"), speech.pick(ADVICE[trouble]))
        for trouble in Trouble
        if trouble in present
    ]


def _is_mild(queue: Queue) -> bool:
    return set(queue.troubles) <= {Trouble.RETRYING, Trouble.SURPLUS, Trouble.PARKING}


def _figures(speech: Speech, queue: Queue) -> list[str]:
    return [
        f"{queue.ready:,}",
        f"{queue.unacknowledged:,}",
        _rate(queue.rate_in),
        _rate(queue.rate_out),
        drain(speech, queue),
        str(queue.consumers),
    ]


def _footer(speech: Speech, found: Sequence[Queue], shown: int) -> Text:
    depth = sum(queue.depth for queue in found)
    idle = len(found) - shown
    troubled = sum(1 for queue in found if queue.troubles)
    zh = f"{len(found)} 个队列，共 {depth:,} 条在途；{idle} 个空闲未列；{troubled} 个需要注意"
    en = (
        f"{len(found)} queues, {depth:,} messages; {idle} idle not shown; {troubled} want attention"
    )
    return Text(speech.pick((zh, en)), style="green" if not troubled else "yellow")


def _rate(rate: float | None) -> str:
    return "–" if rate is None else f"{rate:,.1f}"


def drain(speech: Speech, queue: Queue) -> str:
    """How long until it is empty, for people."""
    if queue.depth == 0:
        return ""
    if queue.is_growing:
        return speech.pick(("增长中", "growing"))
    seconds = queue.drain_seconds
    if seconds is None:
        return speech.pick(("不动", "standing"))
    for unit, size in (("d", _DAY), ("h", _HOUR), ("min", _MINUTE)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
