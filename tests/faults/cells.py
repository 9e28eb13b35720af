"""One cell of the crash matrix: a process dies at one point of one scene, and the next ends it."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import orjson

from lianfang.runtime.crashpoints import Point
from lianfang.runtime.outbox import SWEEPER
from tests.faults.forge import REJECTED, RETRYABLE, TELL, Forge, Forged, Trap
from tests.faults.matrix import Cell, shares_windows, unreachable
from tests.faults.scenes import COMMAND, SUBSCRIPTION, TIMER, Scene, State, state_of
from tests.faults.workbench import Workbench, queue_of

#: Seconds until a process has to have died, or its successor to have ended everything.
PATIENCE = 30.0
_LOOK = 0.01
#: So many processes may be killed between their last deed and its acknowledgement.
_SUCCESSORS = 8
#: A killed process leaves its transaction open here.
_OPEN_TRANSACTION = (Point.IN_DECISION, Point.BEFORE_COMMIT)


@dataclass(slots=True)
class Found:
    """What became of a cell."""

    cell: Cell
    kills: int = 0
    #: Messages and requests that the broker delivered again, and events that were said again.
    redelivered: int = 0
    repeated: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    recovery_s: float = 0.0
    broken: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Something does not hold."""
        self.broken.append(f"{self.cell}: {what}")


@dataclass(frozen=True, slots=True)
class Goal:
    """What has to be there in the end: the state, the ids of what was said, copies, answers."""

    state: State
    said: frozenset[str] = frozenset()
    parked: int = 0
    answers: int = 0


def goal_of(scene: Scene) -> Goal:
    """The end of a scene in which nobody dies."""
    said = frozenset(said_id for _, _, said_id in scene.said)
    return Goal(scene.after, said, answers=int(scene.request is not None))


class Ordeal:
    """Runs one cell; `found` is what became of it."""

    def __init__(self, bench: Workbench, forge: Forge, cell: Cell, scene: Scene) -> None:
        self._bench, self._forge = bench, forge
        self._cell, self._scene = cell, scene
        self._heard: Counter[str] = Counter()
        self.found = Found(cell)

    def run(self) -> Found:
        """Live through the scene, die at the point where one can, and look at the end."""
        started = time.monotonic()
        cell, name = self._cell, self._scene.actor.name
        self._bench.prepare(self._scene)
        self._bench.cause(self._scene)
        if unreachable(cell, self._scene):
            self._finish(goal_of(self._scene), [Trap(cell.point.name, name)])
        else:
            self._die()
            self._recover()
        self.found.seconds = time.monotonic() - started
        return self.found

    def _die(self) -> None:
        cell, name = self._cell, self._scene.actor.name
        needs = {Point.IN_RETRY: RETRYABLE, Point.IN_PARK: REJECTED}
        if cell.swept:
            self._die_of([Trap(Point.AFTER_COMMIT.name, name)])
            self._die_of([Trap(cell.point.name, SWEEPER)])
        elif cell.point in needs:
            failing = Trap(Point.IN_DECISION.name, name, needs[cell.point])
            self._die_of([Trap(cell.point.name, name), failing])
        else:
            self._die_of([Trap(cell.point.name, name)])

    def _die_of(self, traps: Sequence[Trap]) -> None:
        process = self._fork(traps)
        if not process.ended(PATIENCE):
            self.found.complain("nobody came there")
            process.kill()
        elif process.signal != signal.SIGKILL:
            self.found.complain(f"ended by signal {process.signal}, not by its own SIGKILL")
        self.found.kills += 1
        # Timers run side by side: one may have been in the middle of its own.
        if self._cell.point in _OPEN_TRANSACTION or self._cell.actor.kind == TIMER:
            self._bench.end_open_transactions(self._scene, self._client)
        self._wait(lambda: self._bench.consumers(self._scene) == 0)
        self.found.redelivered += self._bench.depth(queue_of(self._scene))

    def _fork(self, traps: Sequence[Trap]) -> Forged:
        self._client = f"crash points {uuid4().hex[:12]}"
        return self._forge.fork(self._scene.actor.service, self._scene.at, self._client, traps)

    def _recover(self) -> None:
        """The next process, and for a poisoned message the one after its replay."""
        died = time.monotonic()
        if self._cell.actor.kind == COMMAND:
            self._bench.cause(self._scene)  # the caller has no answer yet, or asks once more
        if self._cell.point is Point.IN_PARK:
            traps = [Trap(Point.IN_DECISION.name, self._scene.actor.name, REJECTED)]
            self._finish(Goal(state_of(self._scene.before), parked=2), traps)
            self._check_parked()
            self._bench.cause(self._scene)
        self._finish(goal_of(self._scene))
        self.found.recovery_s = time.monotonic() - died

    def _finish(self, goal: Goal, traps: Sequence[Trap] = ()) -> None:
        """Let a process end the scene, kill it, and look.

        It may die between its last deed and the acknowledgement; then the next has to see.
        """
        telling = Trap(Point.BEFORE_ACK.name, self._scene.actor.name, TELL)
        for _ in range(_SUCCESSORS):
            waiting = self._bench.depth(queue_of(self._scene))
            process = self._fork([telling, *traps])
            in_time = self._wait(self._over(process, goal, waiting))
            by_chance = process.ended() and bool(traps) and shares_windows(self._cell)
            if process.ended() and not by_chance:
                self.found.complain(f"died by itself, signal {process.signal}")
            process.kill()
            self._wait(lambda: self._bench.consumers(self._scene) == 0)
            left = by_chance or self._bench.depth(queue_of(self._scene)) > 0
            if not left or not in_time or self.found.broken:
                break
            traps = () if by_chance else traps
            self.found.kills += 1
        self._judge(goal)

    def _over(self, process: Forged, goal: Goal, waiting: int) -> Callable[[], bool]:
        """Whether all is as it has to be, and as many acknowledgements are out as there can be."""
        acknowledged = min(waiting, 1) if self._cell.actor.kind == SUBSCRIPTION else waiting

        def over() -> bool:
            return process.ended() or (
                self._forge.told.stat().st_size >= acknowledged and self._is_over(goal)
            )

        return over

    def _is_over(self, goal: Goal) -> bool:
        self._bench.listen(self._scene, self._heard)
        return (
            self._bench.is_quiet(self._scene)
            and goal.said <= self._heard.keys()
            and self._bench.depth(self._bench.parked) >= goal.parked
            and self._bench.depth(self._bench.replies) >= goal.answers
            and self._bench.state(self._scene) == goal.state
        )

    # -- judging --------------------------------------------------------------------------------

    def _judge(self, goal: Goal) -> None:
        found = self.found
        self._bench.listen(self._scene, self._heard)
        if not self._bench.is_quiet(self._scene):
            found.complain("something still waits in a queue or in the outbox")
        lost, more = goal.said - self._heard.keys(), self._heard.keys() - goal.said
        if lost or more:
            found.complain(f"not said {sorted(lost)}, said besides {sorted(more)}")
        missing, added, example = _compared(goal.state, self._bench.state(self._scene))
        if example:
            found.complain(f"ends otherwise: {example}")
        found.lost += len(lost) + missing
        found.doubled += len(more) + added
        found.repeated += sum(self._heard.values()) - len(self._heard)
        self._check_answers(goal)

    def _check_answers(self, goal: Goal) -> None:
        right = {"result": self._scene.answer, "error": None}
        answers = [orjson.loads(reply.body) for reply in self._bench.fetch(self._bench.replies)]
        wrong = [answer for answer in answers if answer != right]
        if wrong or len(answers) < goal.answers:
            self.found.complain(f"answered {wrong[:1]} of {len(answers)}, not {right}")

    def _check_parked(self) -> None:
        """The copies in parking are this message and no other, as it came."""
        message = self._scene.message
        assert message is not None
        first = message.headers.get("x-message-id") or message.properties["message_id"]
        copies = self._bench.fetch(self._bench.parked)
        seen = {(c.headers.get("x-message-id"), c.headers.get("x-reason"), c.body) for c in copies}
        if seen != {(first, "rejected", message.body)}:
            ids = sorted((str(message_id), str(reason)) for message_id, reason, _ in seen)
            self.found.complain(f"parked {ids}, not {first} alone")
        self.found.repeated += max(0, len(copies) - 1)

    def _wait(self, condition: Callable[[], bool]) -> bool:
        """Whether it comes true in time."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not condition():
            if time.monotonic() > deadline:
                return False
            pause.wait(_LOOK)
        return True


def _compared(expected: State, got: State) -> tuple[int, int, str]:
    """How many documents are missing, how many are more or other, and the first of them."""
    missing = added = 0
    example = ""
    for name in sorted({*expected, *got}):
        left: Mapping[str, str] = expected.get(name, {})
        right: Mapping[str, str] = got.get(name, {})
        for key in sorted({*left, *right}):
            if left.get(key) != right.get(key):
                missing, added = missing + (key not in right), added + (key in right)
                example = example or f"{name} {key}: {_apart(left.get(key), right.get(key))}"
    return missing, added, example


def _apart(one: str | None, other: str | None) -> str:
    """Where two texts part."""
    if one is None or other is None:
        return "is missing" if other is None else "is there besides"
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    start = max(0, at - 60)
    return f"…{one[start : at + 60]}… became …{other[start : at + 60]}…"
