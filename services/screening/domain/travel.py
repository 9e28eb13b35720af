"""Legs, carriers and standing exposures: who sat in the same flight, train coach or bus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lianfang.days import day_of
from lianfang.envelope import natural_id
from lianfang.events.declaration import Leg
from lianfang.events.screening import Carrier, ExposurePublished, ExposureWithdrawn
from lianfang.vocabulary import ExposureSetting, TravelMode
from services.screening.domain.rules import TransportRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Ride:
    """A leg that can be matched: on what, when, where in it."""

    mode: TravelMode
    number: str
    on: date
    depart_at: datetime
    arrive_at: datetime
    coach: str | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """A standing exposure of a case; `about` is whose way it was, `from_leg` how it is known."""

    exposure_id: str
    case_id: str
    about: str
    setting: ExposureSetting
    from_at: datetime
    until_at: datetime
    carrier: Carrier | None = None
    place: str | None = None
    from_leg: bool = False
    standing: bool = True
    reason: str | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where decisions over declarations and decisions over cases meet: a carrier-day, a case.

    Both sides change it, so neither can miss what the other just wrote.
    """

    key: str
    exposure_ids: tuple[str, ...] = ()
    revision: int = 0


def normal(text: str) -> str:
    """A number as it is compared: no blanks, capitals."""
    return "".join(text.split()).upper()


def carrier_day(mode: TravelMode, number: str, on: date) -> str:
    """The key under which travellers and exposures meet."""
    return f"{mode}:{normal(number)}:{on.isoformat()}"


def case_key(case_id: str) -> str:
    """The key under which claims and a case meet."""
    return f"case:{case_id}"


def rides(legs: Iterable[Leg], rule: TransportRule, declared_on: date) -> tuple[Ride, ...]:
    """The legs that can be matched: a carrier with a number, not too long ago."""
    oldest = declared_on - timedelta(days=rule.matching_days)
    found = []
    for leg in legs:
        if leg.number is None or leg.mode not in rule.modes:
            continue
        on = day_of(leg.depart_at)
        if on < oldest:
            continue
        found.append(
            Ride(
                mode=leg.mode,
                number=normal(leg.number),
                on=on,
                depart_at=leg.depart_at,
                arrive_at=leg.arrive_at or leg.depart_at,
                coach=normal(leg.coach) if leg.coach else None,
                row=leg.row,
            )
        )
    return tuple(found)


def same_carrier(carrier: Carrier, ride: Ride, rule: TransportRule) -> bool:
    """Whether a traveller sat where the case did, as policy draws the line."""
    same = (carrier.mode, normal(carrier.number), carrier.on) == (ride.mode, ride.number, ride.on)
    if not same:
        return False
    if ride.mode in rule.same_coach and (
        carrier.coach is None or normal(carrier.coach) != ride.coach
    ):
        return False
    if rule.rows_around is None or not carrier.rows or ride.row is None:
        return True
    return any(abs(row - ride.row) <= rule.rows_around for row in carrier.rows)


def exposures_of(
    case_id: str, person_id: str, ridden: Iterable[Ride], window: tuple[date, date]
) -> dict[str, Exposure]:
    """The exposures that a case's own legs inside the infectious window are."""
    found = {}
    for ride in ridden:
        if not window[0] <= ride.on <= window[1]:
            continue
        exposure = exposure_of(
            case_id,
            person_id,
            setting=ExposureSetting.TRANSPORT,
            from_at=ride.depart_at,
            until_at=ride.arrive_at,
            carrier=Carrier(
                mode=ride.mode,
                number=ride.number,
                on=ride.on,
                coach=ride.coach,
                rows=(ride.row,) if ride.row is not None else (),
            ),
            from_leg=True,
        )
        found[exposure.exposure_id] = exposure
    return found


def exposure_of(case_id: str, about: str, **facts: object) -> Exposure:
    """An exposure under the id of its natural key: case, person, setting, where and when."""
    carrier, place = facts.get("carrier"), facts.get("place")
    where = (
        (carrier_day(carrier.mode, carrier.number, carrier.on), carrier.coach)
        if isinstance(carrier, Carrier)
        else (place, facts["from_at"])
    )
    exposure_id = natural_id("exposure", case_id, about, facts["setting"], *where)
    return Exposure(exposure_id=exposure_id, case_id=case_id, about=about, **facts)  # type: ignore[arg-type]


def published(exposure: Exposure) -> ExposurePublished:
    """The word that an exposure stands."""
    return ExposurePublished(
        exposure_id=exposure.exposure_id,
        case_id=exposure.case_id,
        setting=exposure.setting,
        from_at=exposure.from_at,
        until_at=exposure.until_at,
        carrier=exposure.carrier,
        place=exposure.place,
        revision=exposure.revision,
    )


def withdrawn(exposure: Exposure) -> ExposureWithdrawn:
    """The word that it does not any more."""
    return ExposureWithdrawn(
        exposure_id=exposure.exposure_id,
        case_id=exposure.case_id,
        reason=exposure.reason or "",
        revision=exposure.revision,
    )
