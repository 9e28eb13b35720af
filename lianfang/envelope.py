"""What surrounds every event: CloudEvents 1.0 structured JSON with our four extensions.

Ids are computed, never drawn: the id of an event is a function of its type, subject, revision and
chunk, so a decision that is made twice says the same thing twice and readers drop the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import Any
from uuid import UUID

from lianfang.places import wire_place

#: The root of every computed id of this system.
NAMESPACE = UUID("8f6b1d7e-54a1-5c8e-9d1f-3e5a7c2b9f10")
_NAMESPACE = NAMESPACE.bytes
SPEC_VERSION = "1.0"


def natural_id(*parts: object) -> str:
    """The id of the thing whose natural key is `parts`: the same parts always give the same id."""
    name = "/".join([str(part) for part in parts])
    # uuid5 by hand: this is asked some ten times for every item of a batch.
    raw = bytearray(sha1(_NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x50, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One event as it travels.

    `correlationid` is what started it all (case, declaration, command); `causationid` the message
    that led here. `place` stops at the building.
    """

    id: str
    source: str
    type: str
    dataschema: str
    subject: str
    time: datetime
    correlationid: str
    causationid: str
    place: str
    data: dict[str, Any]
    specversion: str = SPEC_VERSION
    traceparent: str | None = None

    @property
    def version(self) -> int:
        """The major version of the data, from the end of `dataschema`."""
        return int(self.dataschema.rpartition("/v")[2])


def source_of(city: str, district: str, service: str) -> str:
    """The CloudEvents source of one service of one district."""
    return f"/{city}/{district}/{service}"


def dataschema_of(event_type: str, version: int) -> str:
    """The identifier of an event's data schema."""
    return f"urn:lianfang:{event_type}/v{version}"


def routing_key(event_type: str, place: str) -> str:
    """Type and place path, so one binding can select by either."""
    return f"{event_type}.{wire_place(place)}"
