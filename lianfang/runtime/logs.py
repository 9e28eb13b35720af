"""Structured logs: constant event names, facts as keys, never personal data.

One canonical line per batch, command and timer run. JSON when nobody watches, coloured otherwise.
Context is bound per greenthread, so two concurrent workers never mix.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

#: Keys whose values never reach a log, whoever passes them.
DENIED = frozenset(
    {
        "name",
        "phone",
        "document_number",
        "address",
        "body",
        "data",
        "form",
        "rows",
        "emergency_phone",
    }
)

#: The innermost frames of an exception that are told.
_FRAMES = 12

log = structlog.get_logger("lianfang")


def _deny(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in DENIED & event.keys():
        event[key] = "[removed]"
    return event


def _plain_errors(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """An exception as its kind and its places in the code.

    Neither its text nor any variable: both may hold what somebody typed. What a broken line or
    file says of itself is kept.
    """
    given = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        if isinstance(error, OSError):
            event["reason"] = error.strerror
        event["frames"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-_FRAMES:]
        ]
    return event


def configure(service: str, level: int = logging.INFO) -> None:
    """Set up logging of this process, once, at its start; the libraries' lines are told alike."""

    def name_service(
        _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        # No context variable: a new greenthread begins with an empty context.
        event.setdefault("service", service)
        return event

    watched = sys.stderr.isatty()
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer()
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        name_service,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _deny,
        _plain_errors,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING)


bind = structlog.contextvars.bind_contextvars
bound = structlog.contextvars.bound_contextvars
