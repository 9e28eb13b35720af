"""Look-ups go by index, so that a million residents cost what ten thousand do."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.testing.pump import Pump
from services.declaration import store
from tests.component.declaration import town as t


def stages(plan: dict[str, Any]) -> set[str]:
    found = {plan["stage"]}
    for inner in [plan.get("inputStage"), *plan.get("inputStages", [])]:
        found |= stages(inner) if inner else set()
    return found


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("persons", {"fingerprints": {"$in": ["a", "b"]}}),
        ("residences", {"person_id": {"$in": ["a", "b"]}}),
        ("households", {"room_path": {"$in": ["a", "b"]}}),
        ("residences", {"$and": [store.under(t.BUILDING, "room_path"), {"ended_at": None}]}),
        ("declarations", store.under(t.BUILDING, "place")),
        ("places", store.under(t.COMMUNITY, "_id")),
    ],
)
def test_a_look_up_goes_by_index(declaration: Pump, name: str, where: dict[str, Any]) -> None:
    t.submit(declaration, *[t.form(n) for n in range(20)])
    plan = declaration.documents("declaration").database[name].find(where).explain()
    used = stages(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in used
    assert "COLLSCAN" not in used
