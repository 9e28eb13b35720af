"""Persons as commands need them: known at all, where they stay, which case they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from lianfang.errors import NotFound
from services.screening import store
from services.screening.domain.dossiers import Dossier
from services.screening.domain.residences import Residence, main_residence


class People:
    """What is held of these persons, loaded in two queries."""

    def __init__(self, work: Any, person_ids: Iterable[str], district: str) -> None:
        wanted = sorted(set(person_ids))
        self.work, self.district = work, district
        self.dossiers: dict[str, Dossier] = work.load(store.DOSSIERS, wanted)
        self.residences: dict[str, list[Residence]] = defaultdict(list)
        for residence in store.residences_of(work, wanted):
            self.residences[residence.person_id].append(residence)

    def require(self, person_id: str) -> str:
        """The id, when somebody has it.

        Raises:
            NotFound: nobody declared or was registered under it.
        """
        if person_id not in self.dossiers and person_id not in self.residences:
            raise NotFound.of("person", person_id)
        return person_id

    def dossier(self, person_id: str) -> Dossier:
        """The person's dossier as this unit of work knows it; an empty one for the first word."""
        known: Dossier | None = self.work.get(store.DOSSIERS, person_id)
        return known or Dossier(person_id=person_id)

    def building(self, person_id: str) -> str:
        """Where the person stays, else declared to; the district when nothing is known."""
        main = main_residence(self.residences.get(person_id, []))
        declared = self.dossiers.get(person_id)
        return (main.building if main else None) or (
            declared.building if declared and declared.building else self.district
        )

    def household(self, person_id: str) -> str | None:
        """The household the person stays in, else declared to."""
        main = main_residence(self.residences.get(person_id, []))
        declared = self.dossiers.get(person_id)
        return main.household_id if main else (declared.household_id if declared else None)
