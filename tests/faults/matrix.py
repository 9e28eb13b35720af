"""The crash matrix: every point of the runtime times everything that a service declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lianfang.runtime.crashpoints import Point
from lianfang.runtime.discovery import SERVICES
from lianfang.runtime.outbox import SWEEPER
from lianfang.topology import PARKING
from tests.faults.scenes import COMMAND, ENOUGH, SUBSCRIPTION, TIMER, Actor, Scene

SHARE = 10
_SAYING = (Point.HALF_WINDOW, Point.AFTER_PUBLISH, Point.AFTER_REMOVAL)
_EVERYWHERE = (Point.IN_DECISION, Point.BEFORE_COMMIT, Point.AFTER_COMMIT, *_SAYING)
_FAILING = (Point.IN_RETRY, Point.IN_PARK)
#: The points that whoever is of a kind comes to.
POINTS = {
    SUBSCRIPTION: (Point.AFTER_RECEIVE, *_EVERYWHERE, *_FAILING, Point.BEFORE_ACK),
    COMMAND: (Point.AFTER_RECEIVE, *_EVERYWHERE, Point.BEFORE_REPLY, Point.BEFORE_ACK),
    TIMER: _EVERYWHERE,
}
#: Whom the story gives nothing to say: no row of theirs can be half published. Everything else says
#: something, or the matrix does not hold.
SILENT = frozenset(
    {
        "q.journal.log",
        "journal.parking",
        "journal.take_back",
        "declaration.request_correction",
        "q.screening.residents",
        "screening.record_samples",
        "q.isolation.results",
        "isolation.pause_automation",
        "isolation.resume_automation",
        "isolation.waive_condition",
        "dispatch.register_organisation",
        "dispatch.register_team",
        "dispatch.set_responsibility",
        "dispatch.set_roster",
        "dispatch.check_rounds",
        "dispatch.open_day",
        *(f"{service}.release_outbox" for service in SERVICES),  # the sweeper says it
    }
)
HELD = "what cannot be stored is held: there is no further place to put it"
SAYS_NOTHING, SAYS_ONE = "it says nothing", "it says one thing, which has no half"


def gaps(declared: Iterable[Actor], scenes: Mapping[Actor, Scene]) -> list[str]:
    """What keeps the matrix from covering everything, each as a sentence."""
    found = []
    for actor in declared:
        if actor not in scenes:
            found.append(f"{actor} has no scene: give it something to do in tests/faults/story.py")
        elif not scenes[actor].is_remembered:
            found.append(f"{actor} leaves nothing behind that says it was done")
        elif (scenes[actor].worth == 0) != (str(actor) in SILENT):
            found.append(f"{actor} says {scenes[actor].worth} rows, SILENT says otherwise")
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """A point and who comes to it; swept: the next process dies there while it sweeps up."""

    actor: Actor
    point: Point
    swept: bool = False

    def __str__(self) -> str:
        sweeping = f" {SWEEPER}" if self.swept else ""
        return f"{self.actor}{sweeping} {self.point.label}"


def cells_of(actors: Iterable[Actor], scenes: Mapping[Actor, Scene]) -> list[Cell]:
    """Every point that there is for each of them, and for the sweeper of each service."""
    found = [Cell(actor, point) for actor in actors for point in POINTS[actor.kind]]
    talkative: dict[str, Actor] = {}
    for actor in actors:
        if actor in scenes and scenes[actor].worth == ENOUGH and actor.kind != TIMER:
            talkative.setdefault(actor.service, actor)
    found += [Cell(actor, point, swept=True) for actor in talkative.values() for point in _SAYING]
    return found


def share_of(cells: Sequence[Cell], seed: int) -> list[Cell]:
    """The tenth that this seed names; ten seeds in a row name them all."""
    return list(cells[seed % SHARE :: SHARE])


def unreachable(cell: Cell, scene: Scene) -> str | None:
    """Why nobody comes to this point in this scene; None where somebody does."""
    if cell.actor.name == PARKING and cell.point in _FAILING:
        return HELD
    if cell.point in _SAYING and scene.worth == 0:
        return SAYS_NOTHING
    if cell.point is Point.HALF_WINDOW and scene.worth < ENOUGH:
        return SAYS_ONE
    return None


def shares_windows(cell: Cell) -> bool:
    """Timers of a service run side by side: rows of two may travel together and so have a half."""
    return cell.actor.kind == TIMER and cell.point is Point.HALF_WINDOW
