"""The fixture's own ledger: what must follow, counted from the invented data alone. Pure.

Nothing here asks a service or reads a policy file: the rules of February 2020 are written down a
second time, in a few plain lines, so that the two can be compared.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lianfang.days import SHANGHAI
from lianfang.demo.declarations import Declarant
from lianfang.demo.district import EVE, Household, InventedDistrict, Resident
from lianfang.vocabulary import Need

#: A sealed building opens after fourteen days, the first one counted.
DAYS = 14
FIRST_ON, SECOND_ON, DISCARDED_ON = date(2020, 2, 3), date(2020, 2, 6), date(2020, 2, 7)
_KEY_PROVINCE = "42"
_FEVER = 37.3
_LOOK_BACK = timedelta(days=14)
_OF_A_CASE = ("network_report", "case_investigation", "case_transfer", "terminal_disinfection")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one case must bring about in its building and beyond."""

    seals: int
    orders: int
    orders_by_measure: dict[str, int]
    households: int
    persons: int
    contacts: int
    contacts_by_category: dict[str, int]
    contacts_by_kind: dict[str, int]
    tasks: int
    tasks_by_kind: dict[str, int]
    due_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCount:
    """What the doors of the other building show, and how many orders stand after it."""

    found: int
    absent: int
    unregistered: int
    lives_elsewhere: int
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Everything the demo compares with what the services did."""

    residents: int
    declarations: int
    outcomes: dict[str, int]
    first_case: Expected
    second_case: Expected
    discarded_case: Expected
    head_count: HeadCount

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def outcome_of(form: dict[str, Any]) -> str:
    """The verdict on a form: medical before contact before key area."""
    health = form["health"]
    if health["temperature"] >= _FEVER or "fever" in health["symptoms"]:
        return "hospital"
    since = EVE - _LOOK_BACK
    if any(date.fromisoformat(c["last_on"]) >= since for c in health["contact_claims"]):
        return "centralised_quarantine"
    if health["stayed_in_key_area"] or any(
        _KEY_PROVINCE in (leg["from_division"][:2], leg["to_division"][:2])
        and _day(leg["arrive_at"]) >= since
        and not leg["planned"]
        for leg in form["person_type"]["legs"]
    ):
        return "home_quarantine"
    return "pass"


def travellers(declarants: list[Declarant], case: Resident) -> list[Declarant]:
    """Who rode in the same coach of the same train on the same day."""
    seats = {
        _seat(leg)
        for declarant in declarants
        if declarant.resident is case
        for leg in declarant.form["person_type"]["legs"]
    }
    return [
        declarant
        for declarant in declarants
        if declarant.resident is not case
        and any(_seat(leg) in seats for leg in declarant.form["person_type"]["legs"])
    ]


def ledger(district: InventedDistrict, declarants: list[Declarant]) -> Ledger:
    """Count what must follow from the data."""
    sealed = district.of_building(district.sealed)
    other = district.of_building(district.discarded)
    case = sealed[0].residents[0]
    rode = len(travellers(declarants, case))
    return Ledger(
        residents=district.residents,
        declarations=len(declarants),
        outcomes=dict(sorted(Counter(outcome_of(d.form) for d in declarants).items())),
        first_case=_expected(
            district, sealed, (sealed[0],), outside={"workplace": 1, "transport": rode}, on=FIRST_ON
        ),
        second_case=_expected(district, sealed, sealed[:2], outside={}, on=SECOND_ON),
        discarded_case=_expected(district, other, (other[0],), outside={}, on=DISCARDED_ON),
        head_count=_head_count(other),
    )


def _head_count(building: tuple[Household, ...]) -> HeadCount:
    """Three absent, one who lives elsewhere, and two of whom nobody had told."""
    persons = sum(len(household.residents) for household in building)
    absent, elsewhere, more = 3, 1, 2
    found = persons - absent - elsewhere
    return HeadCount(
        found=found,
        absent=absent,
        unregistered=more,
        lives_elsewhere=elsewhere,
        orders=found + more,
    )


def _expected(
    district: InventedDistrict,
    building: tuple[Household, ...],
    infected: tuple[Household, ...],
    *,
    outside: dict[str, int],
    on: date,
) -> Expected:
    """One more case, in the last of the `infected` households; the others had theirs before."""
    persons = sum(len(household.residents) for household in building)
    together = sum(len(household.residents) - 1 for household in infected)
    household = len(infected[-1].residents) - 1
    kinds = {kind: n for kind, n in {"household": household, **outside}.items() if n}
    contacts = sum(kinds.values())
    is_first = len(infected) == 1
    tasks = Counter(_OF_A_CASE)
    tasks.update(trinity_visit=contacts, contact_transfer=contacts)
    if any(Need.PET in resident.needs for resident in infected[-1].residents):
        tasks.update(pet_pickup=1)
    if is_first:
        path = building[0].building
        exits = next(len(b.exits) for b in district.buildings if b.path == path)
        tasks.update(gate_post=exits, head_count=1, serve_notice=1)
    measures = {
        "isolation": len(infected),
        "facility": together,
        "sealed": persons - len(infected) - together,
    }
    return Expected(
        seals=1,
        orders=persons,
        orders_by_measure=measures,
        households=len(building),
        persons=persons,
        contacts=contacts,
        contacts_by_category={"close": contacts},
        contacts_by_kind=dict(sorted(kinds.items())),
        tasks=tasks.total(),
        tasks_by_kind=dict(sorted(tasks.items())),
        due_on=(on + timedelta(days=DAYS - 1)).isoformat(),
    )


def _seat(leg: dict[str, Any]) -> tuple[str, str, str, date]:
    return leg["mode"], leg["number"], leg.get("coach", ""), _day(leg["depart_at"])


def _day(instant: str) -> date:
    return datetime.fromisoformat(instant).astimezone(SHANGHAI).date()
