"""The decorators of a service class. Each leaves a record on the method and registers with nameko.

Nameko runs the wrapped method in a worker with its resources injected: for a subscription once per
batch, for a call once per request, for a timer once per look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from typing import Any

from marshmallow import Schema

from lianfang.events import Event
from lianfang.runtime.handlers import ATTRIBUTE, Call, Handler, Timer
from lianfang.runtime.requests import run_call
from lianfang.runtime.rpc import RpcMethod
from lianfang.runtime.subscription import Subscription
from lianfang.runtime.timers import Clockwork, run_timer
from lianfang.topology import PARKING

Method = Callable[..., Any]


def subscribe(
    name: str,
    *events: type[Event],
    batch: int = 1,
    load: Callable[..., None] | None = None,
    idempotent: bool = False,
) -> Callable[[Method], Method]:
    """Handle these events from the queue `q.<service>.<name>`, `batch` at a time in one unit.

    The method gets `(work, event)` per event; `load(work, events)` runs once per batch before.
    `idempotent` says that the method's own keys make it safe to repeat, so no inbox is kept.
    """
    types = tuple(event.TYPE for event in events)
    return _subscription(name, types, batch, load, idempotent, "events")


def subscribe_all(
    name: str, *, batch: int, load: Callable[..., None] | None = None, idempotent: bool = True
) -> Callable[[Method], Method]:
    """Handle every event of the district; the method gets `(work, envelope)`."""
    return _subscription(name, ("#",), batch, load, idempotent, "envelopes")


def parked(batch: int = 20) -> Callable[[Method], Method]:
    """Take over what was parked; the method gets `(work, incoming)` with raw body and headers."""
    return _subscription(PARKING, (), batch, None, True, "parked")


def _subscription(  # one record's fields
    name: str,
    types: tuple[str, ...],
    batch: int,
    load: Callable[..., None] | None,
    idempotent: bool,
    reads: str,
) -> Callable[[Method], Method]:
    def decorate(method: Method) -> Method:
        @wraps(method)
        def run_batch(self: Any, incoming: Any, intake: Any) -> Exception | None:
            # Returned, because nameko writes every raised error with all its text into the log.
            try:
                intake.handle(self, incoming)
            except Exception as error:
                return error
            return None

        handler = Handler(
            name=name,
            method=method,
            event_types=types,
            queue=PARKING if reads == "parked" else "",
            batch=batch,
            load=load,
            idempotent=idempotent,
            reads=reads,
        )
        setattr(run_batch, ATTRIBUTE, handler)
        registered: Method = Subscription.decorator()(run_batch)
        return registered

    return decorate


def command(request: type[Schema], reply: type[Schema]) -> Callable[[Method], Method]:
    """Answer an RPC command: `(work, request)`, once per caller and `request_id`."""
    return _call(request, reply, is_command=True)


def query(request: type[Schema], reply: type[Schema]) -> Callable[[Method], Method]:
    """Answer an RPC query: `(reader, request)`, without any write."""
    return _call(request, reply, is_command=False)


def _call(
    request: type[Schema], reply: type[Schema], *, is_command: bool
) -> Callable[[Method], Method]:
    def decorate(method: Method) -> Method:
        record = Call(
            name=method.__name__,
            method=method,
            request=request(),
            answer=reply(),
            is_command=is_command,
        )

        @wraps(method)
        def run_request(self: Any, raw: Any, engine: Any) -> bytes:
            return run_call(engine, record, self, raw)

        setattr(run_request, ATTRIBUTE, record)
        registered: Method = RpcMethod.decorator()(run_request)
        return registered

    return decorate


def timer(
    *, every: float, due: Callable[[Any, datetime, int], Sequence[str]]
) -> Callable[[Method], Method]:
    """Every `every` seconds settle each key that `due(reader, now, limit)` names: `(work, key)`."""

    def decorate(method: Method) -> Method:
        record = Timer(name=method.__name__, method=method, every=every, due=due)

        @wraps(method)
        def run_look(self: Any, engine: Any, stopping: Any) -> None:
            run_timer(engine, record, self, stopping)

        setattr(run_look, ATTRIBUTE, record)
        registered: Method = Clockwork.decorator()(run_look)
        return registered

    return decorate
