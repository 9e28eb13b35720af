"""The 2,000 declarations of the demo: full forms of the district's people. Pure.

Most stayed or came back from elsewhere; some came from the key area, some name a contact, some have
a fever. Among them are the first case, three who rode in the same coach, and some who nearly did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lianfang.days import at
from lianfang.demo.district import EVE, Household, InventedDistrict, Resident
from lianfang.demo.forms import full_form
from lianfang.demo.invention import Inventor
from lianfang.vocabulary import Need

DECLARATIONS = 2_000
#: When the forms are filled in: the eve of the story.
DECLARED_AT = at(EVE, 9)
#: How many of the 2,000 tell what; the rest stayed in Shenzhen or came back from elsewhere.
FROM_KEY_AREA, LONG_BACK, CONTACTS, FEVERS, PLANNED = 100, 40, 20, 10, 20
#: The case's journey home: inside the two days before the onset.
JOURNEY_ON = date(2020, 2, 1)
_KEY_AREA = (("420100", "武汉"), ("421100", "黄冈"), ("420900", "孝感"), ("421000", "荆州"))
_ELSEWHERE = (("430100", "长沙"), ("360100", "南昌"), ("440100", "广州"), ("441900", "东莞"))
_SHENZHEN = ("440300", "深圳")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarant:
    """Somebody with a form; `rides_with_case` and `near_miss` belong to the story."""

    resident: Resident
    household: Household
    form: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Whom the story names: the cases, those who rode along and the colleague."""

    case: Resident
    household_contacts: tuple[Resident, ...]
    second_case: Resident
    discarded_case: Resident
    colleague: Resident
    train: str


def journey(cast_train: str, coach: str, day: date) -> dict[str, Any]:
    """A seat in a train from Changsha to Shenzhen."""
    return _leg("train", _ELSEWHERE[0], _SHENZHEN, day, number=cast_train, coach=coach)


def cast(district: InventedDistrict) -> Cast:
    """The people of the story."""
    first, second = district.of_building(district.sealed)[:2]
    other = district.of_building(district.discarded)[0]
    elsewhere = _elsewhere(district)
    return Cast(
        case=first.residents[0],
        household_contacts=first.residents[1:],
        second_case=second.residents[0],
        discarded_case=other.residents[0],
        colleague=elsewhere[0].adults[0],
        train=f"G{6011 + district.edition}",
    )


def declare(district: InventedDistrict, seed: int, total: int = DECLARATIONS) -> list[Declarant]:
    """The 2,000 forms, or fewer in the same parts; the same seed gives the same forms."""
    inventor = Inventor(seed + 1, district.edition)
    people = cast(district)
    told = list(_story_forms(district, people, inventor))
    ready = iter(_elsewhere(district)[40:])
    for plan, often in _PLANS:
        for _ in range(often * total // DECLARATIONS):
            household = next(ready)
            told.append(_declarant(household.adults[0], household, plan(inventor)))
    while len(told) < total:
        household = next(ready)
        for resident in household.residents[: total - len(told)]:
            came_back = inventor.chance.random() < 0.3
            told.append(_declarant(resident, household, _back(inventor) if came_back else {}))
    return told


def forms(declarants: list[Declarant], size: int) -> Iterator[list[dict[str, Any]]]:
    """The forms in calls of `size`."""
    for start in range(0, len(declarants), size):
        yield [declarant.form for declarant in declarants[start : start + size]]


def _elsewhere(district: InventedDistrict) -> list[Household]:
    """Households outside the two buildings of the story, without needs that change a measure."""
    closed = {district.sealed, district.discarded}
    special = {Need.INFANT, Need.DISABILITY, Need.PET}
    return [
        household
        for household in district.households
        if household.building not in closed
        and household.adults
        and not any(special.intersection(r.needs) for r in household.residents)
    ][::3]


def _story_forms(
    district: InventedDistrict, people: Cast, inventor: Inventor
) -> Iterator[Declarant]:
    """The case, three in the same coach, and four who were near and are no contacts."""
    home = district.of_building(district.sealed)
    rides = [("05", 0)] * 4 + [("06", 0), ("06", 0), ("05", -1), ("05", -2)]
    seats = [(home[0], people.case)]
    seats += [(h, h.adults[0]) for h in _elsewhere(district)[1:8]]
    for (household, resident), (coach, days) in zip(seats, rides, strict=True):
        leg = journey(people.train, coach, JOURNEY_ON + timedelta(days=days))
        yield _declarant(resident, household, {"type": "returning", "legs": [leg]})
    yield _declarant(people.second_case, home[1], {})
    yield _declarant(people.colleague, _elsewhere(district)[0], {})
    for household in home[2:30]:
        yield _declarant(household.adults[0], household, {})


def _key_area(inventor: Inventor) -> dict[str, Any]:
    day = date(2020, 1, inventor.chance.randint(21, 24))
    start = inventor.chance.choice(_KEY_AREA)
    legs = [_leg("train", start, _SHENZHEN, day, number="G1003", coach="11")]
    return {"type": "returning", "legs": legs, "health": {"stayed_in_key_area": True}}


def _long_back(inventor: Inventor) -> dict[str, Any]:
    day = date(2020, 1, inventor.chance.randint(3, 12))
    start = inventor.chance.choice(_KEY_AREA)
    legs = [_leg("plane", start, _SHENZHEN, day, number="CZ3368", row=21)]
    return {"type": "returning", "legs": legs}


def _contact(inventor: Inventor) -> dict[str, Any]:
    last_on = date(2020, 1, inventor.chance.randint(26, 31))
    claim = {"kind": inventor.chance.choice(("meal", "visit")), "last_on": last_on.isoformat()}
    return {**_back(inventor), "health": {"contact_claims": [claim]}}


def _fever(inventor: Inventor) -> dict[str, Any]:
    warm = round(37.8 + inventor.chance.random(), 1)
    health = {"temperature": warm, "symptoms": ["fever", "dry_cough"]}
    return {**_key_area(inventor), "health": {"stayed_in_key_area": True, **health}}


def _planned(inventor: Inventor) -> dict[str, Any]:
    day = EVE + timedelta(days=inventor.chance.randint(2, 6))
    start = inventor.chance.choice(_ELSEWHERE)
    leg = _leg("train", start, _SHENZHEN, day, number="G6013", coach="03", planned=True)
    return {"type": "returning", "legs": [leg]}


def _back(inventor: Inventor) -> dict[str, Any]:
    """The form's own example: there, onward, and home again."""
    day = date(2020, 1, inventor.chance.randint(2, 29))
    there, onward = inventor.chance.sample(_ELSEWHERE, 2)
    number = inventor.chance.randint(1000, 9999)
    legs = [
        _leg("plane", _SHENZHEN, there, day, number=f"ZH{number}", row=12),
        _leg("train", there, onward, day, hour=13, number=f"D{number}", coach="08"),
        _leg("coach", onward, _SHENZHEN, day + timedelta(days=1), number=f"粤B{number}D"),
    ]
    return {"type": "returning", "legs": legs}


def _leg(
    mode: str,
    start: tuple[str, str],
    end: tuple[str, str],
    day: date,
    *,
    hour: int = 8,
    planned: bool = False,
    **seat: Any,
) -> dict[str, Any]:
    return {
        "mode": mode,
        "from_division": start[0],
        "from_text": start[1],
        "to_division": end[0],
        "to_text": end[1],
        "depart_at": at(day, hour, 5).isoformat(),
        "arrive_at": at(day, hour + 4, 40).isoformat(),
        "planned": planned,
        **seat,
    }


def _declarant(resident: Resident, household: Household, told: dict[str, Any]) -> Declarant:
    return Declarant(
        resident=resident,
        household=household,
        form=full_form(resident, household, told, DECLARED_AT),
    )


_PLANS: tuple[tuple[Callable[[Inventor], dict[str, Any]], int], ...] = (
    (_key_area, FROM_KEY_AREA),
    (_long_back, LONG_BACK),
    (_contact, CONTACTS),
    (_fever, FEVERS),
    (_planned, PLANNED),
)
