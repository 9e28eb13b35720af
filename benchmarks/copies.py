"""Fills a collection straight, with documents that a service itself wrote, varied in their keys.

The million residents of the growth bar and the 300,000 records of the lists come from here: the
shape is exactly the store's own, because it is copied from what the store dumped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection as Stored
from pymongo.write_concern import WriteConcern

Document = dict[str, Any]
#: How a copy differs: gets the copied document and its number.
Vary = Callable[[Document, int], Document]

_CHUNK = 5_000
_TEMPLATES = 500


def fill(stored: Stored[Any], total: int, vary: Vary) -> int:
    """Bring a collection to `total` documents by varied copies; returns how many were added.

    Raises:
        RuntimeError: the collection is empty, so there is nothing to copy.
    """
    templates = list(stored.find().limit(_TEMPLATES))
    if not templates:
        raise RuntimeError(f"nothing to copy in {stored.full_name}")
    missing = total - stored.estimated_document_count()
    unacknowledged = stored.with_options(write_concern=WriteConcern(w=1, j=False))
    for chunk in _copies(templates, missing, vary):
        unacknowledged.insert_many(chunk, ordered=False)
    return max(missing, 0)


def _copies(templates: Sequence[Document], n: int, vary: Vary) -> Iterator[list[Document]]:
    for start in range(0, n, _CHUNK):
        numbers = range(start, min(start + _CHUNK, n))
        yield [vary(dict(templates[k % len(templates)]), k) for k in numbers]


def by_index(stored: Stored[Any]) -> Vary:
    """A variation that fits any collection: keys and unique fields new, instants apart."""
    unique = {
        field
        for index in stored.index_information().values()
        if index.get("unique")
        for field, _ in index["key"]
    }

    def vary(document: Document, n: int) -> Document:
        for name, value in document.items():
            if name == "_id" or (name in unique and isinstance(value, str)):
                document[name] = f"{value}~{n}"
            elif isinstance(value, datetime):
                document[name] = value + timedelta(milliseconds=n)
        return document

    return vary
