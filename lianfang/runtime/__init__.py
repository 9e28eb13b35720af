"""What services stand on. All contact with nameko and eventlet stays in this package."""

from __future__ import annotations

from lianfang.runtime.entrypoints import command, parked, query, subscribe, subscribe_all, timer
from lianfang.runtime.resources import Policy, Setting, Vault

__all__ = [
    "Policy",
    "Setting",
    "Vault",
    "command",
    "parked",
    "query",
    "subscribe",
    "subscribe_all",
    "timer",
]
