"""Where a case was: computed from its residences, or as somebody recorded it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from lianfang.days import day_of
from lianfang.events.screening import Stay
from lianfang.places import Level, at_level, wire_place
from lianfang.vocabulary import PlaceUse, ResidenceKind
from services.screening.domain.cases import Case, window
from services.screening.domain.residences import Residence, last_present_at, was_there


def computed(
    case: Case, residences: Iterable[Residence], oldest: date, now: datetime
) -> tuple[Stay, ...]:
    """The residences where the case may have been since `oldest`, the usual one first."""
    last = window(case)[1]
    until = case.decided_at or now
    if case.custody_since and last < day_of(until):
        until = case.custody_since
    found = (
        Stay(
            place=residence.building,
            last_present_at=last_present_at(residence, until),
            unit_segment=residence.unit,
            household_id=residence.household_id,
        )
        for residence in sorted(residences, key=_usual_first)
        if was_there(residence, oldest, last)
    )
    return tuple(stay for stay in found if day_of(stay.last_present_at) >= oldest)


def recorded(
    place: str,
    last_present_at: datetime,
    use: PlaceUse,
    household_id: str | None,
    own: Iterable[Residence],
) -> Stay:
    """A stay as somebody recorded it; the household is the person's own there unless named.

    The place stops at the building; its unit is told beside it.
    """
    building = wire_place(place)
    unit = at_level(place, Level.UNIT)
    here = [residence for residence in own if residence.building == building]
    units = (residence.unit for residence in here if residence.unit)
    return Stay(
        place=building,
        last_present_at=last_present_at,
        use=use,
        unit_segment=unit.rpartition(".")[2] if unit else min(units, default=None),
        household_id=household_id or min((r.household_id for r in here), default=None),
    )


def _usual_first(residence: Residence) -> tuple[int, str]:
    return list(ResidenceKind).index(residence.kind), residence.residence_id
