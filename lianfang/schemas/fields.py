"""The fields that RPC documents are made of, strict about what they let in.

Every refusal names the field and the reason. Unknown fields are refused; text is limited, is valid
Unicode and holds no NUL; instants are aware and become UTC milliseconds.
"""

from __future__ import annotations

import re
from datetime import datetime
from enum import Enum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from lianfang import places
from lianfang.days import to_milliseconds
from lianfang.errors import InvalidPayload

#: What an identifier looks like.
ID_FORM = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
_PLACE_LENGTH = 160


class Request(Schema):
    """A request document; what it does not list is refused."""

    class Meta:
        """Strict and in declared order."""

        unknown = RAISE


class Answer(Schema):
    """An answer document; written by us, read by integrators who ignore what they do not know."""


class Text(fields.String):
    """Valid Unicode of at most `max` characters, at least `min`, without NUL."""

    def __init__(self, *, max: int = 200, min: int = 0, **kwargs: Any) -> None:
        """Limit the length; everything else as in a marshmallow field."""
        super().__init__(**kwargs)
        self.max, self.min = max, min

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be text")
        if len(value) > self.max:
            raise ValidationError(f"longer than {self.max} characters")
        if len(value) < self.min:
            raise ValidationError(f"shorter than {self.min} characters")
        if not value.isascii():
            _refuse_surrogates(value)
        if "\0" in value:
            raise ValidationError("holds a NUL character")
        return value


def _refuse_surrogates(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValidationError("holds a lone surrogate") from error


class Id(Text):
    """An identifier: 1 to 64 of letters, digits, dot, underscore, colon, hyphen."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not ID_FORM.fullmatch(text):
            raise ValidationError("is no identifier")
        return text


class PlacePath(Text):
    """A well-formed place path, optionally of one of the given levels."""

    def __init__(self, *levels: places.Level, **kwargs: Any) -> None:
        """Limit what kind of place is meant."""
        super().__init__(max=_PLACE_LENGTH, **kwargs)
        self.levels = levels

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        path = super()._deserialize(value, attr, data, **kwargs)
        try:
            places.check(path)
        except InvalidPayload as error:
            raise ValidationError(error.message) from error
        if self.levels and places.level_of(path) not in self.levels:
            wanted = " or ".join(self.levels)
            raise ValidationError(f"is a {places.level_of(path)}, not a {wanted}")
        return path


class Instant(fields.AwareDateTime):
    """An aware ISO 8601 instant; becomes UTC in whole milliseconds."""

    def __init__(self, **kwargs: Any) -> None:
        """ISO 8601 only, never naive."""
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str):
            raise ValidationError("must be an ISO 8601 instant with its offset")
        try:
            return to_milliseconds(super()._deserialize(value, attr, data, **kwargs))
        except (OverflowError, OSError) as error:
            raise ValidationError("lies outside the calendar") from error


class Day(fields.Date):
    """A day, `YYYY-MM-DD`, in Asia/Shanghai."""

    def __init__(self, **kwargs: Any) -> None:
        """ISO 8601 only."""
        super().__init__(format="iso", **kwargs)


class Count(fields.Integer):
    """A whole number in JSON, neither text nor fraction, between `min` and `max`."""

    def __init__(self, *, min: int = 0, max: int = 2**31, **kwargs: Any) -> None:
        """Limit the range."""
        super().__init__(strict=True, validate=validate.Range(min, max), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, (str, bool)):
            raise ValidationError("must be a whole number")
        return super()._deserialize(value, attr, data, **kwargs)


class Number(fields.Float):
    """A finite number in JSON between `min` and `max`."""

    def __init__(self, *, min: float = -1e9, max: float = 1e9, **kwargs: Any) -> None:
        """Limit the range."""
        super().__init__(allow_nan=False, validate=validate.Range(min, max), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, (str, bool)):
            raise ValidationError("must be a number")
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """`true` or `false`, nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class TupleOf(fields.List[Any]):
    """A list in JSON as a tuple, so that what is loaded stays frozen and hashable."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


def EnumField(kind: type[Enum], **kwargs: Any) -> fields.Enum[Any]:
    """One of the wire strings of `kind`."""
    return fields.Enum(kind, by_value=True, **kwargs)


def ListOf(
    item: fields.Field[Any] | type[Schema], *, max: int = 1000, **kwargs: Any
) -> fields.List[Any]:
    """A list of at most `max` items."""
    inner = fields.Nested(item) if isinstance(item, type) else item
    return fields.List(inner, validate=validate.Length(max=max), **kwargs)


def OneOf(schema: type[Schema], **kwargs: Any) -> fields.Nested:
    """One nested document."""
    return fields.Nested(schema, **kwargs)


def load(schema: Schema, document: Any) -> Any:
    """Load a document strictly.

    Raises:
        InvalidPayload: `context["fields"]` maps each dotted field to its reasons.
    """
    try:
        return schema.load(document)
    except ValidationError as error:
        found = flatten(error.normalized_messages())
        summary = "; ".join(f"{field}: {', '.join(why)}" for field, why in list(found.items())[:5])
        raise InvalidPayload(summary, {"fields": found}) from error


def flatten(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Marshmallow's nested messages as dotted field to reasons."""
    if isinstance(messages, dict):
        found: dict[str, list[str]] = {}
        for key, value in messages.items():
            inner = path if key in ("_schema", "value") and path else f"{path}.{key}".lstrip(".")
            found.update(flatten(value, inner))
        return found
    reasons = messages if isinstance(messages, list) else [messages]
    return {path: [str(reason).rstrip(".") for reason in reasons]}
