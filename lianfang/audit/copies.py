"""Read models whose documents have a source of the same key: each compared with its source.

A service keeps what it needs of others as its own copy, fed by events. Here both sides are read and
the copy is computed a second time from the source, in a few plain lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lianfang.audit.evidence import Evidence, Row
from lianfang.audit.finding import Invariant, Verdict, judged
from lianfang.places import Level, at_level, wire_place

#: Names of the fields in which a copy differs from what it should be.
Differences = Iterable[str]
INFECTED = ("confirmed", "asymptomatic")
CLOSED_STATES = ("provisional", "ordered", "approved", "release_due")
_HOMES = ("residence", "dormitory")
_KEPT_TASKS = ("case_transfer", "terminal_disinfection", "fever_escort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """`held` repeats those documents of `source` that are told of, under the same key."""

    held: str
    source: str
    differences: Callable[[Row, Row], Differences]
    told: Mapping[str, Any] = field(default_factory=dict)
    #: Those of `held` that are copies; the others are the service's own.
    copied: Mapping[str, Any] = field(default_factory=dict)

    def check(self, evidence: Evidence) -> Iterator[Verdict]:
        """Every source has its copy, every copy its source."""
        sources = evidence.rows(self.source, self.told)
        for source, found in evidence.beside(sources, self.held, lambda row: [row["_id"]]):
            held = found.get(source["_id"])
            wrong = ["missing"] if held is None else list(self.differences(source, held))
            yield judged(not wrong, f"{source['_id']}: {', '.join(wrong)}")
        copies = evidence.rows(self.held, self.copied, "_id")
        for held, found in evidence.beside(copies, self.source, lambda r: [r["_id"]], "_id"):
            if not found:
                yield f"{held['_id']}: nobody told"

    @property
    def invariant(self) -> Invariant:
        """The copy as something that must hold."""
        needs = (self.held.partition(".")[0], self.source.partition(".")[0])
        return read_model(self.held, self.source, needs, self.check)


def read_model(
    held: str, source: str, needs: tuple[str, ...], check: Callable[[Evidence], Iterable[Verdict]]
) -> Invariant:
    """The invariant of a read model."""
    return Invariant(
        name=f"copy:{held}",
        zh=f"副本 {held} 与来源 {source} 重新计算的结果一致",
        en=f"the copy {held} equals what {source} gives when it is computed anew",
        needs=needs,
        check=check,
    )


def unlike(source: Row, held: Row, *names: str, **renamed: str) -> Iterator[str]:
    """The fields in which the two differ; `renamed` maps the copy's name to the source's."""
    pairs = {**dict.fromkeys(names), **renamed}
    for name, other in pairs.items():
        if held.get(name) != source.get(other or name):
            yield name


# -- places and residences ------------------------------------------------------------------------


def _place(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(source, held, "revision", "use", "community_type")
    if held["exits"] != sorted(set(source["exits"])):
        yield "exits"


_STAYS = ("person_id", "household_id", "building", "unit", "kind", "stays_since", "ended_at")


def _screenings_residence(source: Row, held: Row) -> Iterator[str]:
    """What a snapshot told last; a sighting since then is kept beside it."""
    yield from unlike(source, held, *_STAYS, "floor")
    if held["revision"] == source["revision"]:
        yield from unlike(source, held, "presence")
        return
    seen = {"seen_at": source["presence_at"], "presence": source["presence"]}
    if held["revision"] > source["revision"] or seen not in held["sightings"]:
        yield "revision"


def _isolations_residence(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(
        source, held, *_STAYS, "presence", "needs", "guardian_id", ended_why="ended_reason"
    )
    if max(held["revision"], held["presence_revision"]) != source["revision"]:
        yield "revision"
    at_door = source["presence_source"] in ("head_count", "gate")
    if at_door and source["presence"] != "unknown":
        look = held["look"] or {}
        if (look.get("at"), look.get("is_there")) != (
            source["presence_at"],
            source["presence"] == "present",
        ):
            yield "look"


# -- cases ----------------------------------------------------------------------------------------


def _known_revision(source: Row, held: Row) -> Iterator[str]:
    """An end has a number of its own and tells no facts."""
    wanted = source["revision"] - (source["state"] not in INFECTED)
    if held["revision"] != wanted:
        yield "revision"


def _isolations_case(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(source, held, "outcome")
    if held["is_discarded"] != (source["state"] == "discarded"):
        yield "is_discarded"
    if source["classification"] is None:
        return
    yield from _known_revision(source, held)
    yield from unlike(
        source,
        held,
        *("person_id", "decided_at", "onset_on", "first_positive_at"),
        *("infectious_from_on", "laboratory_batch_id"),
    )
    if source["state"] != "closed":
        yield from unlike(source, held, "custody")
    stays = {(_down_to_unit(s), s["last_present_at"], s["use"]) for s in source["stays"]}
    if [(s["place"], s["last_present_at"], s["use"]) for s in held["stays"]] != sorted(stays):
        yield "stays"


def _down_to_unit(stay: Row) -> str:
    place, unit = str(stay["place"]), stay["unit_segment"]
    building = at_level(place, Level.BUILDING)
    if not unit or at_level(place, Level.UNIT) or building is None:
        return place
    return f"{building}.{unit}"


def _dispatchs_case(source: Row, held: Row) -> Iterator[str]:
    for name in ("discarded", "closed"):
        if held[name] != (source["state"] == name):
            yield name
    if source["classification"] is None:
        return
    yield from _known_revision(source, held)
    yield from unlike(source, held, "person_id", "household_id", "decided_at")
    if source["state"] != "closed":
        yield from unlike(source, held, "custody")
    homes = sorted({stay["place"] for stay in source["stays"] if stay["use"] in _HOMES})
    if held["homes"] != homes:
        yield "homes"
    if held["place"] != (homes[0] if homes else wire_place(source["building"])):
        yield "place"


# -- seals, infected points, evidence -------------------------------------------------------------


def _seal(source: Row, held: Row) -> Iterator[str]:
    """Climbing and waiving are numbered and not said; that the last day is over is said apart."""
    yield from unlike(source, held, "scope", "exits", "imposed_at", "day_one_on", "due_on")
    if held["building"] != (at_level(source["anchor"], Level.BUILDING) or source["anchor"]):
        yield "building"
    if held["revision"] > source["revision"]:
        yield "revision"
    if source["state"] == "release_due":
        due = held["state"] in CLOSED_STATES and source["due_on"] in held["release_due"]
        yield from () if due else ("release_due",)
    else:
        yield from unlike(source, held, "state")


def _focus(source: Row, held: Row) -> Iterator[str]:
    return unlike(source, held, "revision", "place", stands="is_open")


def _sample(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(source, held, "person_ids", "revision", result="state")
    if held["collected_at"] != (source["collected_at"] or source["resulted_at"]):
        yield "collected_at"


def _done_task(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(source, held, "kind", "place", "cause_id", "person_ids")
    if held["at"] not in [step["at"] for step in source["history"] if step["what"] == "completed"]:
        yield "at"


def _visit(source: Row, held: Row) -> Iterator[str]:
    yield from unlike(
        source, held, "building", "household_id", "outcome", "reason", "revision", at="recorded_at"
    )
    found = [{k: v for k, v in person.items() if k != "alarm"} for person in held["persons"]]
    if found != source["persons"]:
        yield "persons"


_DECIDED = {"$or": [{"classification": {"$ne": None}}, {"state": "discarded"}]}

COPIES = (
    Copy(
        held="isolation.places",
        source="declaration.places",
        told={"level": {"$ne": "room"}},
        differences=_place,
    ),
    Copy(
        held="screening.residences",
        source="declaration.residences",
        differences=_screenings_residence,
    ),
    Copy(
        held="isolation.residences",
        source="declaration.residences",
        differences=_isolations_residence,
    ),
    Copy(
        held="isolation.cases",
        source="screening.cases",
        told=_DECIDED,
        differences=_isolations_case,
    ),
    Copy(
        held="dispatch.cases", source="screening.cases", told=_DECIDED, differences=_dispatchs_case
    ),
    Copy(held="dispatch.seals", source="isolation.seals", differences=_seal),
    Copy(held="dispatch.foci", source="isolation.foci", differences=_focus),
    Copy(
        held="isolation.samples",
        source="screening.samples",
        told={"revision": {"$gt": 0}},
        differences=_sample,
    ),
    Copy(
        held="isolation.done_tasks",
        source="dispatch.tasks",
        told={"kind": {"$in": list(_KEPT_TASKS)}, "state": "completed"},
        differences=_done_task,
    ),
    Copy(
        held="screening.visits",
        source="dispatch.stops",
        copied={"kind": {"$ne": "health"}},
        differences=_visit,
    ),
)
