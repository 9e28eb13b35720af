"""What screening knows of a person: the latest declaration, its verdict, the case they are.

One document per person, so a declaration and a case about the same person cannot miss each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.events.declaration import DeclarationSubmitted
from lianfang.events.screening import DeclarationAssessed
from lianfang.vocabulary import ContactKind, Outcome
from services.screening.domain.assessment import assess
from services.screening.domain.rules import ScreeningRules
from services.screening.domain.travel import Ride, carrier_day, case_key, rides


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claimed contact that names its case."""

    case_id: str
    kind: ContactKind
    last_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Which declaration a dossier holds; `revision` is the declaration's."""

    declaration_id: str
    declared_at: datetime
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """See the module. Without a `statement` nothing was declared yet."""

    person_id: str
    statement: Statement | None = None
    household_id: str | None = None
    building: str = ""
    outcome: Outcome | None = None
    reasons: tuple[str, ...] = ()
    policy_version: str = ""
    assessed_at: datetime | None = None
    last_exposure_on: date | None = None
    rides: tuple[Ride, ...] = ()
    claims: tuple[Claim, ...] = ()
    carrier_days: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    case_id: str | None = None
    infected: bool = False
    revision: int = 0

    def crossings(self) -> tuple[str, ...]:
        """Where this declaration meets cases."""
        return self.carrier_days + tuple(case_key(case_id) for case_id in self.claimed)


def outdated(dossier: Dossier | None, declared: DeclarationSubmitted) -> bool:
    """Whether the dossier already holds this declaration or a later one."""
    held = dossier.statement if dossier else None
    if held is None:
        return False
    if held.declaration_id == declared.declaration_id:
        return held.revision >= declared.revision
    mine = (held.declared_at, held.declaration_id)
    return mine >= (declared.declared_at, declared.declaration_id)


def assessed(
    dossier: Dossier | None, declared: DeclarationSubmitted, rules: ScreeningRules, now: datetime
) -> Dossier:
    """The dossier with this declaration and its verdict."""
    verdict = assess(declared, rules.assessment)
    ridden = rides(declared.legs, rules.contacts.transport, day_of(declared.declared_at))
    claims = tuple(
        Claim(case_id=claim.case_id, kind=claim.kind, last_on=claim.last_on)
        for claim in declared.contact_claims
        if claim.case_id
    )
    before = dossier or Dossier(person_id=declared.person_id)
    return replace(
        before,
        statement=Statement(
            declaration_id=declared.declaration_id,
            declared_at=declared.declared_at,
            revision=declared.revision,
        ),
        household_id=declared.household_id,
        building=declared.building,
        outcome=verdict.outcome,
        reasons=verdict.reasons,
        policy_version=rules.version,
        assessed_at=now,
        last_exposure_on=verdict.last_exposure_on,
        rides=ridden,
        claims=claims,
        carrier_days=_once(carrier_day(r.mode, r.number, r.on) for r in ridden),
        claimed=_once(claim.case_id for claim in claims),
        revision=max(before.revision + 1, declared.revision),
    )


def said(dossier: Dossier) -> DeclarationAssessed:
    """The verdict as it is told."""
    statement = dossier.statement
    if statement is None or dossier.outcome is None or dossier.assessed_at is None:
        raise ValueError("a dossier without a declaration has no verdict")
    return DeclarationAssessed(
        assessment_id=assessment_id_of(dossier.person_id),
        declaration_id=statement.declaration_id,
        person_id=dossier.person_id,
        household_id=dossier.household_id or "",
        building=dossier.building,
        outcome=dossier.outcome,
        reasons=dossier.reasons,
        assessed_at=dossier.assessed_at,
        policy_version=dossier.policy_version,
        last_exposure_on=dossier.last_exposure_on,
        revision=dossier.revision,
    )


def assessment_id_of(person_id: str) -> str:
    """The id of a person's verdict; a later declaration is a later revision of it."""
    return natural_id("assessment", person_id)


def _once(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))
