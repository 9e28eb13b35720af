"""Fills in the declaration form, all five groups of it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lianfang.demo.district import Household, Resident


def full_form(
    resident: Resident, household: Household, told: dict[str, Any], declared_at: datetime
) -> dict[str, Any]:
    """The form of one resident; `told` has `type`, `legs` and `health` where they are not usual."""
    return {
        "basic": _basic(resident),
        "person_type": {"type": told.get("type", "stayed"), "legs": told.get("legs", [])},
        "health": {
            "stayed_in_key_area": False,
            "contact_claims": [],
            "temperature": 36.5,
            "symptoms": [],
            "sought_care": False,
            "has_separate_room": True,
            **told.get("health", {}),
        },
        "residence": _home(household),
        "other": {
            "workplace": "某科技有限公司",
            "work_since_on": "2020-02-10",
            "needs": [str(need) for need in resident.needs],
            "statement_version": "2020-02",
            "statement_agreed": True,
        },
        "declared_at": declared_at.isoformat(),
    }


def _basic(resident: Resident) -> dict[str, Any]:
    """Who declares; a minor by the parent who is the guardian."""
    basic: dict[str, Any] = {
        "name": resident.name,
        "document_type": "resident_id",
        "document_number": resident.document_number,
        "gender": "male" if resident.male else "female",
        "birth_on": resident.born_on.isoformat(),
        "nationality": "CHN",
        "phone": resident.phone,
    }
    if resident.guardian_number:
        parent = {"document_number": resident.guardian_number, "relationship": "parent"}
        basic["proxy"] = parent
    return basic


def _home(household: Household) -> dict[str, Any]:
    home: dict[str, Any] = {
        "building": household.building,
        "room": household.room,
        "floor": household.floor,
        "kind": "usual",
        "tenure": "owner",
    }
    if household.unit:
        home["unit"] = household.unit
    return home
