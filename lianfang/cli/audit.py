"""`lianfang audit`: what must hold of a district at rest, and what does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from lianfang.cli.speech import AsJson, Lang, Speech, answering, print_json
from lianfang.errors import Misconfigured, NotFound
from lianfang.settings import Settings

if TYPE_CHECKING:
    from lianfang.audit import Finding

#: The offenders that the table shows of each invariant; `--json` has the first hundred.
_SHOWN = 5
LedgerFile = Annotated[
    Path | None,
    typer.Option(
        "--ledger", help="回执账本 · receipts that a client kept (lianfang.client.ledger)"
    ),
]


def audit(ledger: LedgerFile = None, lang: Lang = "zh", as_json: AsJson = False) -> None:
    """核对不变量：不丢、不重、件件有因 · Check that nothing is lost, doubled or without a cause.

    Reads the databases of all services and the broker's queues, and asks no service. The district
    must be at rest: what is still on its way looks like a difference. Needs MONGO_URI of somebody
    who may read all databases, and AMQP_MANAGEMENT_URI. Ends with 0 when everything holds, with 2
    when something does not, with 1 when it could not be looked at. See docs/how-to/audit.md.
    """
    with answering():
        findings = look(ledger)
    if as_json:
        document = {"holds": holds(findings), "findings": [f.document() for f in findings]}
        print_json(document)
    else:
        show(Speech(lang), findings)
    raise typer.Exit(0 if holds(findings) else 2)


def holds(findings: Sequence[Finding]) -> bool:
    """Whether every invariant does."""
    return all(finding.holds for finding in findings)


def look(ledger: Path | None) -> list[Finding]:
    """Audit the district of the settings.

    Raises:
        Misconfigured: a setting is missing; NotFound: there is no such ledger.
    """
    from lianfang.audit import audit_district
    from lianfang.cli.district import vhost_of

    settings = Settings.read()
    if settings.amqp_management_uri is None:
        raise Misconfigured("AMQP_MANAGEMENT_URI is not set: only the management knows the queues")
    if ledger is not None and not ledger.is_file():
        raise NotFound.of("ledger", str(ledger))
    return audit_district(
        settings.mongo_uri,
        settings.database_prefix,
        settings.amqp_management_uri,
        vhost_of(settings.district),
        ledger,
    )


def show(speech: Speech, findings: Sequence[Finding]) -> None:
    """The findings as a table, what does not hold with its first offenders."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column(speech.pick(("不变量", "invariant")), no_wrap=True)
    table.add_column(speech.pick(("内容", "what holds")), overflow="fold")
    table.add_column(speech.pick(("核对数", "looked at")), justify="right", no_wrap=True)
    for finding in findings:
        mark = Text("✓", style="green") if finding.holds else Text("✗", style="bold red")
        sentence = Text(speech.pick((finding.zh, finding.en)))
        sentence.append_text(_offenders(speech, finding))
        table.add_row(mark, finding.name, sentence, f"{finding.figure:,}")
    speech.console.print(table)
    wrong = sum(not finding.holds for finding in findings)
    broken = sum(finding.broken for finding in findings)
    looked = sum(finding.figure for finding in findings)
    if wrong:
        speech.say(
            f"[bold red]✗[/bold red] {wrong} 项不成立，共 {broken:,} 处；核对了 {looked:,} 处",
            f"[bold red]✗[/bold red] {wrong} do not hold, with {broken:,} offenders; "
            f"{looked:,} were looked at",
        )
    else:
        speech.say(
            f"[green]✓[/green] {len(findings)} 项全部成立，核对了 {looked:,} 处",
            f"[green]✓[/green] All {len(findings)} hold; {looked:,} were looked at",
        )


def _offenders(speech: Speech, finding: Finding) -> Text:
    shown = finding.offenders[:_SHOWN]
    said = Text("".join(f"\n  {offender}" for offender in shown), style="red")
    if finding.broken > len(shown):
        more = finding.broken - len(shown)
        said.append(speech.pick((f"\n  …另有 {more:,} 处", f"\n  … and {more:,} more")))
    return said
