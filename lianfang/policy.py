"""Policy is data: effective-dated rules, versioned by their content. Pure; reads no file.

A policy file holds one section's dated versions. Each version says only what changes; the rules in
force on a day are the deep merge of every version effective by then. A value may be wrapped as
`{value, source, mark}`: the wrapper is for people and falls away here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from lianfang.errors import Misconfigured

_MARKS = {"exact", "near", "reconstructed", "judgement"}


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """One section's plain rules from a day on, and the version that every decision stores."""

    profile: str
    section: str
    effective_from: date
    version: str
    rules: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicySection:
    """All dated versions of one section, oldest first."""

    section: str
    versions: tuple[RulesInForce, ...]

    def on(self, day: date) -> RulesInForce:
        """The rules in force on `day`; the oldest ones for a day before them all."""
        in_force = [v for v in self.versions if v.effective_from <= day]
        return in_force[-1] if in_force else self.versions[0]


def parse_section(document: Mapping[str, Any]) -> PolicySection:
    """Read one section's document as it came from its file.

    Raises:
        Misconfigured: naming the path of the first value that is not as it must be.
    """
    try:
        profile, section = str(document["profile"]), str(document["section"])
        raw = sorted(document["versions"], key=lambda v: v["effective_from"])
        rules = [entry["rules"] for entry in raw]
    except (KeyError, TypeError) as error:
        raise Misconfigured(f"policy file lacks {error}") from error
    versions: list[RulesInForce] = []
    merged: dict[str, Any] = {}
    for entry, changes in zip(raw, rules, strict=True):
        merged = _merge(merged, _plain(changes, section))
        digest = hashlib.sha256(
            json.dumps(merged, sort_keys=True, default=str).encode()
        ).hexdigest()
        version = f"{profile}/{section}/{entry['effective_from']}/{digest[:12]}"
        versions.append(RulesInForce(profile, section, entry["effective_from"], version, merged))
    if not versions:
        raise Misconfigured(f"policy section {section} has no version")
    return PolicySection(section, tuple(versions))


def _plain(node: Any, path: str) -> Any:
    if isinstance(node, Mapping):
        if "value" in node:
            if node.get("mark") not in _MARKS or not node.get("source"):
                raise Misconfigured(f"policy value {path} lacks its source or mark")
            return _plain(node["value"], path)
        return {str(k): _plain(v, f"{path}.{k}") for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(item, f"{path}[{n}]") for n, item in enumerate(node)]
    return node


def _merge(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    both: Iterable[str] = {**old, **new}
    return {
        key: _merge(old[key], new[key])
        if isinstance(old.get(key), Mapping) and isinstance(new.get(key), Mapping)
        else new.get(key, old.get(key))
        for key in both
    }
