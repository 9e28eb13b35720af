"""Where random ids come from, for things that have no natural key."""

from __future__ import annotations

from uuid import uuid4


def random_id() -> str:
    """A new random id."""
    return str(uuid4())
