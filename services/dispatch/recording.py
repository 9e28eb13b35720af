"""Records what teams did at doors, and completes a round and its task with the last stop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from lianfang.envelope import natural_id
from lianfang.errors import IllegalTransition, InvalidPayload
from lianfang.events import CHUNK
from lianfang.events.dispatch import StopsRecorded
from services.dispatch import store
from services.dispatch.desk import Desk
from services.dispatch.domain import stops as doors
from services.dispatch.domain.causes import task_id
from services.dispatch.domain.rounds import COMPLETES, Round, RoundState, finished
from services.dispatch.domain.task import UNDONE, Task, finish

#: The most persons one message of stops speaks of: keeps it well below the limit of a body.
_MOST_PERSONS = 4 * CHUNK


def record_stops(desk: Desk, round_: Round, request: Mapping[str, Any]) -> dict[str, int]:
    """Take a team's record: all of it, or none with the first reason.

    Raises:
        IllegalTransition: the round is cancelled or over, or a change needs a revision.
        InvalidPayload: an unknown household or person, or the same household twice.
        Conflict: a correction of another revision.
    """
    work = desk.work
    if round_.state == RoundState.CANCELLED:
        raise IllegalTransition.of(f"round {round_.round_id}", round_.state, "recorded")
    work.correlate(round_.audit.correlation_id or work.correlation_id)
    work.guard("round", round_.round_id)
    entries = [doors.entry_of(document, work.now) for document in request["stops"]]
    changed, corrected = _recorded(work, round_, entries, request["recorded_by"])
    for stop in changed:
        work.save(store.STOPS, stop)
    _announce(work, round_, changed, request["recorded_by"])
    settle(desk, round_, request["recorded_by"])
    return {"recorded": len(changed) - corrected, "corrected": corrected}


def _recorded(
    work: Any, round_: Round, entries: Sequence[doors.Entry], by: str
) -> tuple[list[doors.Stop], int]:
    ids = [entry.household_id for entry in entries]
    if len(set(ids)) != len(ids):
        raise InvalidPayload.of("stops", "name a household twice")
    households = work.load(store.HOUSEHOLDS, ids)
    known = work.load(store.STOPS, [doors.stop_id(round_.round_id, key) for key in ids])
    changed, corrected = [], 0
    for n, entry in enumerate(entries):
        household = doors.check_entry(
            entry, households.get(entry.household_id), round_, f"stops.{n}"
        )
        before = known.get(doors.stop_id(round_.round_id, entry.household_id))
        stop = doors.record(before, entry, round_, household.building, by, work.now)
        if stop is not before:
            changed.append(stop)
            corrected += entry.revision is not None and before is not None
    return changed, corrected


def _announce(work: Any, round_: Round, changed: Sequence[doors.Stop], by: str) -> None:
    """One record per building, in chunks."""
    buildings: dict[str, list[doors.Stop]] = defaultdict(list)
    for stop in changed:
        buildings[stop.building].append(stop)
    for building, stops in sorted(buildings.items()):
        pieces = _pieces(stops)
        for chunk, piece in enumerate(pieces, 1):
            event = StopsRecorded(
                record_id=natural_id(
                    "record", round_.round_id, building, work.caller, work.request_id
                ),
                round_id=round_.round_id,
                kind=round_.kind,
                building=building,
                recorded_by=by,
                received_at=work.now,
                stops=tuple(stop.record for stop in piece),
                chunk=chunk,
                chunks=len(pieces),
            )
            work.publish(event, place=building)


def _pieces(stops: Sequence[doors.Stop]) -> list[list[doors.Stop]]:
    """Chunks of at most `CHUNK` stops, and fewer where the households are large."""
    pieces: list[list[doors.Stop]] = [[]]
    persons = 0
    for stop in stops:
        persons += len(stop.persons)
        if len(pieces[-1]) == CHUNK or (pieces[-1] and persons > _MOST_PERSONS):
            pieces.append([])
            persons = len(stop.persons)
        pieces[-1].append(stop)
    return pieces


def settle(desk: Desk, round_: Round, by: str) -> None:
    """Complete the round when nothing is left of it, and the task that waits for it."""
    work = desk.work
    recorded = frozenset(stop.household_id for stop in store.stops_of(work, round_.round_id))
    after = finished(round_, recorded)
    if after is round_:
        return
    work.save(store.ROUNDS, after)
    kind = COMPLETES.get(round_.kind)
    if after.state != RoundState.COMPLETED or kind is None or round_.seal_id is None:
        return
    task = work.get(store.TASKS, task_id(round_.seal_id, kind, ""))
    if task is not None and task.state in UNDONE:
        done, event = finish(task, work.now, by, "every planned household is recorded")
        work.save(store.TASKS, done)
        work.publish(event, place=done.place)


def recount(desk: Desk, round_id: str) -> None:
    """A household left the round: complete it when the others are recorded."""
    round_ = desk.work.get(store.ROUNDS, round_id)
    if round_ is None or not round_.audit.check:
        return
    desk.work.guard("round", round_id)
    desk.work.correlate(round_.audit.correlation_id or desk.work.correlation_id)
    settle(desk, round_, "clock")


def ready(work: Any, task: Task) -> Task:
    """The task, unless it waits for stops of its round.

    Raises:
        IllegalTransition: planned households are not recorded yet.
    """
    kinds = [kind for kind, completes in COMPLETES.items() if completes == task.kind]
    if not kinds or task.state not in UNDONE or task.seal_id is None:
        return task
    round_ = work.get(store.ROUNDS, natural_id("round", task.seal_id, kinds[0]))
    if round_ is not None and round_.state == RoundState.OPEN:
        raise IllegalTransition.of(f"task {task.task_id}", task.state, "completed before its round")
    return task
