"""Runs units of work: one transaction each, run again on conflict, redone on an unknown commit.

Nothing here knows nameko: the entrypoints, the timers and the tests all come through this door.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from lianfang.days import to_milliseconds
from lianfang.envelope import source_of
from lianfang.errors import Unavailable, VersionConflict
from lianfang.runtime.clock import Clock
from lianfang.runtime.crashpoints import Point, reached
from lianfang.runtime.documents import Documents, connect
from lianfang.runtime.logs import log
from lianfang.runtime.metrics import RERUNS
from lianfang.runtime.outbox import Outbox
from lianfang.runtime.publisher import Publisher
from lianfang.runtime.work import Work
from lianfang.settings import Settings

R = TypeVar("R")

#: Seconds after which a conflict becomes the caller's: longer than the open transaction of a killed
#: process lives in our databases (10 s), shorter than a caller waits.
PATIENCE = 20.0
#: Reruns because of an equal unique key. The first sees the other's document and decides anew; when
#: that does not help, waiting does not either.
_TWINS = 5
_COMMIT_TRIES = 5
_JITTER_SECONDS, _LONGEST_PAUSE = 0.05, 1.0
_TRANSIENT = "TransientTransactionError"
_UNKNOWN = "UnknownTransactionCommitResult"
_WRITE_CONFLICT, _DUPLICATE_KEY = 112, 11000


class Engine:
    """One service's database, clock, publisher and outbox in this process."""

    def __init__(
        self, settings: Settings, service: str, *, client: MongoClient[Any] | None = None
    ) -> None:
        self.settings, self.service = settings, service
        self.client = client or connect(settings.mongo_uri, service)
        self.database_name = f"{settings.database_prefix}_{service}"
        self.documents = Documents(self.client, self.database_name)
        self.source = source_of(settings.city, settings.district, service)
        self.clock = Clock(self.documents.database, settings.profile)
        self.publisher = Publisher(settings.amqp_uri, f"{settings.district} {service}")
        self.outbox = Outbox(self.documents.database, self.publisher)

    def run(self, decide: Callable[[Work], R]) -> tuple[R, list[dict[str, Any]]]:
        """Run `decide` in one transaction; returns its result and the committed outbox rows.

        `decide` may run several times and must do nothing but read and change its work.

        Raises:
            VersionConflict: others wrote first, every time.
            Unavailable: the database has no primary or does not answer, or nobody knows whether the
                commit succeeded; what was decided may be there, and the same cause may come again.
        """
        last: PyMongoError | None = None
        twins = 0
        for pause in _pauses():
            try:
                return self._transact(decide)
            except ConnectionFailure as error:
                if not error.has_error_label(_TRANSIENT):
                    raise Unavailable(f"database: {type(error).__name__}") from error
                last = error
                RERUNS.labels("connection").inc()
            except PyMongoError as error:
                if not error.has_error_label(_TRANSIENT) and not _is_conflict(error):
                    raise
                last = error
                RERUNS.labels("conflict").inc()
                twins += _is_twin(error)
                if twins > _TWINS:
                    break
            time.sleep(pause)
        if isinstance(last, ConnectionFailure):
            raise Unavailable(f"database: {type(last).__name__}") from last
        raise VersionConflict("others wrote first, every time") from last

    def _transact(self, decide: Callable[[Work], R]) -> tuple[R, list[dict[str, Any]]]:
        with self.client.start_session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
            )
            try:
                work = Work(
                    self.client,
                    self.database_name,
                    session,
                    source=self.source,
                    now=self.clock.now(),
                    wall=to_milliseconds(datetime.now(UTC)),
                )
                result = decide(work)
                work.flush()
                reached(Point.BEFORE_COMMIT)
            except BaseException:
                _abort(session)
                raise
            _commit(session)
            reached(Point.AFTER_COMMIT)
            return result, work.rows

    def say(self, rows: list[dict[str, Any]]) -> None:
        """Publish committed rows; what fails stays for the sweeper, so this never raises for it."""
        try:
            self.outbox.publish(rows)
        except PyMongoError as error:
            log.warning("outbox_delete_failed", error=type(error).__name__, rows=len(rows))

    def close(self) -> None:
        """Close the broker and database connections."""
        self.publisher.close()
        self.client.close()


def _pauses() -> Iterator[float]:
    """Jittered, growing pauses between the runs of a unit, until patience ends."""
    until, longest = time.monotonic() + PATIENCE, _JITTER_SECONDS
    while time.monotonic() < until:
        yield random.uniform(0, longest)  # noqa: S311
        longest = min(2 * longest, _LONGEST_PAUSE)


def _commit(session: Any) -> None:
    for attempt in range(_COMMIT_TRIES):
        try:
            session.commit_transaction()
        except PyMongoError as error:
            if not error.has_error_label(_UNKNOWN) or attempt == _COMMIT_TRIES - 1:
                raise
            RERUNS.labels("unknown_commit").inc()
        else:
            return


def _abort(session: Any) -> None:
    if session.in_transaction:
        try:
            session.abort_transaction()
        except PyMongoError as error:
            log.info("abort_failed", error=type(error).__name__)


def _is_conflict(error: PyMongoError) -> bool:
    """Whether somebody else wrote the same document, or one with the same unique key."""
    return _WRITE_CONFLICT in _codes(error) or _is_twin(error)


def _is_twin(error: PyMongoError) -> bool:
    """Whether a committed document has the same unique key."""
    return _DUPLICATE_KEY in _codes(error)


def _codes(error: PyMongoError) -> set[int | None]:
    code = error.code if isinstance(error, OperationFailure) else None
    details = getattr(error, "details", None) or {}
    return {e.get("code") for e in details.get("writeErrors", ())} | {code}
