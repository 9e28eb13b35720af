"""What should stand for one person: computed from facts alone, whatever came first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lianfang.days import day_of
from lianfang.vocabulary import (
    CauseKind,
    ContactCategory,
    Measure,
    Need,
    Outcome,
    ResidenceKind,
    RollStatus,
)
from services.isolation.domain.cases import Case
from services.isolation.domain.facts import Contact, Person, Residence
from services.isolation.domain.orders import Reason, Wanted
from services.isolation.domain.roll import INSIDE, Judged
from services.isolation.domain.rules import Rules
from services.isolation.domain.seals import Seal

#: Reason for an exception of whoever looks after somebody who cannot be moved.
_GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A person on a closing seal's roll."""

    seal: Seal
    judged: Judged
    household_id: str
    building: str
    residence: Residence | None = None
    notice: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything known that bears on one person.

    `retained` are reasons of seals that were not looked at now, with the place of their order;
    `looks_after` are the needs of those whose guardian the person is.
    """

    person_id: str
    person: Person | None = None
    residences: tuple[Residence, ...] = ()
    memberships: tuple[Membership, ...] = ()
    cases: Mapping[str, Case] = field(default_factory=dict)
    retained: tuple[Reason, ...] = ()
    retained_at: tuple[str, str] | None = None
    looks_after: tuple[Need, ...] = ()

    @property
    def own_cases(self) -> tuple[Case, ...]:
        """The cases that are about this person."""
        if self.person is None:
            return ()
        found = (self.cases.get(case_id) for case_id in self.person.case_ids)
        return tuple(c for c in found if c is not None and c.person_id == self.person_id)

    @property
    def is_dead(self) -> bool:
        """Whether the person died: as a case, or as the roll found out."""
        on_rolls = any(m.judged.status == RollStatus.DECEASED for m in self.memberships)
        return on_rolls or any(case.is_dead for case in self.own_cases)

    @property
    def is_recovered(self) -> bool:
        """Whether the person was a case and got well."""
        return any(case.is_infected and case.outcome == "recovered" for case in self.own_cases)


def what_should_stand(known: Known, rules: Rules) -> Wanted:
    """Reasons, place and needs of the order that the person should have; no reasons, no order."""
    if known.is_dead:
        return _bare(known)
    home = _home(known)
    needs = home.needs if home is not None else ()
    reasons = [*_seal_reasons(known, rules), *known.retained]
    reasons += _contact_reasons(known, needs, rules)
    reasons += _verdict_reasons(known, needs, rules)
    active = [case for case in known.own_cases if case.is_active]
    reasons += [_case_reason(case, rules) for case in active]
    if not reasons:
        return _bare(known)
    inside = _inside(known)
    place = _place(known, inside, home)
    at_home = all(case.is_at_home for case in active) if active else _is_served_at(inside, home)
    return Wanted(
        person_id=known.person_id,
        household_id=place[0],
        building=place[1],
        reasons=tuple(sorted(reasons, key=lambda reason: reason.key)),
        seal_id=inside.seal.seal_id if inside else _retained_seal(known),
        needs=needs,
        guardian_id=home.guardian_id if home is not None else None,
        at_home=at_home,
        is_recovered=known.is_recovered,
        notice=inside.notice if inside else None,
    )


def _bare(known: Known) -> Wanted:
    return Wanted(
        person_id=known.person_id,
        household_id="",
        building="",
        is_dead=known.is_dead,
        is_recovered=known.is_recovered,
    )


def _inside(known: Known) -> Membership | None:
    inside = [m for m in known.memberships if m.judged.status in INSIDE]
    return max(inside, key=lambda m: (m.seal.due_on, m.seal.seal_id), default=None)


def _retained_seal(known: Known) -> str | None:
    return max((r.id for r in known.retained), default=None)


def _home(known: Known) -> Residence | None:
    """Where the person stays: in a closed place first, else the residence known longest."""
    inside = _inside(known)
    if inside is not None and inside.residence is not None:
        return inside.residence
    current = [r for r in known.residences if r.is_current]
    return min(current, key=_rank, default=None)


def _rank(residence: Residence) -> tuple[bool, datetime | None, str]:
    return residence.kind != ResidenceKind.USUAL, residence.known_at, residence.residence_id


def _place(known: Known, inside: Membership | None, home: Residence | None) -> tuple[str, str]:
    if inside is not None:
        return inside.household_id, inside.building
    if known.retained and known.retained_at is not None:
        return known.retained_at
    if home is not None:
        return home.household_id, home.building
    return _last_word(known)


def _last_word(known: Known) -> tuple[str, str]:
    """Household and building as contact or verdict named them, for whom no table knows."""
    person = known.person
    for contact in person.contacts if person else ():
        if contact.building and not contact.is_dropped:
            return contact.household_id or known.person_id, contact.building
    if person is not None and person.verdict is not None:
        return person.verdict.household_id, person.verdict.building
    for membership in known.memberships:
        return membership.household_id, membership.building
    for case in known.own_cases:
        for stay in case.stays:
            return known.person_id, stay.building
    former = known.residences[0] if known.residences else None
    return (former.household_id, former.building) if former else (known.person_id, "4403")


def _is_served_at(inside: Membership | None, home: Residence | None) -> bool:
    if inside is not None and inside.judged.status != RollStatus.EXPECTED:
        return True
    return home is not None and not home.is_away


def _seal_reasons(known: Known, rules: Rules) -> list[Reason]:
    reasons = []
    for membership in known.memberships:
        seal, status = membership.seal, membership.judged.status
        if status in INSIDE:
            measure, due_on = Measure.SEALED, seal.due_on
        elif status == RollStatus.TRACED:
            measure, due_on = rules.traced_measure, _traced_due(membership, rules)
        else:
            continue
        reasons.append(Reason(kind=CauseKind.SEAL, id=seal.seal_id, due_on=due_on, measure=measure))
    return reasons


def _traced_due(membership: Membership, rules: Rules) -> date:
    left = membership.residence.ended_at if membership.residence else None
    day_0 = day_of(left) if left else membership.seal.day_one_on
    return day_0 + timedelta(days=rules.observation_days)


def _contact_reasons(known: Known, needs: tuple[Need, ...], rules: Rules) -> list[Reason]:
    person = known.person
    if person is None or known.is_recovered:
        return []
    return [
        _excepted(
            Reason(
                kind=CauseKind.CONTACT,
                id=contact.contact_id,
                due_on=contact.last_exposure_on + timedelta(days=rules.observation_days),
                measure=rules.contact_measure,
            ),
            known,
            needs,
            rules,
        )
        for contact in person.contacts
        if contact.last_exposure_on is not None and _obliges(contact, known.cases)
    ]


def _obliges(contact: Contact, cases: Mapping[str, Case]) -> bool:
    """Whether an order follows; a contact heard of before its case waits for the case."""
    case = cases.get(contact.case_id)
    stands = not contact.is_dropped and case is not None and case.is_infected
    return stands and contact.category == ContactCategory.CLOSE


def _verdict_reasons(known: Known, needs: tuple[Need, ...], rules: Rules) -> list[Reason]:
    verdict = known.person.verdict if known.person else None
    if verdict is None:
        return []
    measure = {
        Outcome.HOME_QUARANTINE: Measure.HOME,
        Outcome.CENTRALISED_QUARANTINE: Measure.FACILITY,
    }.get(verdict.outcome)
    if measure is None:
        return []
    day_0 = verdict.last_exposure_on or day_of(verdict.assessed_at)
    reason = Reason(
        kind=CauseKind.ASSESSMENT,
        id=verdict.assessment_id,
        due_on=day_0 + timedelta(days=rules.observation_days),
        measure=measure,
    )
    return [_excepted(reason, known, needs, rules)]


def _excepted(reason: Reason, known: Known, needs: tuple[Need, ...], rules: Rules) -> Reason:
    """A facility order for whom policy excepts becomes one at home, with the reason on record."""
    if reason.measure != Measure.FACILITY:
        return reason
    why: str | None = next((n for n in rules.facility_exceptions if n in needs), None)
    if why is None and any(n in rules.facility_exceptions for n in known.looks_after):
        why = _GUARDIAN
    if why is None:
        return reason
    return Reason(
        kind=reason.kind,
        id=reason.id,
        due_on=reason.due_on,
        measure=Measure.HOME,
        exception_reason=str(why),
    )


def _case_reason(case: Case, rules: Rules) -> Reason:
    """Isolation ends with the case, not by a day; the day is when the hospital looks again."""
    return Reason(
        kind=CauseKind.CASE,
        id=case.case_id,
        due_on=case.decided_on + timedelta(days=rules.observation_days),
        measure=Measure.ISOLATION,
    )
