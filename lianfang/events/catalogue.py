"""All event classes by wire type, and how an event gets its id."""

from __future__ import annotations

from lianfang.envelope import natural_id
from lianfang.events import declaration, dispatch, isolation, journal, screening
from lianfang.events.event import Chunked, Event

#: The most items one event carries.
CHUNK = 200

_MODULES = (declaration, screening, isolation, dispatch, journal)

#: Wire type to class, for every event this version of the language knows.
BY_TYPE: dict[str, type[Event]] = {
    cls.TYPE: cls
    for module in _MODULES
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, Event) and hasattr(cls, "TYPE")
}


def producer_of(event: type[Event]) -> str:
    """The service that alone may publish this event."""
    return event.__module__.rpartition(".")[2]


def event_id(event: Event) -> str:
    """The same decision made twice gives the same id: type, subject, revision and chunk."""
    chunk = event.chunk if isinstance(event, Chunked) else 1
    return natural_id(event.TYPE, event.subject, event.revision, chunk)
