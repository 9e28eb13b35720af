"""The matrix itself: everything that services declare is in it, and what is not is named."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from lianfang.runtime.crashpoints import Point
from lianfang.topology import PARKING
from tests.faults import matrix
from tests.faults.matrix import POINTS, SHARE, SILENT, cells_of, gaps, share_of, unreachable
from tests.faults.scenes import COMMAND, SUBSCRIPTION, TIMER, Actor, Scene, actors

_AT = datetime(2020, 2, 3, 1, tzinfo=UTC)


def scene_of(actor: Actor, rows: int) -> Scene:
    """A scene in which somebody says so many things at once."""
    window = [("events", "key", str(n)) for n in range(rows)]
    return Scene(actor=actor, at=_AT, before={}, own=[window], windows=[window])


def every_scene() -> dict[Actor, Scene]:
    """As the story has to make them."""
    return {a: scene_of(a, 0 if str(a) in SILENT else 2) for a in actors()}


def test_all_that_services_declare_comes_to_every_point_of_its_kind() -> None:
    declared = actors()
    assert {a.service for a in declared} == {
        "journal", "declaration", "screening", "isolation", "dispatch",
    }  # fmt: skip
    assert Counter(a.kind for a in declared).keys() == {SUBSCRIPTION, COMMAND, TIMER}
    cells = [cell for cell in cells_of(declared, every_scene()) if not cell.swept]
    assert len(set(cells)) == len(cells) == sum(len(POINTS[a.kind]) for a in declared)
    assert {point for points in POINTS.values() for point in points} == set(Point)


def test_the_sweeper_of_each_service_dies_too() -> None:
    swept = [cell for cell in cells_of(actors(), every_scene()) if cell.swept]
    services = Counter(cell.actor.service for cell in swept)
    assert set(services.values()) == {3}
    assert len(services) == 5


def test_who_has_no_scene_is_named() -> None:
    declared = [*actors(), Actor(service="dispatch", kind=COMMAND, name="do_something_new")]
    (gap,) = gaps(declared, every_scene())
    assert "dispatch.do_something_new" in gap


def test_who_falls_silent_or_begins_to_speak_is_named() -> None:
    scenes = every_scene()
    cases = Actor(service="isolation", kind=SUBSCRIPTION, name="q.isolation.cases")
    log = Actor(service="journal", kind=SUBSCRIPTION, name="q.journal.log")
    scenes |= {cases: scene_of(cases, 0), log: scene_of(log, 1)}
    assert sorted(gap.partition(" ")[0] for gap in gaps(actors(), scenes)) == [
        "q.isolation.cases", "q.journal.log",
    ]  # fmt: skip
    assert all(name in map(str, actors()) for name in SILENT)


def test_who_would_not_know_the_same_request_again_is_named() -> None:
    confirming = Actor(service="screening", kind=COMMAND, name="confirm_case")
    scene = scene_of(confirming, 2)
    scene.request = {"request_id": "r7"}
    (gap,) = gaps(actors(), every_scene() | {confirming: scene})
    assert gap.startswith("screening.confirm_case leaves nothing behind")
    scene.after = {"commands": {"{'caller': 'x', 'request_id': 'r7'}": ""}}
    assert gaps(actors(), every_scene() | {confirming: scene}) == []


def test_ten_seeds_in_a_row_run_every_cell_once() -> None:
    cells = cells_of(actors(), every_scene())
    drawn = [cell for seed in range(40, 40 + SHARE) for cell in share_of(cells, seed)]
    assert Counter(drawn) == Counter(cells)


def test_a_cell_is_left_out_only_for_what_its_scene_does_not_do() -> None:
    for scene in every_scene().values():
        for point in POINTS[scene.actor.kind]:
            why = unreachable(matrix.Cell(scene.actor, point), scene)
            if scene.actor.name == PARKING and point in (Point.IN_RETRY, Point.IN_PARK):
                assert why == matrix.HELD
            elif point in (Point.HALF_WINDOW, Point.AFTER_PUBLISH, Point.AFTER_REMOVAL):
                assert (why == matrix.SAYS_NOTHING) == (str(scene.actor) in SILENT)
            else:
                assert why is None
