"""A failure that nobody foresaw, told without anything that somebody typed."""

from __future__ import annotations

import traceback
from hashlib import sha256

from lianfang.errors import Bug


def bug_of(error: Exception) -> tuple[Bug, str]:
    """The error that names kind and place and no value, and the hash of its stack.

    Equal stacks have equal hashes, whatever the values were.
    """
    frames = traceback.extract_tb(error.__traceback__)
    kind = type(error).__name__
    last = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    stack = "\n".join([kind, *(f"{frame.filename}:{frame.lineno}" for frame in frames)])
    return Bug(f"{kind}{last}"), sha256(stack.encode()).hexdigest()[:16]
