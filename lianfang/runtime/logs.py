"""Structured logs: constant event names, facts as keys, never personal data.

One canonical line per batch, command and timer run. JSON when nobody watches, coloured otherwise.
Context is bound per greenthread, so two concurrent workers never mix.
"""

from __future__ import annotations

import logging
import sys
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

log = structlog.get_logger("lianfang")


def _deny(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in DENIED & event.keys():
        event[key] = "[removed]"
    return event


def configure(service: str, level: int = logging.INFO) -> None:
    """Set up logging of this process, once, at its start."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    watched = sys.stderr.isatty()
    # Plain tracebacks only: one with local variables would print people's names.
    renderer: Any = structlog.processors.JSONRenderer()
    if watched:
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=plain)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _deny,
            *([] if watched else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


bound = structlog.contextvars.bound_contextvars
