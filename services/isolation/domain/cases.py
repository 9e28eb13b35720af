"""A case as screening records it, and what of it matters to buildings and orders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lianfang.days import day_of
from lianfang.events.screening import CaseClosed, CaseConfirmed, CaseDiscarded
from lianfang.places import Level, at_level
from lianfang.vocabulary import Custody, PlaceUse
from services.isolation.domain.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStay:
    """Where the case was, down to the unit, and when last."""

    place: str
    last_present_at: datetime
    use: PlaceUse

    @property
    def building(self) -> str:
        """The building, or the place itself when it is none."""
        return at_level(self.place, Level.BUILDING) or self.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case at its newest revision. `is_discarded` and `outcome` are final, whenever they came.

    `revision` is that of the confirmed or amended facts; None in `person_id` means that only the
    end of the case has come so far.
    """

    case_id: str
    person_id: str | None = None
    revision: int = 0
    decided_at: datetime | None = None
    onset_on: date | None = None
    first_positive_at: datetime | None = None
    infectious_from_on: date | None = None
    laboratory_batch_id: str | None = None
    stays: tuple[CaseStay, ...] = ()
    custody: Custody = Custody.AT_HOME
    is_transferred: bool = False
    is_discarded: bool = False
    outcome: str | None = None

    @property
    def is_infected(self) -> bool:
        """Whether this is a case with consequences: told, and not discarded."""
        return self.person_id is not None and not self.is_discarded

    @property
    def is_active(self) -> bool:
        """Whether the person is infected now."""
        return self.is_infected and self.outcome is None and self.custody != Custody.DECEASED

    @property
    def is_dead(self) -> bool:
        """Whether the infected person died."""
        died = self.outcome == "died" or self.custody == Custody.DECEASED
        return self.is_infected and died

    @property
    def is_at_home(self) -> bool:
        """Whether the infected person is still at home."""
        return self.custody == Custody.AT_HOME and not self.is_transferred

    @property
    def decided_on(self) -> date:
        """The day of the medic's decision."""
        if self.decided_at is None:
            raise ValueError(f"case {self.case_id} is not told yet")
        return day_of(self.decided_at)


def learn_case(known: Case | None, told: CaseConfirmed) -> Case:
    """The case as the newest of confirmation and amendments describes it."""
    known = known or Case(case_id=told.case_id)
    if known.revision >= told.revision:
        return known
    stays = {
        (_to_unit(stay.place, stay.unit_segment), stay.last_present_at, stay.use)
        for stay in told.stays
    }
    return replace(
        known,
        person_id=told.person_id,
        revision=told.revision,
        decided_at=told.decided_at,
        onset_on=told.onset_on,
        first_positive_at=told.first_positive_at,
        infectious_from_on=told.infectious_from_on,
        laboratory_batch_id=told.laboratory_batch_id,
        stays=tuple(
            CaseStay(place=place, last_present_at=at, use=use) for place, at, use in sorted(stays)
        ),
        custody=told.custody,
    )


def learn_end(known: Case | None, told: CaseDiscarded | CaseClosed) -> Case:
    """The case with its end; a later confirmation of an older revision cannot undo it."""
    known = known or Case(case_id=told.case_id)
    if isinstance(told, CaseDiscarded):
        return known if known.is_discarded else replace(known, is_discarded=True)
    return known if known.outcome == told.outcome else replace(known, outcome=told.outcome)


def learn_transfer(known: Case | None, case_id: str) -> Case:
    """The case whose person was brought to hospital."""
    known = known or Case(case_id=case_id)
    return known if known.is_transferred else replace(known, is_transferred=True)


def sealing_stays(case: Case, rules: Rules) -> tuple[CaseStay, ...]:
    """The residences that this case closes.

    Inside the look-back before the onset (or the first positive, or the decision), and recent
    enough that those who lived beside the case have not finished their own days already: a case
    who was long in hospital closes nothing.
    """
    return tuple(s for s in case.stays if s.use in rules.sealed_uses and _counts(case, s, rules))


def focus_stays(case: Case, rules: Rules) -> tuple[CaseStay, ...]:
    """The workplaces and venues that this case makes infected points."""
    return tuple(s for s in case.stays if s.use in rules.focus_uses and _counts(case, s, rules))


def _counts(case: Case, stay: CaseStay, rules: Rules) -> bool:
    if not case.is_infected:
        return False
    last_on = day_of(stay.last_present_at)
    first_positive_on = day_of(case.first_positive_at) if case.first_positive_at else None
    began_on = case.onset_on or first_positive_on or case.decided_on
    in_look_back = last_on >= began_on - timedelta(days=rules.focus_look_back_days)
    return in_look_back and last_on + timedelta(days=rules.observation_days) >= case.decided_on


def _to_unit(place: str, unit: str | None) -> str:
    if not unit or at_level(place, Level.UNIT):
        return place
    building = at_level(place, Level.BUILDING)
    if building is None:
        return place
    return unit if "." in unit else f"{building}.{unit}"
