"""Requests as they come and answers as they go: read, answered, and every error told.

Nothing here knows nameko, so a call is the same thing under a broker and in a plain call.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

import orjson
from pymongo.errors import PyMongoError

from lianfang.errors import (
    Bug,
    DeadlineExceeded,
    InvalidPayload,
    LianfangError,
    TooLarge,
    Unavailable,
    Undecodable,
)
from lianfang.runtime.commands import answer
from lianfang.runtime.door import Incoming
from lianfang.runtime.handlers import Call
from lianfang.runtime.ids import random_id
from lianfang.runtime.logs import bound, log
from lianfang.runtime.metrics import CALL_SECONDS, CALLS

#: The largest request; the broker's own limit is the same. No answer is larger either.
REQUEST_LIMIT = 1024 * 1024
DEADLINE_HEADER = "x-deadline-ms"
_REPLY_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def run_call(engine: Any, call: Call, service: Any, raw: Incoming) -> bytes:
    """One request to its reply document; never raises for what a caller sent."""
    started = time.monotonic()
    call_id = str(raw.properties.get("correlation_id") or "")[:64]
    with bound(call_id=call_id, correlation_id=call_id, method=call.name):
        try:
            document = read_request(raw)
            result = answer(engine, call, service, document, raw.properties.get("user_id"))
            reply, code = reply_bytes({"result": result, "error": None}), "ok"
        except LianfangError as error:
            reply, code = failure(error), error.code
        except PyMongoError as error:
            log.warning("call_interrupted", error=type(error).__name__)
            reply = failure(Unavailable(f"database: {type(error).__name__}"))
            code = Unavailable.code
        except Exception as error:
            incident = random_id()
            log.error("call_bug", incident=incident, exc_info=error)
            reply, code = failure(Bug(None, {"incident": incident})), Bug.code
        seconds = time.monotonic() - started
        CALLS.labels(call.name, code).inc()
        CALL_SECONDS.labels(call.name).observe(seconds)
        log.info("call_answered", outcome=code, duration_ms=round(seconds * 1000, 1))
    return reply


def reply_key(raw: Incoming) -> str | None:
    """Where the caller waits for its answer, or None where nobody can be told.

    Only a key that services may write to: over any other the broker would close the channel, and
    the request would come again for ever.
    """
    key = raw.properties.get("reply_to")
    return key if isinstance(key, str) and _REPLY_KEY.fullmatch(key) else None


def reply_bytes(document: dict[str, Any]) -> bytes:
    """A reply document as JSON.

    Raises:
        TooLarge: nothing that large fits through the broker; the caller must ask for less.
    """
    body = orjson.dumps(document)
    if len(body) > REQUEST_LIMIT:
        raise TooLarge(f"the answer has {len(body)} bytes, at most {REQUEST_LIMIT}")
    return body


def failure(error: LianfangError) -> bytes:
    """An error as nameko's wire shape, with our code and context beside it."""
    cls = type(error)
    document = {
        "result": None,
        "error": {
            "exc_type": cls.__name__,
            "exc_path": f"{cls.__module__}.{cls.__name__}",
            "exc_args": [error.message, error.context],
            "value": error.message,
            "code": error.code,
            "context": error.context,
        },
    }
    # A context may repeat a caller's key with lone surrogates, which no JSON text can carry.
    return json.dumps(document, ensure_ascii=False, default=str).encode("utf-8", "replace")


def read_request(raw: Incoming) -> Any:
    """The keyword document of a request.

    Raises:
        InvalidPayload, DeadlineExceeded: too large, compressed, not JSON, or late.
    """
    if "compression" in raw.headers:
        raise InvalidPayload.of("headers.compression", "compressed bodies are refused unopened")
    if len(raw.body) > REQUEST_LIMIT:
        raise TooLarge(f"{len(raw.body)} bytes, at most {REQUEST_LIMIT}")
    if _is_late(raw):
        raise DeadlineExceeded
    document = _json(raw.body)
    if not isinstance(document, dict) or document.get("args"):
        raise InvalidPayload.of("args", "a request is {args: [], kwargs: {...}}")
    return document.get("kwargs", {})


def _is_late(raw: Incoming) -> bool:
    """Whether the caller waits no longer.

    Where the message expires the broker kept the time, by one clock. The caller's and ours may
    differ: ahead by more than a deadline, we would refuse every call.
    """
    deadline = raw.headers.get(DEADLINE_HEADER)
    if raw.properties.get("expiration") or not isinstance(deadline, int | float):
        return False
    return deadline < time.time() * 1000


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        # The slow reader lets lone surrogates through, so that the schema can name the field.
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Undecodable(
            f"body: {str(error)[:200]}", {"fields": {"body": ["is no JSON"]}}
        ) from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def raw_method(routing_key: Any) -> str:
    """The method a routing key names."""
    return str(routing_key or "").partition(".")[2]
