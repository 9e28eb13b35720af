"""The grounds on which people are contacts of a case: pure functions over what screening holds.

Who met whom is computed anew from the states on both sides; nothing depends on who came first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from lianfang.days import day_of
from lianfang.vocabulary import Classification, ContactKind, ExposureSetting, FoundBy
from services.screening.domain.cases import (
    INFECTED,
    Case,
    home_stays,
    reach_of_floor,
    reach_of_household,
    window,
)
from services.screening.domain.contacts import (
    CLAIM,
    EXPOSURE,
    HOUSEHOLD,
    NEIGHBOUR,
    Ground,
)
from services.screening.domain.dossiers import Dossier
from services.screening.domain.residences import Residence, was_there
from services.screening.domain.rules import ContactRules, NeighbourRule
from services.screening.domain.travel import Exposure, same_carrier

#: A case that stands or stood: its contacts are contacts.
EXPOSING = (*INFECTED, Classification.CLOSED)


def exposes(case: Case | None) -> bool:
    """Whether this case makes contacts: confirmed, asymptomatic, or closed after it was."""
    return case is not None and case.state in EXPOSING and case.infectious_from_on is not None


def reach(case: Case, own: Iterable[Residence], rule: NeighbourRule) -> tuple[str, ...]:
    """The keys of the households and floors whose residents a case may have exposed.

    A stay names its household; else it is the person's own household in that building.
    """
    mine = list(own)
    keys: set[str] = set()
    for stay in home_stays(case):
        here = [r for r in mine if r.building == stay.place]
        if stay.household_id:
            keys.add(reach_of_household(stay.household_id))
            here = [r for r in here if r.household_id == stay.household_id] or here
        keys |= {reach_of_household(r.household_id) for r in here}
        if rule.enabled:
            keys |= {
                reach_of_floor(r.building, r.unit, floor)
                for r in here
                if r.floor is not None
                for floor in range(r.floor - rule.floors_around, r.floor + rule.floors_around + 1)
            }
    return tuple(sorted(keys))


def lived_with(case: Case, residents: Iterable[Residence], rules: ContactRules) -> list[Ground]:
    """Household members and, where policy says so, neighbours who were there inside the window."""
    found = []
    first, last = window(case)
    for residence in residents:
        if residence.person_id == case.person_id or not was_there(residence, first, last):
            continue
        days = _together(case, residence, first, last)
        if days is None:
            continue
        floor = residence.floor
        if reach_of_household(residence.household_id) in case.reach:
            found.append(_ground(case, residence, days, rules, at_home=True))
        elif (
            floor is not None
            and reach_of_floor(residence.building, residence.unit, floor) in case.reach
        ):
            found.append(_ground(case, residence, days, rules, at_home=False))
    return found


def _together(
    case: Case, residence: Residence, first: date, last: date
) -> tuple[date, date] | None:
    stays = [s for s in home_stays(case) if s.place == residence.building]
    if stays:
        last = min(last, max(day_of(s.last_present_at) for s in stays))
    if residence.stays_since:
        first = max(first, day_of(residence.stays_since))
    if residence.ended_at:
        last = min(last, day_of(residence.ended_at))
    return (first, last) if first <= last else None


def _ground(
    case: Case,
    residence: Residence,
    days: tuple[date, date],
    rules: ContactRules,
    *,
    at_home: bool,
) -> Ground:
    return Ground(
        source=HOUSEHOLD if at_home else NEIGHBOUR,
        ref=residence.residence_id,
        about=case.person_id,
        category=rules.household_category if at_home else rules.neighbour.category,
        kind=ContactKind.HOUSEHOLD if at_home else ContactKind.NEIGHBOUR,
        found_by=FoundBy.RULE,
        first_on=days[0],
        last_on=days[1],
        building=residence.building,
        household_id=residence.household_id,
        basis="same household" if at_home else "neighbour by floor",
    )


def claims(case: Case, dossier: Dossier, rules: ContactRules) -> list[Ground]:
    """What a declarant says of contacts with this case, inside its infectious time."""
    if dossier.person_id == case.person_id or case.infectious_from_on is None:
        return []
    return [
        Ground(
            source=CLAIM,
            ref=f"{claim.kind}:{claim.last_on.isoformat()}",
            about=case.person_id,
            category=rules.claim_category,
            kind=claim.kind,
            found_by=FoundBy.DECLARATION,
            first_on=claim.last_on,
            last_on=claim.last_on,
            building=dossier.building,
            household_id=dossier.household_id,
            basis="declared contact with this case",
        )
        for claim in dossier.claims
        if claim.case_id == case.case_id and claim.last_on >= case.infectious_from_on
    ]


def rides_together(
    case: Case, dossier: Dossier, exposures: Iterable[Exposure], rules: ContactRules
) -> list[Ground]:
    """Which standing exposures of the case a traveller's declared legs run into."""
    if dossier.person_id == case.person_id:
        return []
    return [
        Ground(
            source=EXPOSURE,
            ref=exposure.exposure_id,
            about=exposure.about,
            category=rules.transport.category,
            kind=ContactKind.TRANSPORT,
            found_by=FoundBy.DECLARATION,
            first_on=ride.on,
            last_on=ride.on,
            building=dossier.building,
            household_id=dossier.household_id,
            basis=f"{ride.mode} {ride.number} on {ride.on.isoformat()}",
        )
        for exposure in exposures
        if exposure.standing
        and exposure.case_id == case.case_id
        and exposure.setting == ExposureSetting.TRANSPORT
        and exposure.carrier is not None
        for ride in dossier.rides
        if same_carrier(exposure.carrier, ride, rules.transport)
    ]
