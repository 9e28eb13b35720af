"""What a recorded case is completed with: infectious days, stays, household, place and reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from lianfang.events.screening import Stay
from services.screening.domain import cases, stays, tracing
from services.screening.domain.cases import Case
from services.screening.domain.contacts import district_of
from services.screening.domain.rules import ScreeningRules
from services.screening.domain.times import check_instant
from services.screening.people import People


def complete(work: Any, rules: ScreeningRules, case: Case, people: People) -> Case:
    """The case with everything that follows from its facts and where its person lives.

    The buildings it names are guarded: who registers there at the same moment is not missed.
    """
    contacts = rules.contacts
    from_on = cases.infectious_from(case, contacts.look_back_days)
    case = replace(case, infectious_from_on=from_on, policy_version=rules.version)
    mine = [r for r in people.residences.get(case.person_id, []) if r.known]
    if not case.stays_given:
        back = max(contacts.look_back_days, contacts.stay_look_back_days)
        oldest = cases.infectious_from(case, back)
        case = replace(case, stays=stays.computed(case, mine, oldest, work.now))
    work.guard("building", *{stay.place for stay in case.stays})
    first = next(iter(cases.home_stays(case) or case.stays), None)
    place = first.place if first else people.building(case.person_id)
    return replace(
        case,
        building=place,
        household_id=(first.household_id if first else None) or people.household(case.person_id),
        owning_district=district_of(place),
        reach=tracing.reach(case, mine, contacts.neighbour),
    )


def stays_given(
    work: Any, people: People, person_id: str, given: Iterable[dict[str, Any]]
) -> tuple[Stay, ...]:
    """The stays as somebody recorded them.

    Raises:
        InvalidPayload: one lies in the future.
    """
    found = []
    for n, stay in enumerate(given):
        check_instant(stay["last_present_at"], work.now, f"stays.{n}.last_present_at")
        found.append(stays.recorded(**stay, own=people.residences.get(person_id, [])))
    return tuple(found)
