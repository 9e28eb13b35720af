"""Invents the demo's district from a seed: about 20,000 people, and the few the story is about.

The same seed and edition give the same district. Nothing here is real but the codes of streets and
communities; document numbers are impossible for real people.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from lianfang.demo.invention import Inventor, age_on
from lianfang.demo.townscape import Building, Enclosure, enclosures
from lianfang.vocabulary import Need

POPULATION = 20_000
#: The day before the story begins; everybody has lived where they live for long.
EVE = date(2020, 2, 2)
#: A building of the reports of February 2020: 52 households, 91 people.
SEALED_SIZES = (3, 2, *(1,) * 22, *(2,) * 20, *(3,) * 8)
DISCARDED_SIZES = (2, *(1,) * 6, *(2,) * 10, *(3,) * 7)
_ADULT = 18
_OLD = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody who lives in the district."""

    name: str
    male: bool
    born_on: date
    document_number: str
    phone: str
    needs: tuple[Need, ...] = ()
    guardian_number: str = ""

    @property
    def age(self) -> int:
        """Full years on the eve of the story."""
        return age_on(self.born_on, EVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Who lives together in a room."""

    key: str
    building: str
    unit: str
    room: str
    floor: int
    residents: tuple[Resident, ...]

    @property
    def adults(self) -> tuple[Resident, ...]:
        """Those who may declare for the others."""
        return tuple(r for r in self.residents if r.age >= _ADULT)


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedDistrict:
    """Everything that is loaded before the story begins, and whom the story is about.

    The first household of `sealed` has the first case, its second household the second one; the
    first household of `discarded` has the case that turns out to be none.
    """

    edition: int
    path: str
    enclosures: tuple[Enclosure, ...]
    households: tuple[Household, ...]
    sealed: str
    discarded: str
    workplace: str

    def of_building(self, building: str) -> tuple[Household, ...]:
        """The households of a building, in the order in which they were invented."""
        return tuple(h for h in self.households if h.building == building)

    @property
    def residents(self) -> int:
        """How many people live here."""
        return sum(len(household.residents) for household in self.households)

    @property
    def buildings(self) -> tuple[Building, ...]:
        """All buildings."""
        return tuple(b for enclosure in self.enclosures for b in enclosure.buildings)


def invent(
    seed: int, path: str, edition: int = 0, population: int = POPULATION
) -> InventedDistrict:
    """The district that belongs to this seed; `path` is the management district's."""
    estates = enclosures(path, edition)
    first = estates[0].buildings
    sealed, discarded = first[6].path, first[10].path
    inventor = Inventor(seed, edition)
    fixed = {sealed: SEALED_SIZES, discarded: DISCARDED_SIZES}
    households: list[Household] = []
    missing = population
    buildings = [building for estate in estates for building in estate.buildings]
    for building in sorted(buildings, key=lambda b: b.path not in fixed):
        for household in _fill(inventor, building, fixed.get(building.path), missing):
            households.append(household)
            missing -= len(household.residents)
    return InventedDistrict(
        edition=edition,
        path=path,
        enclosures=estates,
        households=tuple(households),
        sealed=sealed,
        discarded=discarded,
        workplace=estates[3].buildings[0].path,
    )


def _fill(
    inventor: Inventor, building: Building, fixed: tuple[int, ...] | None, missing: int
) -> Iterator[Household]:
    """Households of one building, room by room, until it is full or nobody is missing."""
    doors = building.floors * building.rooms
    for n in range(len(fixed) if fixed else doors):
        size = fixed[n] if fixed else min(inventor.chance.choice(building.sizes), missing)
        if size == 0:
            return
        missing -= size
        floor = n * building.floors // doors + 1 if not fixed else n // 2 + 3
        door = n % building.rooms + 1 if not fixed else n % 2 + 1
        unit = building.units[n % len(building.units)] if building.units else ""
        story = bool(fixed) and n < 2
        yield Household(
            key=f"{building.path}/{n + 1}",
            building=building.path,
            unit=unit,
            room=f"r{floor:02d}{door:02d}",
            floor=floor,
            residents=_people(inventor, size, story=story),
        )


def _people(inventor: Inventor, size: int, *, story: bool) -> tuple[Resident, ...]:
    """A household: adults first, then children; in the story's households adults and a pet."""
    chance = inventor.chance
    adults = size if size < 3 or story else chance.choice((2, 2, 2, 3))
    people: list[Resident] = []
    for n in range(size):
        is_adult = n < min(adults, size)
        if story:
            born_on = inventor.birthday(66, 69) if n == 2 else inventor.birthday(34, 45)
        elif is_adult:
            born_on = inventor.birthday(*chance.choice(((20, 35), (24, 48), (45, 66), (66, 88))))
        else:
            born_on = inventor.birthday(0, 17)
        guardian = "" if is_adult else people[0].document_number
        people.append(_resident(inventor, born_on, guardian, _needs(inventor, born_on, n, story)))
    return tuple(people)


def _needs(inventor: Inventor, born_on: date, position: int, story: bool) -> tuple[Need, ...]:
    age, chance = age_on(born_on, EVE), inventor.chance
    if story:
        return (Need.PET,) if position == 0 else ()
    needs = []
    if age >= _OLD:
        needs.append(Need.ELDERLY)
    if age >= 45 and chance.random() < 0.15:
        needs.append(Need.CHRONIC_MEDICINE)
    if age < 2:
        needs.append(Need.INFANT)
    if _ADULT <= age < 42 and chance.random() < 0.01:
        needs.append(Need.PREGNANCY)
    if chance.random() < 0.01:
        needs.append(Need.DISABILITY)
    if position == 0 and chance.random() < 0.08:
        needs.append(Need.PET)
    return tuple(needs)


def _resident(
    inventor: Inventor, born_on: date, guardian: str, needs: tuple[Need, ...]
) -> Resident:
    male = inventor.chance.random() < 0.52
    return Resident(
        name=inventor.name(),
        male=male,
        born_on=born_on,
        document_number=inventor.number(born_on, male=male),
        phone=f"100{inventor.chance.randint(0, 99_999_999):08d}",  # no operator has 100…
        needs=needs,
        guardian_number=guardian,
    )
