"""What every service answers, with its request and answer documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import Schema, fields, validate

from docs.generate.markdown import code, codes, document, prose, table
from lianfang.runtime.discovery import SERVICES, service_class
from lianfang.runtime.handlers import Call, declared
from lianfang.runtime.operable import Operable
from lianfang.runtime.requests import DEADLINE_HEADER, REQUEST_LIMIT
from lianfang.schemas import fields as ours

INTRO = f"""Nameko's wire protocol: publish `{{"args": [], "kwargs": {{…}}}}` to the exchange
`nameko-rpc` with the routing key `service.method`, a `reply_to` of your own, and the `user_id`
you are logged in as. Any AMQP client can; from Python use `lianfang.client.District`. A request
has at most {REQUEST_LIMIT // 1024} KiB.

- A **query** changes nothing. A **command** also takes `request_id` (required) and `actor`: sent
  again with the same content it gives the same answer and does nothing twice; with other content
  it is a `conflict`.
- Unknown fields are refused. The header `{DEADLINE_HEADER}` (milliseconds since 1970) says until
  when an answer is of use: a request that comes later is answered `deadline_exceeded` and not
  begun.
- Errors are in [errors.md](errors.md). `after` and `next` turn pages: give back what you got."""

_NAMES: list[tuple[type[Any], str]] = [
    (ours.PlacePath, "place path"),
    (ours.Id, "id"),
    (ours.Text, "text"),
    (ours.Instant, "instant"),
    (ours.Day, "day"),
    (ours.Flag, "true or false"),
    (ours.Count, "whole number"),
    (ours.Number, "number"),
    (fields.String, "text"),
    (fields.Integer, "whole number"),
    (fields.Float, "number"),
    (fields.Boolean, "true or false"),
    (fields.Dict, "object"),
    (fields.Raw, "anything"),
]


def page() -> str:
    """`docs/reference/calls.md`."""
    return document(
        "Calls",
        INTRO,
        *(_service(name) for name in SERVICES),
        "## Every service\n\n" + _methods(declared(Operable, Call)),
    )


def own_calls(name: str) -> list[Call]:
    """What a service answers beside what every service does."""
    common = {call.name for call in declared(Operable, Call)}
    return [call for call in declared(service_class(name), Call) if call.name not in common]


def _service(name: str) -> str:
    return f"## {name}\n\n{_methods(own_calls(name), name)}"


def _methods(calls: list[Call], service: str = "*service*") -> str:
    answers: dict[type[Schema], str] = {}
    return "\n\n".join(_method(service, call, answers) for call in calls)


def _method(service: str, call: Call, answers: dict[type[Schema], str]) -> str:
    kind = "Command" if call.is_command else "Query"
    request = table(("Request", "Type", "Required"), _rows(call.request))
    method = f"{service}.{call.name}"
    first = answers.setdefault(type(call.answer), method)
    answer = (
        table(
            ("Answer", "Type"), [(name, _unlimited(kind)) for name, kind, _ in _rows(call.answer)]
        )
        if first == method
        else f"Answers like {code(first)}."
    )
    said = (
        f"### {method}",
        f"{kind}. {prose(call.method)}",
        request or "Nothing is asked.",
        answer,
    )
    return "\n\n".join(part for part in said if part)


def _unlimited(kind: str) -> str:
    """An answer's type: what a reader may expect, not what we may write."""
    return re.sub(r", at most \d+", "", kind)


def _rows(schema: Schema, path: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in schema.fields.items():
        if path or name not in ("request_id", "actor"):
            yield from _field(f"{path}{name}", field)


def _field(path: str, field: Any) -> Iterator[tuple[str, str, str]]:
    required = "yes" if field.required else ""
    many = isinstance(field, fields.List)
    inner = field.inner if many else field
    if isinstance(inner, fields.Nested):
        yield code(path), f"list of objects{_limit(field)}" if many else "object", required
        yield from _rows(inner.schema, f"{path}[]." if many else f"{path}.")
        return
    kind = _kind(inner)
    yield code(path), f"list of {kind}{_limit(field)}" if many else kind, required


def _kind(field: Any) -> str:
    if isinstance(field, fields.Enum):
        return codes(member.value for member in field.enum)
    if isinstance(field, ours.PlacePath) and field.levels:
        return "place path of a " + " or ".join(str(level) for level in field.levels)
    found = next((words for kind, words in _NAMES if isinstance(field, kind)), "")
    chosen = next((v for v in field.validators if isinstance(v, validate.OneOf)), None)
    if chosen is not None:
        return codes(chosen.choices)
    return (found or type(field).__name__.lower()) + _range(field) + _null(field)


def _range(field: Any) -> str:
    for rule in field.validators:
        if isinstance(rule, validate.Range) and abs(rule.max or 0) not in (0, 1e9, 2**31):
            return f", {rule.min} to {rule.max}"
    if isinstance(field, ours.Text) and not isinstance(field, (ours.Id, ours.PlacePath)):
        return f", at most {field.max}"
    return ""


def _null(field: Any) -> str:
    return " or null" if field.allow_none and not field.required else ""


def _limit(field: Any) -> str:
    for rule in field.validators:
        if isinstance(rule, validate.Length) and rule.max:
            return f", at most {rule.max}"
    return ""
