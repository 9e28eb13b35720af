"""Persons: one id for life, identifiers found by keyed hash, everything personal sealed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from lianfang.envelope import natural_id
from services.declaration.domain.documents import DocumentType

_ADULT_AT = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One document of a person; its number lies in the person's sealed record."""

    document_type: DocumentType
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person. `moves` counts, so that every move is a revision of its own.

    `fingerprints` repeats the identifiers' for the index; `facts` is the fingerprint of what is
    sealed, so that an unchanged record is not sealed again.
    """

    person_id: str
    fingerprints: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    sealed: bytes
    facts: str
    guardian_id: str | None = None
    moves: int = 0


def id_of_document(fingerprint: str) -> str:
    """The id of whom this document is the first one seen of."""
    return natural_id("person", fingerprint)


def id_without_document(household_id: str, name_fingerprint: str, born: date | None) -> str:
    """The id of somebody known only as this name of this household, declared or on its roll."""
    return natural_id("person", household_id, name_fingerprint, born)


def linked(person: Person, identifier: Identifier) -> Person:
    """The person with one more document."""
    if identifier.fingerprint in person.fingerprints:
        return person
    return replace(
        person,
        fingerprints=(*person.fingerprints, identifier.fingerprint),
        identifiers=(*person.identifiers, identifier),
    )


def is_minor(born: date | None, today: date) -> bool:
    """Under 18; somebody of unknown age counts as grown up."""
    if born is None:
        return False
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (not had_birthday) < _ADULT_AT
