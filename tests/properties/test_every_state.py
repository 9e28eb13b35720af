"""No enum of states without a property that walks all of it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import services
from lianfang import vocabulary as v

HERE = Path(__file__).parent
#: Words that something is called by: nothing moves from one to another.
NAMES = {
    v.PlaceUse,
    v.CommunityType,
    v.ResidenceKind,
    v.PresenceSource,
    v.Need,
    v.PersonType,
    v.TravelMode,
    v.Symptom,
    v.ContactCategory,
    v.ContactKind,
    v.FoundBy,
    v.ExposureSetting,
    v.Role,
}


def enums_of(module: ModuleType) -> set[type[StrEnum]]:
    return {
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, StrEnum) and member.__module__ == module.__name__
    }


def domains() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(services.__path__, "services."):
        if ".domain." in found.name:
            yield importlib.import_module(found.name)


def shown() -> set[type[StrEnum]]:
    """What the properties beside this module say they walk."""
    names = [f"tests.properties.{path.stem}" for path in sorted(HERE.glob("test_*.py"))]
    modules = [importlib.import_module(name) for name in names if name != __name__]
    return {state for module in modules for state in getattr(module, "SHOWN", ())}


def test_every_word_of_the_vocabulary_is_a_name_or_walked_by_a_property() -> None:
    assert enums_of(v) - NAMES == shown() & enums_of(v)


def test_every_state_of_a_domain_is_walked_by_a_property() -> None:
    states = {e for module in domains() for e in enums_of(module) if e.__name__.endswith("State")}
    assert len(states) >= 5
    assert states <= shown()
