"""Marshmallow schemas of all events, derived from their dataclasses: one definition, no twin.

Readers are tolerant of later optional fields (`EXCLUDE`) and strict about everything they know.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import date, datetime
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from lianfang.errors import InvalidPayload, UnknownType
from lianfang.events import BY_TYPE, Event
from lianfang.schemas import compiled
from lianfang.schemas.fields import (
    Count,
    Day,
    EnumField,
    Flag,
    Instant,
    Number,
    Text,
    TupleOf,
    flatten,
)

#: Generous, because the publisher already limited it.
_TEXT_LIMIT = 2000

_SCALARS: dict[type, Any] = {
    str: lambda **kw: Text(max=_TEXT_LIMIT, **kw),
    int: Count,
    float: Number,
    bool: Flag,
    date: Day,
    datetime: Instant,
}


def _field(annotation: Any, **kwargs: Any) -> fields.Field[Any]:
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        inner = next(arg for arg in get_args(annotation) if arg is not type(None))
        return _field(inner, allow_none=True, **kwargs)
    if origin is tuple:
        return TupleOf(_field(get_args(annotation)[0]), **kwargs)
    if dataclasses.is_dataclass(annotation):
        return fields.Nested(schema_of(annotation), **kwargs)  # type: ignore[arg-type]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return EnumField(annotation, **kwargs)
    scalar: fields.Field[Any] = _SCALARS[annotation](**kwargs)
    return scalar


@cache
def schema_of(record: Any) -> Schema:
    """The schema that loads a frozen dataclass of the published language."""
    hints = get_type_hints(record)
    declared: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        declared[field.name] = _field(hints[field.name], required=required)

    def build(_schema: Schema, data: dict[str, Any], **_: Any) -> Any:
        return record(**data)

    declared["build"] = post_load(build)
    declared["Meta"] = type("Meta", (), {"unknown": EXCLUDE, "register": False})
    schema: Schema = type(f"{record.__name__}Schema", (Schema,), declared)()
    return schema


def load_event(event_type: str, version: int, data: dict[str, Any]) -> Event:
    """Data off the wire as an event.

    Raises:
        UnknownType: no such type, or a version this reader does not know.
        InvalidPayload: naming each field and reason.
    """
    event = BY_TYPE.get(event_type)
    if event is None or version != event.VERSION:
        raise UnknownType(f"{event_type}/v{version} is not known here", {"type": event_type})
    try:
        schema: Schema = schema_of(event)  # type: ignore[arg-type]
        loaded: Event = compiled.read(schema, data)
    except ValidationError as error:
        found = flatten(error.normalized_messages())
        summary = "; ".join(f"{field}: {', '.join(why)}" for field, why in list(found.items())[:5])
        raise InvalidPayload(summary, {"fields": found}) from error
    return loaded
