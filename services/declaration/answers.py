"""What queries answer: states with personal data masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from lianfang.errors import InvalidPayload, NotFound
from lianfang.runtime.documents import Page
from services.declaration import store
from services.declaration.domain import documents
from services.declaration.domain.declaration import Declaration
from services.declaration.domain.documents import DocumentType
from services.declaration.domain.residence import Residence


def residents(reader: Any, vault: Any, found: Iterable[Residence]) -> list[dict[str, Any]]:
    """Residences with their persons' masked names."""
    listed = list(found)
    persons = reader.load(store.PERSONS, [residence.person_id for residence in listed])
    opened = {key: vault.open(person.sealed) for key, person in persons.items()}
    return [{**asdict(x), **_masked(opened.get(x.person_id, {}))} for x in listed]


def _masked(texts: Mapping[str, Any]) -> dict[str, Any]:
    phone, number = texts.get("phone"), texts.get("document_number")
    return {
        "name_masked": documents.mask_name(texts.get("name") or ""),
        "phone_masked": documents.mask_phone(phone) if phone else None,
        "document_number_masked": documents.mask_number(number) if number else None,
    }


def find_residents(reader: Any, vault: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of residences.

    Raises:
        InvalidPayload: neither document, person nor place was given.
    """
    by = "residence_id"
    if request["document_number"]:
        number = documents.normalise(request["document_number"])
        marks = [vault.fingerprint(f"{kind.value}:{number}") for kind in DocumentType]
        persons = store.persons_by_documents(reader, marks)
        where: dict[str, Any] = {"person_id": {"$in": [person.person_id for person in persons]}}
    elif request["person_id"]:
        where = {"person_id": request["person_id"]}
    elif request["place"]:
        where, by = store.under(request["place"], "room_path"), "room_path"
    else:
        raise InvalidPayload.of("place", "give document_number, person_id or place")
    page = store.page_of_residences(reader, where, request, by)
    return {"residents": residents(reader, vault, page.items), "next": page.next}


def roll(reader: Any, vault: Any, building: str) -> dict[str, Any]:
    """Everybody who lives in a building.

    Raises:
        NotFound: there is no such building.
    """
    if reader.get(store.PLACES, building) is None:
        raise NotFound.of("building", building)
    found = store.roll_of(reader, building)
    return {
        "building": building,
        "households": len({residence.household_id for residence in found}),
        "persons": len({residence.person_id for residence in found}),
        "residents": residents(reader, vault, found),
    }


def declaration(vault: Any, found: Declaration) -> dict[str, Any]:
    """A declaration with names and numbers masked."""
    correction = found.correction
    return {
        **asdict(found.facts),
        **_masked(vault.open(found.sealed)),
        "residence_id": found.residence_id,
        "sought_care": found.sought_care,
        "tenure": found.tenure,
        "correction_asked_at": correction.asked_at if correction else None,
    }


def declarations(vault: Any, page: Page[Declaration]) -> dict[str, Any]:
    """A page of declarations."""
    return {"declarations": [declaration(vault, found) for found in page.items], "next": page.next}


def submitted(found: Declaration) -> dict[str, Any]:
    """What the declarant gets back."""
    return {
        "declaration_id": found.declaration_id,
        "person_id": found.person_id,
        "household_id": found.household_id,
        "revision": found.revision,
    }
