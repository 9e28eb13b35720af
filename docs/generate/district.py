"""What a district sets and decides: environment variables, policy values, and the errors."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from docs.generate.markdown import code, document, sentence, table
from lianfang import errors, settings
from lianfang.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROFILE = "shenzhen-2020-02"
PREFIX = "LIANFANG_"

SETTINGS_INTRO = """Read once at the start by `lianfang.settings`, which alone reads the
environment. Every wrong or missing value is reported, all at once. A service gets `AMQP_URI` from
`<service>.env` in the secrets folder, which `lianfang topology apply` writes.
[.env.example](../../.env.example) is what `docker-compose.yml` needs."""

POLICY_INTRO = f"""The rules of the profile `{PROFILE}`, by section and by the day from which they
hold. A later version says only what changes. `mark` tells how sure the source is: **exact**
wording seen, **near** seen through a retelling, **reconstructed** by us, or our own
**judgement**. The files are in `deploy/policy/{PROFILE}/`; every automatic decision stores the
version it used. [Change a rule](../how-to/change-a-policy.md)."""

ERRORS_INTRO = """Match on `code`. A `rejected` error stays an error however often it is tried; a
`retryable` one may pass later. `context` holds facts as JSON: `fields` maps each wrong field to
its reasons, `conditions` lists what a release still waits for, `incident` finds a bug in the
service's log."""


def settings_page() -> str:
    """`docs/reference/settings.md`."""
    comments, variables = _comments(Settings), _variables()
    rows = [(code(name), default, comments[field]) for field, (name, default) in variables.items()]
    return document("Settings", SETTINGS_INTRO, table(("Variable", "Default", "Meaning"), rows))


def _comments(record: type) -> dict[str, str]:
    """The `#:` lines above each field; a field without one shares its neighbour's."""
    found: dict[str, str] = {}
    said: list[str] = []
    last = ""
    for line in textwrap.dedent(inspect.getsource(record)).splitlines():
        text = line.strip()
        if text.startswith("#:"):
            said.append(text[2:].strip())
        elif ":" in text and text.partition(":")[0].isidentifier():
            last = " ".join(said) or last
            found[text.partition(":")[0]] = last
            said = []
        elif text.startswith("def "):
            break
    return found


def _variables() -> dict[str, tuple[str, str]]:
    """Field to its variable and default, in the order in which `Settings.read` asks."""
    tree = ast.parse(inspect.getsource(settings))
    read = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "read"
    )
    found: dict[str, tuple[str, str]] = {}
    for block in (n for n in ast.walk(read) if isinstance(n, ast.With)):
        found.update(_asked(block, PREFIX))
    for field, asked in _asked(read, "").items():
        found.setdefault(field, asked)
    return found


def _asked(node: ast.AST, prefix: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    names: dict[str, ast.Call] = {}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Call):
            target = inner.targets[0]
            if isinstance(target, ast.Name):
                names[target.id] = inner.value
            elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
                found[target.slice.value] = _variable(inner.value, prefix)
        if isinstance(inner, ast.Dict):
            for key, value in zip(inner.keys, inner.values, strict=True):
                call = names.get(value.id) if isinstance(value, ast.Name) else value
                if isinstance(key, ast.Constant) and isinstance(call, ast.Call):
                    found[key.value] = _variable(call, prefix)
    return found


def _variable(call: ast.Call, prefix: str) -> tuple[str, str]:
    name = ast.literal_eval(call.args[0])
    if len(call.args) == 1:
        return prefix + name, "required"
    default = call.args[1]
    if isinstance(default, ast.Call):  # Path("…")
        default = default.args[0]
    if isinstance(default, ast.JoinedStr):
        return prefix + name, code("".join(_piece(piece) for piece in default.values))
    value = ast.literal_eval(default)
    return prefix + name, "" if value in (None, "") else code(value)


def _piece(piece: ast.expr) -> str:
    return f"<{ast.unparse(piece.value)}>" if isinstance(piece, ast.FormattedValue) else piece.value  # type: ignore[attr-defined]


def policy_page() -> str:
    """`docs/reference/policy.md`."""
    files = sorted((ROOT / "deploy" / "policy" / PROFILE).glob("*.yml"))
    parts = [_section(yaml.safe_load(file.read_text("utf-8"))) for file in files]
    return document("Policy", POLICY_INTRO, *parts)


def _section(section: dict[str, Any]) -> str:
    parts = [f"## {section['section']}"]
    for version in section["versions"]:
        rows = list(_values(version["rules"], ""))
        parts.append(f"### From {version['effective_from']}")
        parts.append(table(("Rule", "Value", "Mark", "Source"), rows))
    return "\n\n".join(parts)


def _values(node: Any, path: str) -> Iterator[tuple[str, str, str, str]]:
    if isinstance(node, dict) and "value" in node:
        yield code(path), _shown(node["value"]), str(node["mark"]), str(node["source"])
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _values(value, f"{path}.{key}".lstrip("."))
    else:
        yield code(path), _shown(node), "", ""


def _shown(value: Any) -> str:
    return code(json.dumps(value, ensure_ascii=False, default=str))


def errors_page() -> str:
    """`docs/reference/errors.md`."""
    rows = [
        (code(name), _again(cls), sentence(cls)) for name, cls in sorted(errors.BY_CODE.items())
    ]
    return document("Errors", ERRORS_INTRO, table(("Code", "Try again?", "Meaning"), rows))


def _again(cls: type[errors.LianfangError]) -> str:
    if issubclass(cls, errors.Retryable):
        return "yes"
    return "no" if issubclass(cls, errors.Rejected) else "after somebody mended it"
