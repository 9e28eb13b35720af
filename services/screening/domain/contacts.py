"""Contacts: one per case and person, holding every ground on which the person is one.

A contact is a function of its grounds, so it does not matter which ground was found first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from lianfang.envelope import natural_id
from lianfang.events.screening import ContactDropped, ContactIdentified
from lianfang.places import Level, at_level
from lianfang.vocabulary import ContactCategory, ContactKind, FoundBy

_CATEGORIES = list(ContactCategory)
_KINDS = list(ContactKind)

HOUSEHOLD, NEIGHBOUR, CLAIM, EXPOSURE, INVESTIGATOR = (
    "household",
    "neighbour",
    "claim",
    "exposure",
    "investigator",
)


class ContactState(StrEnum):
    """The part of a contact's life that screening leads."""

    IDENTIFIED = "identified"
    BECAME_CASE = "became_case"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One reason why a person is a contact: `source` is the way, `ref` what it rests on.

    `about` is the person whose contact it is: a case that turns out to be somebody else loses it.
    """

    source: str
    ref: str
    about: str
    category: ContactCategory
    kind: ContactKind
    found_by: FoundBy
    first_on: date
    last_on: date
    building: str
    household_id: str | None = None
    basis: str = ""

    def rank(self) -> tuple[object, ...]:
        """The strictest category first, then kinds in the guideline's order; total, so no tie."""
        return (
            _CATEGORIES.index(self.category),
            _KINDS.index(self.kind),
            self.source,
            self.ref,
            self.first_on,
            self.last_on,
            self.building,
            self.household_id or "",
            self.about,
            self.basis,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person who met a case. A dropped one stays as a tombstone with its last facts."""

    contact_id: str
    case_id: str
    person_id: str
    state: ContactState
    category: ContactCategory
    kind: ContactKind
    found_by: FoundBy
    first_exposure_on: date
    last_exposure_on: date
    building: str
    household_id: str | None
    basis: str
    policy_version: str
    grounds: tuple[Ground, ...]
    reason: str | None = None
    revision: int = 0


def contact_id_of(case_id: str, person_id: str) -> str:
    """The contact's id: one per case and person."""
    return natural_id("contact", case_id, person_id)


def drawn(
    before: Contact | None,
    case_id: str,
    person_id: str,
    grounds: Iterable[Ground],
    policy_version: str,
) -> Contact | None:
    """The contact that these grounds make; None when there is none and never was."""
    ranked = tuple(sorted(set(grounds), key=Ground.rank))
    if not ranked:
        return None if before is None else replace(before, state=ContactState.DROPPED, grounds=())
    best = ranked[0]
    same = [ground for ground in ranked if ground.category == best.category]
    return Contact(
        contact_id=contact_id_of(case_id, person_id),
        case_id=case_id,
        person_id=person_id,
        state=ContactState.IDENTIFIED,
        category=best.category,
        kind=best.kind,
        found_by=best.found_by,
        first_exposure_on=min(ground.first_on for ground in same),
        last_exposure_on=max(ground.last_on for ground in same),
        building=best.building,
        household_id=best.household_id,
        basis=best.basis,
        policy_version=policy_version,
        grounds=ranked,
        revision=before.revision if before else 0,
    )


def news(before: Contact | None, after: Contact) -> bool:
    """Whether readers would see a difference."""
    gone = after.state == ContactState.DROPPED
    was_gone = before is None or before.state == ContactState.DROPPED
    if before is None or gone != was_gone:
        return True
    return not gone and _seen(before) != _seen(after)


def said(contact: Contact) -> ContactIdentified | ContactDropped:
    """The word about a contact as it now is."""
    gone = contact.state == ContactState.DROPPED
    return _dropped(contact) if gone else _identified(contact)


def _seen(contact: Contact) -> tuple[object, ...]:
    return (
        contact.category,
        contact.kind,
        contact.found_by,
        contact.first_exposure_on,
        contact.last_exposure_on,
        contact.building,
        contact.household_id,
        contact.basis,
    )


def _identified(contact: Contact) -> ContactIdentified:
    return ContactIdentified(
        contact_id=contact.contact_id,
        case_id=contact.case_id,
        person_id=contact.person_id,
        household_id=contact.household_id,
        building=contact.building,
        category=contact.category,
        kind=contact.kind,
        found_by=contact.found_by,
        first_exposure_on=contact.first_exposure_on,
        last_exposure_on=contact.last_exposure_on,
        basis=contact.basis,
        owning_district=district_of(contact.building),
        policy_version=contact.policy_version,
        revision=contact.revision,
    )


def _dropped(contact: Contact) -> ContactDropped:
    return ContactDropped(
        contact_id=contact.contact_id,
        case_id=contact.case_id,
        person_id=contact.person_id,
        reason=contact.reason or "",
        revision=contact.revision,
    )


def district_of(place: str) -> str:
    """The management district that a place lies in."""
    district = at_level(place, Level.DISTRICT)
    return district.rpartition(".")[2] if district else place
