"""What must hold of the whole run: the audit, told in the words of the story."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lianfang.demo.checks import new_file
from lianfang.demo.screen import Screen
from lianfang.errors import Misconfigured
from lianfang.settings import Settings

if TYPE_CHECKING:
    from lianfang.audit import Finding

#: Invariants that something lost breaks, and those that something doubled does.
_LOST = (
    "receipts-kept",
    "receipts-in-effect",
    "declarations-settled",
    "decisions-said",
    "events-heard",
    "journal-complete",
)
_TWICE = (
    "journal-once",
    "keys-natural",
    "persons-once",
    "one-open-order",
    "closed-once",
    "tasks-caused",
    "rounds-once",
    "stops-planned",
)


@dataclass(frozen=True, slots=True)
class Witness:
    """Where the receipts of the declarations are kept, and who holds them against the district."""

    receipts: Path
    audit: Callable[[Path], list[Finding]]

    def look(self) -> list[Finding]:
        """What the audit finds."""
        return self.audit(self.receipts)


def witness_of(settings: Settings) -> Witness:
    """A witness of the district that the settings name, without a receipt yet.

    Raises:
        Misconfigured: only an administrator's settings let anybody look at the queues.
    """
    management_uri = settings.amqp_management_uri
    if management_uri is None:
        raise Misconfigured("AMQP_MANAGEMENT_URI is not set: play the demo with `make demo`")

    def look(receipts: Path) -> list[Finding]:
        from lianfang.audit import audit_district  # noqa: PLC0415 - loads what services stand on
        from lianfang.cli.district import vhost_of  # noqa: PLC0415 - as above

        vhost, prefix = vhost_of(settings.district), settings.database_prefix
        return audit_district(settings.mongo_uri, prefix, management_uri, vhost, receipts)

    return Witness(new_file("receipts.jsonl"), look)


def figures(findings: Iterable[Finding]) -> dict[str, Any]:
    """How much was lost, how much is there twice, and the audit in short, for the report."""
    found = list(findings)
    broken = {finding.name: finding.broken for finding in found if not finding.holds}
    return {
        "lost": sum(broken.get(name, 0) for name in _LOST),
        "duplicates": sum(broken.get(name, 0) for name in _TWICE),
        "audit": {
            "invariants": len(found),
            "looked_at": sum(finding.figure for finding in found),
            "broken": broken,
        },
    }


def show(screen: Screen, findings: Iterable[Finding]) -> None:
    """What does not hold with its first offenders, and how much was looked at."""
    found = list(findings)
    for finding in found:
        if not finding.holds:
            named = ", ".join(finding.offenders[:3])
            screen.bad(f"{finding.name}：{finding.zh}：{named}", f"{finding.name}: {named}")
    looked = sum(finding.figure for finding in found)
    screen.say(
        f"审计 {len(found)} 项不变量，核对 {looked:,} 处（lianfang audit）。",
        f"Audited: {len(found)} invariants, {looked:,} things looked at (lianfang audit).",
    )
