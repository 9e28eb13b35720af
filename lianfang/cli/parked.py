"""`lianfang parked …`: what nobody could handle, by cause; shown, sent again, or given up."""

from __future__ import annotations

from typing import Annotated

import typer

from lianfang.cli.access import operator_district
from lianfang.cli.parked_screen import show_causes, show_each, show_one, show_outcome, show_refused
from lianfang.cli.speech import AsJson, Lang, Speech, answering, os_user, print_json
from lianfang.client import District
from lianfang.operations import parked

_WAIT = 60.0

parked_app = typer.Typer(
    name="parked",
    help="滞留消息 · What nobody could handle: list by cause, show, replay, discard.",
    epilog="怎么办 · What to do: docs/how-to/parked-messages-grow.md, docs/how-to/replay.md",
    no_args_is_help=True,
)

Ids = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="滞留消息的编号 · from `parked list`")
]
Cause = Annotated[
    str | None, typer.Option("--cause", help="整组 · all of one cause, its name from `parked list`")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="不再询问 · do not ask")]
Actor = Annotated[
    str | None, typer.Option("--actor", help="谁决定，记入日志 · who answers for it [this OS user]")
]


@parked_app.command("list")
def list_parked(
    reason: Annotated[str | None, typer.Option(help="只看此原因代码 · only this code")] = None,
    origin: Annotated[str | None, typer.Option(help="只看此订阅 · only this q.…")] = None,
    state: Annotated[
        str, typer.Option(help="parked, replaying, replayed 或 · or discarded")
    ] = "parked",
    each: Annotated[bool, typer.Option("--each", help="逐条 · every message, not causes")] = False,
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """按原因分组列出滞留消息 · Causes, the most frequent first: how many, since when, an example.

    One cause is one reason code, one subscription and one stack. Next: `lianfang parked show ID`
    for the example, mend what was wrong, then `lianfang parked replay --cause NAME`.
    """
    with answering(), operator_district() as district:
        if each:
            rows = list(parked.messages(district, state=state, reason=reason, origin=origin))
            return print_json(rows) if as_json else show_each(Speech(lang), rows)
        causes, _ = parked.causes(district, state)
        wanted = {"reason": reason, "origin": origin}
        shown = [c for c in causes if all(v in (None, c[k]) for k, v in wanted.items())]
        return print_json(shown) if as_json else show_causes(Speech(lang), shown, state)


@parked_app.command("show")
def show_parked(
    parked_id: Annotated[str, typer.Argument(metavar="ID", help="编号 · from `parked list`")],
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """显示一条：原因、错误、尝试、经过与遮盖后的内容 · One, with all that is known of it.

    Values that might name a person are masked. Next: `lianfang trace ID` says what it belongs to.
    """
    with answering(), operator_district() as district:
        message = district.query("journal.get_parked", parked_id=parked_id)
        history = parked.history(district, parked_id)
    if as_json:
        return print_json({**message, "cause": parked.cause_of(message), "history": history})
    return show_one(Speech(lang), message, history)


@parked_app.command("replay")
def replay_parked(
    ids: Ids = None,
    cause: Cause = None,
    yes: Yes = False,
    actor: Actor = None,
    wait: Annotated[float, typer.Option(help="最多等几秒 · seconds to wait for the end")] = _WAIT,
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """把消息再送回原订阅 · Send messages to the subscription they came from once more.

    There is no other target: the journal knows where each came from. What had its effect before
    has none again. Mend the cause first, else they come back: then this ends with 1.
    """
    speech = Speech(lang)
    with answering(), operator_district(actor or os_user()) as district:
        chosen = _chosen(district, ids, cause)
        _confirm(speech, yes, f"重放 {len(chosen)} 条？", f"Replay {len(chosen)}?")
        with speech.bar("重放", "replaying", len(chosen)) as advance:
            refused = parked.replay_all(district, chosen, advance)
        outcome = parked.await_outcome(district, chosen, refused, wait)
    if as_json:
        print_json(outcome.document())
    else:
        show_outcome(speech, outcome)
    raise typer.Exit(0 if outcome.is_good else 1)


@parked_app.command("discard")
def discard_parked(
    reason: Annotated[str, typer.Option(help="为什么，记入日志 · why; it is kept")],
    ids: Ids = None,
    cause: Cause = None,
    yes: Yes = False,
    actor: Actor = None,
    lang: Lang = "zh",
    as_json: AsJson = False,
) -> None:
    """放弃消息，记名并说明理由 · Give messages up, by name and with a reason; they stay readable.

    A discarded message is never sent again. Discard what its sender has mended and sent anew.
    """
    speech = Speech(lang)
    with answering(), operator_district(actor or os_user()) as district:
        chosen = _chosen(district, ids, cause)
        _confirm(speech, yes, f"放弃 {len(chosen)} 条？", f"Discard {len(chosen)}?")
        with speech.bar("放弃", "discarding", len(chosen)) as advance:
            refused = parked.discard_all(district, chosen, reason, advance)
    done = [each for each in chosen if each not in refused]
    if as_json:
        print_json({"discarded": done, "refused": refused})
    else:
        speech.say(f"已放弃 {len(done)} 条。", f"Discarded: {len(done)}.")
        show_refused(speech, refused)
    raise typer.Exit(1 if refused else 0)


def _chosen(district: District, ids: list[str] | None, cause: str | None) -> list[str]:
    """The ids that were named, or those of the cause; never both, never none."""
    if bool(ids) == (cause is not None):
        raise typer.BadParameter("编号或 --cause，二选一 · give ids, or --cause, not both")
    if ids:
        return list(dict.fromkeys(ids))
    found = [row["parked_id"] for row in parked.of_cause(district, str(cause))]
    if not found:
        raise typer.BadParameter(f"没有这个原因 · no cause {cause}: lianfang parked list")
    return found


def _confirm(speech: Speech, yes: bool, zh: str, en: str) -> None:
    if not yes and not typer.confirm(speech.pick((zh, en)), err=True):
        raise typer.Exit(1)
