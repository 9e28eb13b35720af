"""What the journal must not show: rooms in the log, and nearly everything of a parked message.

A health fact beside a room number is personal data, so the log keeps no room. A parked message may
hold anything in any field, so of it only values are shown whose form cannot be a name, a number of
a document or a phone, or an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lianfang.events import BY_TYPE
from lianfang.places import wire_place

MASK = "•••"

_ROOM_KEYS = frozenset({"room", "unit", "floor"})
_ROOM_TYPES = "resident."

_HEX = "[0-9a-f]"
_SAFE = re.compile(
    rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"  # a computed or random id
    r"|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))?"  # a day or an instant
    r"|urn:lianfang:[a-z]+\.[a-z_]+/v\d{1,4}"
    r"|/\d{4}/[a-z]{2,20}/[a-z]{2,20}"  # a source
    r"|1\.0"
)
_PLACE = re.compile(r"\d{4}\.[a-z]{2,20}(\.\d{9}(\.\d{12}(\.[ebugr][0-9a-z]{1,12})*)?)?")
#: The largest number that is shown: a temperature, a count, a revision, never a phone.
_LARGEST_NUMBER = 99_999
#: Keys whose lower-case words are words of the language; under other keys they may be names.
_WORD_KEYS = re.compile(
    r"type|kind|state|status|use|mode|tube|result|basis|outcome|measure|category|classification"
    r"|custody|presence|source|setting|level|needs?|symptoms?|person_type"
)
_WORD = re.compile(r"[a-z]+([._][a-z]+)*")


def masked_log(event_type: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event's data as the log keeps it: no room, and nothing of a type nobody here knows."""
    if event_type not in BY_TYPE:
        shown: Mapping[str, Any] = masked_parked(data)
        return shown
    if event_type.startswith(_ROOM_TYPES):
        hidden: Mapping[str, Any] = _walk(data, "", _hide_room)
        return hidden
    return data


def masked_parked(document: Any) -> Any:
    """A parked document for a screen: its shape, and of its values only what is surely harmless."""
    return _walk(document, "", _hide_unsure)


def _walk(value: Any, key: str, hide: Callable[[str, Any], Any]) -> Any:
    if isinstance(value, Mapping):
        return {_key(k): _walk(inner, str(k), hide) for k, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_walk(inner, key, hide) for inner in value]
    return hide(key, value)


def _key(key: Any) -> str:
    """A key is written by whoever wrote the message, too."""
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_.\-]{1,40}", text) and not _long_number(text) else MASK


def _hide_room(key: str, value: Any) -> Any:
    return MASK if key in _ROOM_KEYS and value is not None else value


def _hide_unsure(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if abs(value) <= _LARGEST_NUMBER else MASK
    if not isinstance(value, str):
        return MASK
    if _SAFE.fullmatch(value):
        return value
    if _PLACE.fullmatch(value):
        return wire_place(value)
    word = _WORD_KEYS.fullmatch(key) and _WORD.fullmatch(value)
    return value if word else MASK


def _long_number(text: str) -> bool:
    return re.search(r"\d{6}", text) is not None
