"""The compiled reader gives what the schema gives, result or reasons, for whatever comes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from lianfang.schemas import compiled
from lianfang.schemas.fields import (
    Count,
    Day,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    Number,
    OneOf,
    PlacePath,
    Request,
    Text,
    TupleOf,
)
from lianfang.vocabulary import TravelMode


class Inner(Request):
    at = Instant(required=True)
    on = Day()
    mode = EnumField(TravelMode)
    text = Text(max=5, min=1, allow_none=True)


class Tolerant(Schema):
    class Meta:
        unknown = EXCLUDE

    id = Id(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> tuple[Any, ...]:
        return ("built", *sorted(data.items()))


class Outer(Request):
    count = Count(min=1, max=9, required=True)
    number = Number(load_default=1.5)
    flag = Flag(load_default=None, allow_none=True)
    inner = OneOf(Inner)
    inners = ListOf(Inner, max=2)
    words = TupleOf(Text(), validate=validate.Length(max=2), load_default=())
    names = ListOf(Text(max=3), load_default=list)
    tolerant = OneOf(Tolerant)
    place = PlacePath()
    renamed = Text(data_key="otherName", attribute="third")

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("count") == data.get("number"):
            raise ValidationError("are equal", "number")


class Prepared(Request):
    text = Text()

    @pre_load
    def prepare(self, data: Any, **_: Any) -> Any:
        return {"text": "prepared"} if data == {"count": 1} else data


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 12),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(
        [
            "2020-02-03T08:00:00+08:00",
            "2020-02-03T08:00:00",
            "0001-01-01T00:00:00+14:00",
            "2020-02-03",
            "20200203",
            "train",
            "4403.nanshan",
            "\ud800",
            "a\0",
            "a:b",
        ]
    ),
)
_FIELDS = "at on mode text id count number flag inner inners words names tolerant place otherName"
_NAMES = st.sampled_from([*_FIELDS.split(), "renamed", "unknown"])
_DOCUMENTS = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=12,
)
_LIKELY = st.fixed_dictionaries(
    {"count": st.integers(0, 10)},
    optional={
        "number": st.sampled_from([1, 1.5, "1", True]),
        "flag": st.sampled_from([True, None, 0]),
        "inner": st.fixed_dictionaries(
            {"at": st.sampled_from(["2020-02-03T08:00:00.123456+08:00", "2020"])},
            optional={"mode": st.sampled_from(["plane", "sledge"]), "text": _SCALARS},
        ),
        "words": st.lists(st.text(max_size=2), max_size=3),
        "tolerant": st.fixed_dictionaries({"id": st.just("x")}, optional={"more": _SCALARS}),
        "place": st.sampled_from(["4403", "x"]),
        "otherName": st.text(max_size=2),
    },
)
_SCHEMAS = [Inner(), Tolerant(), Outer(), Prepared()]


def outcome(load: Any, document: Any) -> tuple[str, Any]:
    try:
        return "loaded", load(document)
    except ValidationError as error:
        return "refused", error.normalized_messages()


@pytest.mark.parametrize("schema", _SCHEMAS, ids=lambda schema: type(schema).__name__)
@given(document=_DOCUMENTS | _LIKELY)
def test_the_compiled_reader_and_the_schema_agree(schema: Schema, document: Any) -> None:
    seen = outcome(lambda d: compiled.read(schema, d), document)
    # NaN is not equal to itself, but is written alike.
    assert repr(seen) == repr(outcome(schema.load, document))


def test_a_default_that_is_made_is_made_anew_each_time() -> None:
    first, second = (compiled.read(Outer(), {"count": 1})["names"] for _ in range(2))
    assert first == [] == second
    assert first is not second
