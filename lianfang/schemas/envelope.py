"""The envelope on the wire: bytes to `Envelope` and back, refusing whatever is not one.

The body limit, valid JSON, UTF-8, no NaN, no deep nesting: all are checked before any handler sees
a message, and each refusal has a stable code.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from lianfang.envelope import SPEC_VERSION, Envelope
from lianfang.errors import InvalidPayload, TooLarge, Undecodable
from lianfang.schemas import compiled
from lianfang.schemas.fields import Instant, Text, flatten

#: The largest event body.
BODY_LIMIT = 256 * 1024

# Marshmallow only matches the beginning, so the end is said.
_TYPE = re.compile(r"[a-z]+\.[a-z_]+\Z")
_DATASCHEMA = re.compile(r"urn:lianfang:[a-z]+\.[a-z_]+/v[0-9]{1,4}\Z")


class EnvelopeSchema(Schema):
    """CloudEvents 1.0 structured JSON with our extensions; unknown extensions are ignored."""

    class Meta:
        """Other extensions are other people's business."""

        unknown = EXCLUDE

    specversion = Text(required=True, validate=validate.Equal(SPEC_VERSION))
    id = Text(required=True, min=1, max=64)
    source = Text(required=True, min=1)
    type = Text(required=True, validate=validate.Regexp(_TYPE))
    dataschema = Text(required=True, validate=validate.Regexp(_DATASCHEMA))
    subject = Text(required=True, min=1)
    time = Instant(required=True)
    correlationid = Text(required=True, min=1)
    causationid = Text(required=True, min=1)
    place = Text(required=True, min=1)
    traceparent = Text(load_default=None, allow_none=True)
    data = fields.Raw(required=True)


_SCHEMA = EnvelopeSchema()


def decode_object(body: bytes, limit: int = BODY_LIMIT) -> dict[str, Any]:
    """The JSON object in `body`.

    Raises:
        TooLarge: more than `limit` bytes.
        Undecodable: not UTF-8, not JSON, NaN, lone surrogates, nested too deep, or no object.
    """
    if len(body) > limit:
        raise TooLarge(f"{len(body)} bytes, at most {limit}", {"bytes": len(body), "limit": limit})
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"body: {error}", {"fields": {"body": [str(error)]}}) from error
    if not isinstance(document, dict):
        raise Undecodable("body: is no JSON object", {"fields": {"body": ["is no JSON object"]}})
    return document


def decode(body: bytes) -> Envelope:
    """The envelope in a message body.

    Raises:
        TooLarge, Undecodable, InvalidPayload: see `decode_object`; fields are named.
    """
    try:
        loaded = compiled.read(_SCHEMA, decode_object(body))
    except ValidationError as error:
        found = flatten(error.normalized_messages())
        raise InvalidPayload(f"envelope: {', '.join(found)}", {"fields": found}) from error
    if not isinstance(loaded["data"], dict):
        raise InvalidPayload.of("data", "is no JSON object")
    return Envelope(**loaded)


def encode(envelope: Envelope, data: Any) -> bytes:
    """The envelope as bytes; `data` may be the event's dataclass itself.

    Raises:
        TooLarge: the publisher must have cut this into chunks.
    """
    document = {
        field.name: getattr(envelope, field.name)
        for field in dataclasses.fields(envelope)
        if field.name != "data"
    }
    document["data"] = data
    body = orjson.dumps(document, option=orjson.OPT_UTC_Z)
    if len(body) > BODY_LIMIT:
        raise TooLarge(f"{envelope.type}: {len(body)} bytes, at most {BODY_LIMIT}")
    return body
