"""Parked messages as an operator sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich import box
from rich.json import JSON
from rich.table import Table
from rich.text import Text

from lianfang.cli.speech import Speech, local
from lianfang.operations.parked import Outcome, cause_of
from lianfang.operations.report import Both

#: What a reason code means, beside the page that says what to do.
_REASONS: Mapping[str, Both] = {
    "undecodable": ("不是可读的 JSON", "no JSON that can be read"),
    "invalid_payload": ("内容不合约定", "not of the promised shape"),
    "too_large": ("过大", "too large"),
    "unknown_type": ("本版本不认识的类型", "of a type that this version does not know"),
    "rejected": ("规则拒绝", "a rule said no"),
    "not_found": ("所指不存在", "it speaks of what does not exist"),
    "illegal_transition": ("当前状态不允许", "the present state does not allow it"),
    "conflict": ("与已有内容冲突", "it contradicts what is there"),
    "retryable": ("重试到头仍失败", "the ladder of retries ended"),
    "version_conflict": ("一再与他人同时写", "others wrote first, again and again"),
    "not_yet_known": ("所依赖的一直没有来", "what it depends on never came"),
    "unavailable": ("所需的一直不可用", "what it needs stayed away"),
    "delivery_limit": ("处理它的进程一再死亡", "processes died with it again and again"),
    "origin_gone": ("原订阅已不存在", "the subscription is gone"),
    "bug": ("程序错误，按堆栈号查日志", "a bug: look up the stack in the log"),
    "unknown": ("来历不明", "nobody knows"),
}
_STATES: Mapping[str, Both] = {
    "parked": ("滞留", "parked"),
    "replaying": ("重放中", "replaying"),
    "replayed": ("已重放", "replayed"),
    "discarded": ("已放弃", "discarded"),
}
_CAUSE, _COUNT, _ORIGIN = ("组", "cause"), ("条数", "count"), ("订阅", "subscription")
_UNKNOWN = "unknown"
_MOST_OUTCOMES = 10


def show_causes(speech: Speech, causes: Sequence[Mapping[str, Any]], state: str) -> None:
    """One block for each cause."""
    state_word = speech.pick(_STATES.get(state, (state, state)))
    total = sum(cause["count"] for cause in causes)
    if not causes:
        speech.say(f"没有{state_word}消息。", f"Nothing is {state}.")
        return
    speech.say(
        f"[bold]{state_word}消息[/bold] {total:,} 条，{len(causes)} 种原因",
        f"[bold]{state_word.capitalize()}[/bold]: {total:,} messages, causes: {len(causes)}",
    )
    heads = [_CAUSE, _COUNT, ("原因", "reason"), _ORIGIN, ("首次", "first"), ("末次", "last")]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        is_count, is_wide = head == _COUNT, head == _ORIGIN
        table.add_column(
            speech.pick(head), justify="right" if is_count else "left", no_wrap=not is_wide
        )
    for cause in causes:
        table.add_row(
            f"[bold]{cause['cause']}[/bold]",
            f"{cause['count']:,}",
            cause["reason"],
            cause["origin"],
            local(cause["first_at"], "%m-%d %H:%M"),
            local(cause["last_at"], "%m-%d %H:%M"),
        )
    speech.console.print(table)
    for cause in causes:
        _example(speech, cause)
    if state == "parked":
        one = causes[0]
        speech.say(
            f"\n修好原因后重放整组：lianfang parked replay --cause {one['cause']}",
            f"\nMend the cause, then replay all of it: "
            f"lianfang parked replay --cause {one['cause']}",
        )


def _example(speech: Speech, cause: Mapping[str, Any]) -> None:
    meaning = speech.pick(_REASONS.get(cause["reason"], ("", "")))
    stack = f"  stack {cause['stack']}" if cause["stack"] else ""
    line = Text.assemble((cause["cause"], "bold"), f"  {meaning}{stack}")
    speech.console.print(line, soft_wrap=True)
    if cause["error"]:
        speech.console.print(Text(f"          {cause['error']}", style="yellow"), soft_wrap=True)
    word = speech.pick(("例", "example"))
    kind = "" if cause["type"] == _UNKNOWN else cause["type"]
    example = f"          {word} {cause['parked_id']}  {kind}".rstrip()
    speech.console.print(Text(example, style="dim"), soft_wrap=True)


def show_each(speech: Speech, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line for each message."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in [("编号", "id"), _CAUSE, ("原因", "reason"), _ORIGIN, ("时间", "at")]:
        table.add_column(speech.pick(head), overflow="fold")
    for row in rows:
        at = local(row["parked_at"], "%m-%d %H:%M")
        table.add_row(row["parked_id"], cause_of(row), row["reason"], row["origin"], at)
    speech.console.print(table)
    speech.say(f"{len(rows):,} 条", f"{len(rows):,} messages")


def show_one(
    speech: Speech, message: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> None:
    """Everything that is known of a message, its content masked."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for head, text in _facts(speech, message):
        if text:
            grid.add_row(speech.pick(head), Text(text))
    speech.console.print(grid)
    _print_history(speech, message, history)
    _print_content(speech, ("消息头（已遮盖）", "headers, masked"), message["headers"])
    _print_content(speech, ("内容（已遮盖）", "body, masked"), message["body"])


def _facts(speech: Speech, message: Mapping[str, Any]) -> list[tuple[Both, str]]:
    meaning = speech.pick(_REASONS.get(message["reason"], ("", "")))
    state = speech.pick(_STATES.get(message["state"], (message["state"], message["state"])))
    tries = (
        f"第 {message['attempt']} 次滞留，此前尝试 {message['tries']} 次",
        f"parked {message['attempt']} times, tried {message['tries']} times before",
    )
    return [
        (("编号", "id"), message["parked_id"]),
        (("状态", "state"), state),
        (("原因", "reason"), f"{message['reason']}  {meaning}"),
        (("错误", "error"), message["error"]),
        (("堆栈号", "stack"), message["stack"]),
        (("订阅", "subscription"), message["origin"]),
        (("类型", "type"), "" if message["type"] == _UNKNOWN else message["type"]),
        (("消息号", "message"), message["message_id"]),
        (("大小", "size"), f"{message['size']:,} B  {message['content_type']}"),
        (("尝试", "tries"), speech.pick(tries)),
        (("组", "cause"), cause_of(message)),
    ]


def _print_history(
    speech: Speech, message: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> None:
    words = {"message.replayed": ("重放", "replayed"), "message.discarded": ("放弃", "discarded")}
    attempt = message["attempt"]
    parked = speech.pick((f"滞留（第 {attempt} 次）", f"parked (attempt {attempt})"))
    moments = [(datetime.fromisoformat(message["parked_at"]), parked, "", "")]
    for event in history:
        what = speech.pick(words.get(event["type"], (event["type"], event["type"])))
        data, at = event["data"] or {}, datetime.fromisoformat(event["at"])
        moments.append((at, what, data.get("by", ""), data.get("reason", "")))
    speech.console.print(f"\n[bold]{speech.pick(('经过', 'history'))}[/bold]")
    for at, *told in sorted(moments):
        line = "  ".join([f"  {local(at)}", *(each for each in told if each)])
        speech.console.print(Text(line), soft_wrap=True)


def _print_content(speech: Speech, head: Both, content: Any) -> None:
    speech.console.print(f"\n[bold]{speech.pick(head)}[/bold]")
    if content is None:
        speech.say("  不是 JSON，不显示", "  no JSON: not shown")
    else:
        speech.console.print(JSON.from_data(content, indent=2, ensure_ascii=False))


def show_outcome(speech: Speech, outcome: Outcome) -> None:
    """What became of a replay."""
    if outcome.done:
        speech.say(
            f"[green]✓[/green] 处理完 {outcome.done:,} 条",
            f"[green]✓[/green] done: {outcome.done:,}",
        )
    if outcome.parked_again:
        again = outcome.parked_again
        speech.say(
            f"[bold red]✗[/bold red] 又滞留 {len(again):,} 条：原因还在，见 lianfang parked show",
            f"[bold red]✗[/bold red] parked again: {len(again):,}; the cause is still there, see "
            "lianfang parked show",
        )
        for parked_id in again[:_MOST_OUTCOMES]:
            speech.console.print(f"  {parked_id}")
    if outcome.waiting:
        speech.say(
            f"[yellow]…[/yellow] 仍在路上 {outcome.waiting:,} 条："
            "lianfang parked list --state replaying",
            f"[yellow]…[/yellow] still on their way: {outcome.waiting:,}; "
            "lianfang parked list --state replaying",
        )
    show_refused(speech, outcome.refused)


def show_refused(speech: Speech, refused: Mapping[str, str]) -> None:
    """What the journal would not do; somebody else was first."""
    for parked_id, why in refused.items():
        speech.console.print(Text(f"✗ {parked_id}  {why}", style="red"), soft_wrap=True)
