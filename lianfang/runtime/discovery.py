"""Finds the applications by name; `lianfang` itself never imports one."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from lianfang.errors import Misconfigured
from lianfang.runtime.documents import Collection
from lianfang.runtime.operable import Operable

#: The district's services, in the order in which they start.
SERVICES = ("journal", "declaration", "screening", "isolation", "dispatch")


def service_class(name: str) -> Any:
    """The service class of `services.<name>`, operable like every other.

    Raises:
        Misconfigured: there is no such service.
    """
    if name not in SERVICES:
        raise Misconfigured(f"no service {name!r}; there are {', '.join(SERVICES)}")
    module = importlib.import_module(f"services.{name}.service")
    for _, member in inspect.getmembers(module, inspect.isclass):
        if getattr(member, "name", None) == name and member.__module__.startswith("services."):
            return type(member.__name__, (member, Operable), {"__doc__": member.__doc__})
    raise Misconfigured(f"services.{name}.service declares no service named {name!r}")


def collections_of(name: str) -> list[Collection[Any]]:
    """Every collection that the store of a service declares."""
    store = importlib.import_module(f"services.{name}.store")
    return [member for _, member in inspect.getmembers(store) if isinstance(member, Collection)]
