"""`lianfang trace ID`: what led to what, from one case, declaration, command or event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from lianfang.cli.access import operator_district
from lianfang.cli.speech import AsJson, Lang, Speech, answering, local, print_json
from lianfang.operations.find import Found, find
from lianfang.operations.tracing import FEW, Branch, common_place, grow
from lianfang.words import ZH_SERVICES, word

_CLOCK = "%H:%M:%S"
_ID_SHOWN, _PERSONS = 8, 2


def trace(
    any_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="关联号，或病例、事件、任务、管控令… · any of these ids"),
    ],
    each: Annotated[bool, typer.Option("--each", help="逐条不合并 · a line for each")] = False,
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """一件事的前因后果 · A tree of cause and effect: when, what, who, about whom, where.

    Takes a correlation id, or the id of a case, an event, a task, an order, a seal, a person or a
    parked message. Many events of one type under one cause are one line; --each shows each. ⏸
    marks what a subscription could not handle: what should follow from it is not there yet.
    """
    speech = Speech(lang)
    with answering(), operator_district() as district:
        found = find(district, any_id)
    trees = grow(found.steps, None if each or as_json else FEW)
    if as_json:
        print_json(
            {
                "id": any_id,
                "events": len(found.steps),
                "marked": sorted(found.marked),
                "parked": found.parked,
                "more_stories": found.more,
                "trees": [tree.document() for tree in trees],
            }
        )
    elif found.steps:
        _show(speech, found, trees, full=each)
    else:
        speech.say(
            f"日志里没有与 {any_id} 有关的事件。可能还没传到（lianfang queues），"
            "或已滞留（lianfang parked list）。",
            f"The journal knows no event of {any_id}. It may be on its way (lianfang queues) or "
            "parked (lianfang parked list).",
        )
    raise typer.Exit(0 if found.steps else 1)


def _show(speech: Speech, found: Found, trees: Sequence[Branch], *, full: bool) -> None:
    first = min(step.at for step in found.steps)
    last = max(step.at for step in found.steps)
    total, place = f"{len(found.steps):,}", common_place(found.steps)
    speech.say(
        f"[bold]{total} 个事件[/bold]  {local(first)} – {local(last)}（北京时间）  {place}",
        f"[bold]{total} events[/bold]  {local(first)} – {local(last)} (Asia/Shanghai)  {place}",
    )
    labels = _Labels(speech, found, place, full)
    for cause in dict.fromkeys(branch.first.cause_id for branch in trees):
        began = speech.pick(("起因", "began with"))
        tree = Tree(Text(f"{began} {cause}", style="dim"), guide_style="dim")
        for branch in (branch for branch in trees if branch.first.cause_id == cause):
            _add(tree, labels, branch)
        speech.console.print(tree)
    if found.more:
        zh, en = (
            f"另有 {found.more} 件更早的事未列出。",
            f"Earlier stories not shown: {found.more}.",
        )
        speech.say(zh, en)


def _add(tree: Tree, labels: _Labels, branch: Branch) -> None:
    below = tree.add(labels.of(branch))
    for effect in branch.effects:
        _add(below, labels, effect)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Lines of the tree: when, what and how much, who, about whom, where, and where it waits."""

    speech: Speech
    found: Found
    #: Where everything happened; a line says only what is below it.
    place: str
    #: Whether ids are whole.
    full: bool

    def of(self, branch: Branch) -> Text:
        """The line of one branch."""
        marked = any(step.event_id in self.found.marked for step in branch.steps)
        label = Text(self._time(branch), style="cyan")
        label.append(f" {self._name(branch)}", style="bold reverse" if marked else "bold")
        label.append(self._amount(branch), style="magenta")
        label.append(f" {self._who(branch)}", style="green")
        label.append(f" {self._where(branch)}".rstrip(), style="dim")
        parked = (self.found.parked.get(step.event_id, ()) for step in branch.steps)
        if waiting := sorted({origin for origins in parked for origin in origins}):
            words = self.speech.pick(("滞留于", "parked at"))
            label.append(f" ⏸ {words} {', '.join(waiting)}", style="bold red")
        return label

    def _time(self, branch: Branch) -> str:
        begun, ended = local(branch.first.at, _CLOCK), local(branch.last.at, _CLOCK)
        return begun if begun == ended else f"{begun}–{ended}"

    def _name(self, branch: Branch) -> str:
        name = branch.first.type
        told = word(name, "zh")
        return f"{told} {name}" if self.speech.lang == "zh" and told != name else name

    def _amount(self, branch: Branch) -> str:
        events, items = len(branch.steps), sum(step.items for step in branch.steps)
        times = f" ×{events}" if events > 1 else ""
        return times + (
            self.speech.pick((f" 共 {items} 项", f" of {items}")) if items > events else ""
        )

    def _who(self, branch: Branch) -> str:
        service = branch.first.service
        name = ZH_SERVICES.get(service, service) if self.speech.lang == "zh" else service
        persons = sorted({step.person for step in branch.steps if step.person})
        return " ".join([name, *persons[:_PERSONS]])

    def _where(self, branch: Branch) -> str:
        subjects = {step.subject for step in branch.steps}
        subject = next(iter(subjects)) if len(subjects) == 1 else ""
        below = common_place(branch.steps).removeprefix(self.place).lstrip(".")
        return f"{subject if self.full else subject[:_ID_SHOWN]} {below}".strip()
