"""The published language: every event with its fields, records and words."""

from __future__ import annotations

import dataclasses
import types
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from docs.generate.markdown import code, codes, document, prose, sentence, table
from lianfang import vocabulary
from lianfang.envelope import Envelope
from lianfang.events import BY_TYPE, CHUNK, Event, producer_of
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import need_of
from lianfang.schemas.envelope import BODY_LIMIT

_SCALARS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "day",
    datetime: "instant",
    dict: "object",
}

INTRO = f"""Who publishes what, read from `lianfang.events`. A routing key is the event's type and
the place path of what it is about, down to the building:
`case.confirmed.4403.nanshan.440305001…`. Within a version only optional fields are added. A long
list travels in chunks of at most {CHUNK} items; a body has at most {BODY_LIMIT // 1024} KiB.
`revision` grows with each change of the subject: ignore an older one. A *day* is `YYYY-MM-DD` in
Asia/Shanghai, an *instant* is ISO 8601 in UTC."""


def page() -> str:
    """`docs/reference/events.md`."""
    services = [name for name in _ordered() if _published(name)]
    return document(
        "Events",
        INTRO,
        _envelope(),
        *(_service(name) for name in services),
        _records(),
        _words(),
    )


def _ordered() -> list[str]:
    return [name for name in SERVICES if name != "journal"] + ["journal"]


def _published(service: str) -> list[type[Event]]:
    return [cls for cls in BY_TYPE.values() if producer_of(cls) == service]


def listeners() -> dict[str, list[str]]:
    """Event type to the queues that hear it; the journal hears everything and is left out."""
    found: dict[str, list[str]] = {event_type: [] for event_type in BY_TYPE}
    for name in SERVICES:
        for subscription in need_of(service_class(name)).subscriptions:
            for event_type in subscription.event_types:
                if event_type in found:
                    found[event_type].append(subscription.queue)
    return found


def _envelope() -> str:
    rows = [(code(f.name), _type(get_type_hints(Envelope)[f.name])) for f in _fields(Envelope)]
    return f"## Envelope\n\n{prose(Envelope)}\n\n{table(('Field', 'Type'), rows)}"


def _service(name: str) -> str:
    heard = listeners()
    parts = [_event(cls, heard[cls.TYPE]) for cls in _published(name)]
    return f"## {name}\n\n" + "\n\n".join(parts)


def _event(cls: type[Event], queues: list[str]) -> str:
    heard = codes(queues) if queues else "the journal only"
    about = f"Version {cls.VERSION}, subject {code(cls.SUBJECT)}, heard by {heard}."
    return f"### {cls.TYPE}\n\n{prose(cls)}\n\n{about}\n\n{_table(cls)}"


def _table(record: Any) -> str:
    hints = get_type_hints(record)
    rows = [
        (code(f.name), _type(hints[f.name]), "yes" if _required(f) else "") for f in _fields(record)
    ]
    return table(("Field", "Type", "Required"), rows)


def _fields(record: Any) -> list[dataclasses.Field[Any]]:
    return sorted(dataclasses.fields(record), key=lambda field: not _required(field))


def _required(field: dataclasses.Field[Any]) -> bool:
    missing = dataclasses.MISSING
    return field.default is missing and field.default_factory is missing


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _type(next(a for a in arguments if a is not types.NoneType)) + " or null"
    if origin in (tuple, list):
        return f"list of {_type(arguments[0])}"
    if dataclasses.is_dataclass(annotation) or _is_enum(annotation):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return _SCALARS[origin or annotation]


def _is_enum(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Enum)


def _reached(annotation: Any, found: dict[str, Any]) -> None:
    """Collect every record and word that a type mentions, however deep."""
    for inner in get_args(annotation):
        _reached(inner, found)
    if _is_enum(annotation):
        found[annotation.__name__] = annotation
    elif dataclasses.is_dataclass(annotation) and annotation.__name__ not in found:  # type: ignore[union-attr]
        found[annotation.__name__] = annotation  # type: ignore[union-attr]
        for hint in get_type_hints(annotation).values():
            _reached(hint, found)


def _mentioned() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cls in BY_TYPE.values():
        for hint in get_type_hints(cls).values():
            _reached(hint, found)
    return dict(sorted(found.items()))


def _records() -> str:
    records = [r for r in _mentioned().values() if dataclasses.is_dataclass(r)]
    parts = [f"### {r.__name__}\n\n{prose(r)}\n\n{_table(r)}" for r in records]  # type: ignore[union-attr]
    return "## Records\n\n" + "\n\n".join(parts)


def _words() -> str:
    words = [word for word in _mentioned().values() if _is_enum(word)]
    parts = [
        f"### {word.__name__}\n\n{sentence(word)}\n\n{codes(member.value for member in word)}"
        for word in words
    ]
    return f"## Words\n\n{prose(vocabulary)}\n\n" + "\n\n".join(parts)
