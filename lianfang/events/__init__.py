"""The published language: one module per producing service, frozen dataclasses, nothing else.

Every class names its wire type, its version and the field that holds its subject. `revision` grows
with each change of the subject; a reader ignores an older one. Long lists travel in chunks of at
most `CHUNK` items, each item with a revision of its own, so chunks may arrive in any order.
"""

from __future__ import annotations

from lianfang.events.catalogue import BY_TYPE, CHUNK, event_id, producer_of
from lianfang.events.event import Event

__all__ = ["BY_TYPE", "CHUNK", "Event", "event_id", "producer_of"]
