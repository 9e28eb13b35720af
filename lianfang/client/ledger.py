"""What a caller was told, kept outside the system that told it: the judge of its promises.

One JSON document per line, on the disk before `note` returns. A caller that dies in the middle of a
line leaves a torn one: it was never answered for, so it is skipped.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson


class Ledger:
    """Receipts of acknowledged commands, appended; safe to share between threads.

    A receipt has `request_id` and `answer`, and names the command by `method` and `caller` (the
    broker's user) where these are known. Whatever else is in it is kept.
    """

    def __init__(self, path: Path) -> None:
        """Open for appending; the folder is made where it is missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = threading.Lock()
        fresh = not path.exists()
        self._file = path.open("ab", buffering=0)
        self._torn = not fresh and _is_torn(path)
        if fresh:
            _sync_folder(path.parent)

    def note(self, receipt: Mapping[str, Any]) -> None:
        """Keep a receipt; it is on the disk when this returns.

        Raises:
            OSError: it could not be written. Whether it will be read is then unknown.
        """
        line = orjson.dumps(dict(receipt), default=str) + b"\n"
        with self._lock:
            left = memoryview(b"\n" + line if self._torn else line)
            self._torn = True
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
            self._torn = False

    def close(self) -> None:
        """Close the file; every receipt is on the disk already."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The receipts of a ledger, in the order in which they were noted; torn lines are skipped.

    Raises:
        FileNotFoundError: there is no such ledger.
    """
    with path.open("rb") as lines:
        for line in lines:
            receipt = _receipt(line)
            if receipt is not None:
                yield receipt


def _receipt(line: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _is_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def _sync_folder(folder: Path) -> None:
    """A new file survives a crash only when its folder is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
