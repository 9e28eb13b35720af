"""The short way through a form gives what the schema gives, and never lets more through."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from services.declaration.schemas.forms import FormDocument
from services.declaration.schemas.quick import Doubt, record_reader
from tests.component.declaration import town as t

SLOW, QUICK = FormDocument(), record_reader(FormDocument())


def slowly(document: Any) -> Any:
    return SLOW.load(document)


def test_a_right_form_takes_the_short_way() -> None:
    assert QUICK(t.form()) == slowly(t.form())


values = st.sampled_from(
    [None, "", "x", "\0", "\ud800", 0, -1, 1.5, True, [], ["x"], {}, {"$a": 1}, "2020-13-01",
     "2020-01-01", "20200101", "2020-01-01T00:00:00", "2020-01-01T00:00:00Z", "x" * 300, 10**400]
)  # fmt: skip


@given(st.integers(0, 60), values)
def test_whatever_the_short_way_accepts_the_schema_accepts_alike(n: int, value: Any) -> None:
    document = copy.deepcopy(t.form())
    spots: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            spots.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    walk(document)
    node, key = spots[n % len(spots)]
    node[key] = value
    try:
        quick = QUICK(copy.deepcopy(document))
    except (Doubt, ValueError, OverflowError):
        return
    try:
        assert slowly(document) == quick
    except ValidationError as error:
        pytest.fail(f"the schema refuses {error.messages}")
