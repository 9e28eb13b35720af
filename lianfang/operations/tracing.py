"""Events as a tree of cause and effect; many of one type under one cause become one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: More effects of one type than this are told together.
FEW = 3
#: Who answers for an event is in one of these fields of its data.
_PERSONS = ("by", "decided_by", "amended_by", "recorded_by", "declared_by", "served_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One event of the log, as a line of a tree."""

    event_id: str
    cause_id: str
    type: str
    at: datetime
    subject: str
    place: str
    service: str
    person: str | None = None
    #: How many things it speaks of: orders, tasks, stops.
    items: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Some events of one type, and what they led to together; mostly it is one event."""

    steps: tuple[Step, ...]
    effects: tuple[Branch, ...] = ()

    @property
    def first(self) -> Step:
        """The earliest."""
        return self.steps[0]

    @property
    def last(self) -> Step:
        """The latest."""
        return self.steps[-1]

    def document(self) -> dict[str, Any]:
        """As JSON: every event in full, whatever is told together."""
        return {
            "type": self.first.type,
            "count": len(self.steps),
            "events": [
                {
                    "event_id": step.event_id,
                    "caused_by": step.cause_id,
                    "at": step.at.isoformat(),
                    "subject": step.subject,
                    "place": step.place,
                    "service": step.service,
                    "person": step.person,
                    "items": step.items,
                }
                for step in self.steps
            ],
            "led_to": [effect.document() for effect in self.effects],
        }


def step_of(event: Mapping[str, Any]) -> Step:
    """A row of the journal's answers."""
    data = event.get("data")
    said = data if isinstance(data, Mapping) else {}
    return Step(
        event_id=event["event_id"],
        cause_id=event["causation_id"],
        type=event["type"],
        at=datetime.fromisoformat(event["at"]),
        subject=event["subject"],
        place=event["place"],
        service=str(event["source"]).rpartition("/")[2],
        person=next((str(said[name]) for name in _PERSONS if said.get(name)), None),
        items=max((len(v) for v in said.values() if _is_listing(v)), default=1),
    )


def _is_listing(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def grow(steps: Iterable[Step], few: int | None = FEW) -> tuple[Branch, ...]:
    """The trees of these events; without `few` every event has a line of its own.

    An event whose cause is not among them, a command or a clock, is a root. Causes that go in a
    circle cannot be: an id is computed from what is said, and something said it first.
    """
    ordered = sorted({step.event_id: step for step in steps}.values(), key=lambda s: (s.at, s.type))
    known = {step.event_id for step in ordered}
    effects: dict[str, list[Step]] = {}
    for step in ordered:
        is_root = step.cause_id not in known or step.cause_id == step.event_id
        effects.setdefault("" if is_root else step.cause_id, []).append(step)
    return tuple(_branches(effects.get("", ()), effects, few))


def _branches(
    steps: Sequence[Step], effects: Mapping[str, Sequence[Step]], few: int | None
) -> Iterator[Branch]:
    by_type: dict[str, list[Step]] = {}
    for step in steps:
        by_type.setdefault(step.type, []).append(step)
    for alike in by_type.values():
        together = few is not None and len(alike) > few
        for group in [alike] if together else [[step] for step in alike]:
            led_to = [effect for step in group for effect in effects.get(step.event_id, ())]
            yield Branch(steps=tuple(group), effects=tuple(_branches(led_to, effects, few)))


def common_place(steps: Iterable[Step]) -> str:
    """The place that all of them are at or below."""
    paths = [step.place.split(".") for step in steps]
    shared = []
    for parts in zip(*paths, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)
