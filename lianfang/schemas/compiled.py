"""Loads what is evidently right without marshmallow's bookkeeping; the schemas stay the judge.

Each schema is turned once into plain functions, one per field. Whatever they do not take for
certain (a wrong type, a missing field, an unknown key, a field of a kind not listed here) goes to
the schema itself, which gives the same result or the reasons. So nothing is accepted here that the
schema refuses, and no reason is worded twice. Measured: a declaration of three legs in 28 µs
instead of 133.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, missing, validate
from marshmallow.decorators import POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from lianfang.days import to_milliseconds
from lianfang.schemas import fields as ours

Read = Callable[[Any], Any]


class Unsure(Exception):
    """The schema has to look itself."""


_DOUBTS = (Unsure, ValidationError, ValueError, TypeError, OverflowError)
_REQUIRED = object()
#: Compiled once per schema; the schema is kept so that its identity stays its own.
_KNOWN: dict[int, tuple[Schema, Read]] = {}


def read(schema: Schema, document: Any) -> Any:
    """What `schema.load(document)` gives.

    Raises:
        ValidationError: as the schema does.
    """
    try:
        return _reader(schema)(document)
    except _DOUBTS:
        return schema.load(document)


def load(schema: Schema, document: Any) -> Any:
    """What `fields.load(schema, document)` gives.

    Raises:
        InvalidPayload: `context["fields"]` maps each dotted field to its reasons.
    """
    try:
        return _reader(schema)(document)
    except _DOUBTS:
        return ours.load(schema, document)


def _reader(schema: Schema) -> Read:
    known = _KNOWN.get(id(schema))
    if known is None:
        known = _KNOWN[id(schema)] = (schema, _compiled(schema))
    return known[1]


# -- schemas --------------------------------------------------------------------------------------


def _compiled(schema: Schema) -> Read:
    """A function that reads one document of the schema, or the schema's own `load`."""
    if not _is_plain(schema):
        return schema.load
    plan = [_step(name, field) for name, field in schema.load_fields.items()]
    strict = schema.unknown == RAISE
    judge = _hooks(schema, VALIDATES_SCHEMA)
    finish = _hooks(schema, POST_LOAD)
    options = {"many": False, "partial": None, "unknown": schema.unknown}

    def read_document(document: Any) -> Any:
        if type(document) is not dict:
            raise Unsure
        found: Any = {}
        seen = 0
        for key, attribute, default, read_field in plan:
            if key in document:
                seen += 1
                found[attribute] = read_field(document[key])
            elif default is _REQUIRED:
                raise Unsure
            elif default is not missing:
                found[attribute] = default() if callable(default) else default
        if strict and seen != len(document):
            raise Unsure
        for hook in judge:
            hook(found, **options)
        for hook in finish:
            found = hook(found, **options)
        return found

    return read_document


def _step(name: str, field: fields.Field[Any]) -> tuple[str, str, Any, Read]:
    key = field.data_key if field.data_key is not None else name
    default = _REQUIRED if field.required else field.load_default
    return key, field.attribute or name, default, _field(field)


def _is_plain(schema: Schema) -> bool:
    """Whether the schema does nothing that is not imitated here."""
    hooks: Mapping[str, list[Any]] = schema._hooks
    if hooks[PRE_LOAD] or hooks[VALIDATES] or schema.many or schema.partial:
        return False
    if any(
        pass_collection or options.get("pass_original")
        for tag in (POST_LOAD, VALIDATES_SCHEMA)
        for _, pass_collection, options in hooks[tag]
    ):
        return False
    dotted = any("." in (field.attribute or "") for field in schema.load_fields.values())
    return not dotted and schema.unknown in (RAISE, EXCLUDE)


def _hooks(schema: Schema, tag: str) -> list[Callable[..., Any]]:
    return [getattr(schema, name) for name, _, _ in schema._hooks[tag]]


# -- fields ---------------------------------------------------------------------------------------


def _field(field: fields.Field[Any]) -> Read:
    make = _KINDS.get(type(field))
    if make is None or field.pre_load or field.post_load:
        return field.deserialize
    read = make(field)
    if field.validators:
        read = _checked(read, [_check(validator) for validator in field.validators])
    if not field.allow_none:
        return read
    return lambda value: None if value is None else read(value)


def _checked(read: Read, checks: list[Read]) -> Read:
    def read_and_check(value: Any) -> Any:
        found = read(value)
        for check in checks:
            check(found)
        return found

    return read_and_check


def _check(validator: Any) -> Read:
    if type(validator) is validate.Range and validator.min_inclusive and validator.max_inclusive:
        return _between(lambda value: value, validator.min, validator.max)
    if type(validator) is validate.Length and validator.equal is None:
        return _between(len, validator.min, validator.max)
    check: Read = validator
    return check


def _between(measure: Callable[[Any], Any], least: Any, most: Any) -> Read:
    low = -math.inf if least is None else least
    high = math.inf if most is None else most

    def check(value: Any) -> None:
        if not low <= measure(value) <= high:
            raise Unsure

    return check


def _text(field: Any) -> Read:
    least, most = field.min, field.max

    def read(value: Any) -> Any:
        if type(value) is not str or not least <= len(value) <= most or "\0" in value:
            raise Unsure
        if not value.isascii():
            value.encode()
        return value

    return read


def _id(field: Any) -> Read:
    text, form = _text(field), ours.ID_FORM

    def read(value: Any) -> Any:
        if form.fullmatch(text(value)) is None:
            raise Unsure
        return value

    return read


def _instant(_field: Any) -> Read:
    def read(value: Any) -> Any:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise Unsure
        return to_milliseconds(instant)

    return read


def _day(_field: Any) -> Read:
    return date.fromisoformat


def _exactly(kind: type) -> Callable[[Any], Read]:
    def make(_field: Any) -> Read:
        def read(value: Any) -> Any:
            if type(value) is not kind:
                raise Unsure
            return value

        return read

    return make


def _number(_field: Any) -> Read:
    def read(value: Any) -> Any:
        if type(value) not in (float, int) or not math.isfinite(value):
            raise Unsure
        return float(value)

    return read


def _enum(field: Any) -> Read:
    if field.by_value is not True:
        deserialize: Read = field.deserialize
        return deserialize
    members = {member.value: member for member in field.enum}

    def read(value: Any) -> Any:
        if type(value) is not str or value not in members:
            raise Unsure
        return members[value]

    return read


def _list(field: Any) -> Read:
    item = _field(field.inner)

    def read(value: Any) -> Any:
        if type(value) is not list:
            raise Unsure
        return [item(each) for each in value]

    return read


def _tuple(field: Any) -> Read:
    read = _list(field)
    return lambda value: tuple(read(value))


def _nested(field: Any) -> Read:
    if field.many or field.unknown is not None:
        deserialize: Read = field.deserialize
        return deserialize
    return _reader(field.schema)


_KINDS: dict[type, Callable[[Any], Read]] = {
    ours.Text: _text,
    ours.Id: _id,
    ours.Instant: _instant,
    ours.Day: _day,
    ours.Count: _exactly(int),
    ours.Number: _number,
    ours.Flag: _exactly(bool),
    ours.TupleOf: _tuple,
    fields.Enum: _enum,
    fields.List: _list,
    fields.Nested: _nested,
}
