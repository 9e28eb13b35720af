"""Writes the golden message of an event that has none yet; an existing one is never touched.

`python -m tests.contract.write_golden`. A golden message has every field that its version has, so
that what was published once is read forever.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from lianfang.envelope import Envelope, dataschema_of, natural_id, source_of
from lianfang.events import BY_TYPE, Event, event_id, producer_of
from lianfang.schemas.envelope import encode

GOLDEN = Path(__file__).parent / "golden"
BUILDING = "4403.nanshan.440305001.440305001012.e03.b07"
INSTANT = datetime(2020, 2, 3, 1, 30, tzinfo=UTC)
_SCALARS: dict[type, Any] = {
    int: 1,
    float: 37.3,
    bool: True,
    date: date(2020, 2, 3),
    datetime: INSTANT,
}


def golden_of(event: type[Event]) -> Path:
    """Where the golden message of this version of an event lies."""
    return GOLDEN / f"{event.TYPE}.v{event.VERSION}.json"


def example(annotation: Any, name: str) -> Any:
    """A value of a field, the same every time; nothing optional is left out."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return example(next(a for a in arguments if a is not types.NoneType), name)
    if origin is tuple:
        return (example(arguments[0], name),)
    if dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        fields = dataclasses.fields(annotation)
        return annotation(**{f.name: example(hints[f.name], f.name) for f in fields})  # type: ignore[operator]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    return text(name) if annotation is str else _SCALARS[annotation]


def text(name: str) -> str:
    """A text that fits the name of its field."""
    if name in ("place", "building", "path", "scope", "exits"):
        return BUILDING
    if name == "policy_version":
        return "shenzhen-2020-02/isolation/2020-02-07/0123456789ab"
    return natural_id("golden", name) if name.endswith(("_id", "_ids")) else name


def message(event: Event) -> bytes:
    """The event as it travels."""
    envelope = Envelope(
        id=event_id(event),
        source=source_of("4403", "nanshan", producer_of(type(event))),
        type=event.TYPE,
        dataschema=dataschema_of(event.TYPE, event.VERSION),
        subject=event.subject,
        time=INSTANT,
        correlationid=natural_id("golden", "correlation"),
        causationid=natural_id("golden", "causation"),
        place=BUILDING,
        data={},
    )
    return orjson.dumps(orjson.loads(encode(envelope, event)), option=orjson.OPT_INDENT_2) + b"\n"


def main() -> None:
    """Write what is missing."""
    GOLDEN.mkdir(exist_ok=True)
    for event in BY_TYPE.values():
        if not golden_of(event).exists():
            golden_of(event).write_bytes(message(example(event, event.TYPE)))


if __name__ == "__main__":
    main()
