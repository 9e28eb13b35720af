"""Every invariant, in the order in which findings are listed."""

from __future__ import annotations

from lianfang.audit import messages
from lianfang.audit.finding import invariants_of

_MODULES = (messages,)

INVARIANTS = tuple(rule for module in _MODULES for rule in invariants_of(vars(module).values()))
