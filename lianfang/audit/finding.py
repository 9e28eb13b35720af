"""An invariant, how it is looked at, and what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from lianfang.audit.evidence import Evidence

#: What a look at one thing says: its name when it breaks the invariant, else how many hold.
Verdict = str | int
Check = Callable[[Evidence], Iterable[Verdict]]
HOLDS = 1
#: The offenders that a finding names; the others are counted.
LISTED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """What must hold, in one sentence of each language; `needs` are the services it reads."""

    name: str
    zh: str
    en: str
    needs: tuple[str, ...]
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """An invariant looked at: how many things were, and which of them break it."""

    name: str
    zh: str
    en: str
    figure: int
    offenders: tuple[str, ...] = ()
    #: All offenders, of which `offenders` names the first.
    broken: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing breaks it."""
        return self.broken == 0

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "holds": self.holds}


def invariant(name: str, zh: str, en: str, *needs: str) -> Callable[[Check], Invariant]:
    """Make a check an invariant: it yields a verdict on each thing it looks at."""

    def named(check: Check) -> Invariant:
        return Invariant(name=name, zh=zh, en=en, needs=needs, check=check)

    return named


def judged(holds: bool, offender: str) -> Verdict:
    """The verdict on one thing."""
    return HOLDS if holds else offender


def _verdicts(rule: Invariant, evidence: Evidence) -> Iterator[Verdict]:
    """The verdicts of a check; a document that has not the shape of its kind is one of them."""
    try:
        yield from rule.check(evidence)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f"stopped at a document of another shape: {type(error).__name__}: {error}"


def look(rule: Invariant, evidence: Evidence) -> Finding:
    """Look at everything that an invariant is about."""
    figure, offenders, broken = 0, list[str](), 0
    for verdict in _verdicts(rule, evidence):
        if isinstance(verdict, int):
            figure += verdict
            continue
        figure, broken = figure + 1, broken + 1
        if len(offenders) < LISTED:
            offenders.append(verdict)
    return Finding(
        name=rule.name,
        zh=rule.zh,
        en=rule.en,
        figure=figure,
        offenders=tuple(offenders),
        broken=broken,
    )
