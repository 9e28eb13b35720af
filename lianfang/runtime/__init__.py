"""What services stand on. All contact with nameko and eventlet stays in this package.

Names load when they are first asked for: the runner lies in here too, and has to patch the process
before pymongo, amqp or nameko are imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_RESOURCES = ("Policy", "Setting", "Vault")


def __getattr__(name: str) -> Any:
    """The public name, from the module that has it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "resources" if name in _RESOURCES else "entrypoints"
    return getattr(import_module(f"{__name__}.{home}"), name)
