"""Every invariant, in the order in which findings are listed."""

from __future__ import annotations

from lianfang.audit import (
    gathered,
    keys,
    messages,
    orders,
    receipts,
    rounds,
    seals,
    tasks,
    tracing,
)
from lianfang.audit.copies import COPIES
from lianfang.audit.finding import Invariant

_MODULES = (receipts, messages, keys, tracing, seals, orders, tasks, rounds, gathered)

INVARIANTS: tuple[Invariant, ...] = (
    *(rule for module in _MODULES for rule in vars(module).values() if isinstance(rule, Invariant)),
    *(copy.invariant for copy in COPIES),
)
