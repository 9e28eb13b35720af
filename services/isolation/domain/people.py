"""Decides about everybody a decision touches: who is on which roll, and which order follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from lianfang.days import day_of
from lianfang.vocabulary import CauseKind, Need
from services.isolation.domain.cases import Case
from services.isolation.domain.doors import Door, door_id
from services.isolation.domain.facts import Person, Residence
from services.isolation.domain.orders import OPEN, Order, Reason
from services.isolation.domain.reconcile import Changed, Moment, reconcile
from services.isolation.domain.roll import Entry, judge_resident, judge_stranger
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import covers
from services.isolation.domain.seals import Seal
from services.isolation.domain.standing import Known, Membership, what_should_stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All facts about some persons. `seals` are the closing seals that were looked at now.

    `turned` are the ids of the seals whose own decision this is, ended ones included. An order's
    reason from a seal that is neither turned nor around a loaded residence of the person is
    retained as it is.
    """

    persons: tuple[str, ...]
    residences: Mapping[str, tuple[Residence, ...]]
    told: Mapping[str, Person]
    cases: Mapping[str, Case]
    orders: Mapping[str, list[Order]]
    doors: Mapping[str, Door]
    seals: tuple[Seal, ...]
    turned: frozenset[str]
    wards: Mapping[str, tuple[Need, ...]] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Decided:
    """What follows: changed orders, and per (seal, household) the entries and who drops out."""

    orders: list[Changed] = field(default_factory=list)
    entries: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    dropped: dict[tuple[str, str], list[str]] = field(default_factory=dict)


def decide(scene: Scene, rules: Rules, moment: Moment) -> Decided:
    """The decisions about every person of the scene."""
    decided = Decided()
    strangers = _strangers(scene)
    trace_from = {seal.seal_id: _trace_from(seal, scene.cases) for seal in scene.seals}
    for person_id in scene.persons:
        known = _known(person_id, scene, strangers, trace_from)
        had = scene.orders.get(person_id, ())
        wanted = what_should_stand(known, rules)
        changes = reconcile(wanted, had, moment) if had or wanted.reasons else ()
        decided.orders += changes
        current = _current(had, changes)
        _note_entries(decided, known, current)
        _note_dropped(decided, known, scene)
    return decided


def _current(had: Iterable[Order], changes: tuple[Changed, ...]) -> Order | None:
    newest = {order.order_id: order for order in had}
    newest |= {changed.order.order_id: changed.order for changed in changes}
    return next((order for order in newest.values() if order.state in OPEN), None)


def _note_entries(decided: Decided, known: Known, current: Order | None) -> None:
    held = {r.id for r in current.standing if r.kind == CauseKind.SEAL} if current else set()
    for member in known.memberships:
        entry = Entry(
            person_id=known.person_id,
            status=member.judged.status,
            reason=member.judged.reason,
            order_id=current.order_id if current and member.seal.seal_id in held else None,
        )
        decided.entries.setdefault((member.seal.seal_id, member.household_id), []).append(entry)


def _note_dropped(decided: Decided, known: Known, scene: Scene) -> None:
    """Residents of a closed place who have nothing to do with it; a sheet forgets them."""
    on = {(member.seal.seal_id, member.household_id) for member in known.memberships}
    for residence in known.residences:
        for seal in scene.seals:
            key = (seal.seal_id, residence.household_id)
            if key not in on:
                decided.dropped.setdefault(key, []).append(known.person_id)


def _known(
    person_id: str,
    scene: Scene,
    strangers: Mapping[str, list[Door]],
    trace_from: Mapping[str, date],
) -> Known:
    person = scene.told.get(person_id)
    residences = scene.residences.get(person_id, ())
    current = next((o for o in scene.orders.get(person_id, ()) if o.state in OPEN), None)
    known = Known(
        person_id=person_id,
        person=person,
        residences=residences,
        cases=scene.cases,
        looks_after=scene.wards.get(person_id, ()),
        retained=_retained(current, residences, scene),
        retained_at=(current.household_id, current.building) if current else None,
    )
    memberships = _memberships(known, scene, strangers.get(person_id, ()), trace_from)
    return replace(known, memberships=memberships) if memberships else known


def _retained(
    current: Order | None, residences: Iterable[Residence], scene: Scene
) -> tuple[Reason, ...]:
    if current is None:
        return ()
    around = {r.building for r in residences}
    decided = {s.seal_id for s in scene.seals if not around.isdisjoint(s.buildings)}
    return tuple(
        r
        for r in current.standing
        if r.kind == CauseKind.SEAL and r.id not in scene.turned and r.id not in decided
    )


def _memberships(
    known: Known, scene: Scene, doors: Iterable[Door], trace_from: Mapping[str, date]
) -> tuple[Membership, ...]:
    """One membership per seal: of several residences inside, the one that binds most."""
    found: dict[str, Membership] = {}
    is_dead = known.is_dead
    for residence in known.residences:
        for seal in scene.seals:
            if not covers(seal.scope, residence.path):
                continue
            door = scene.doors.get(door_id(residence.building, residence.household_id))
            judged = judge_resident(
                residence, door, seal.imposed_at, trace_from[seal.seal_id], is_dead
            )
            if judged is not None:
                member = Membership(
                    seal=seal,
                    judged=judged,
                    household_id=residence.household_id,
                    building=residence.building,
                    residence=residence,
                    notice=door.notice(seal.imposed_at) if door is not None else None,
                )
                _keep(found, member)
    for door in doors:
        for seal in scene.seals:
            if door.building not in seal.buildings or seal.seal_id in found:
                continue
            stranger = judge_stranger(known.person_id, door, seal.imposed_at)
            if stranger is not None:
                found[seal.seal_id] = Membership(
                    seal=seal,
                    judged=stranger,
                    household_id=door.household_id,
                    building=door.building,
                    notice=door.notice(seal.imposed_at),
                )
    return tuple(found[key] for key in sorted(found))


_BINDING = (
    "deceased",
    "found",
    "unregistered",
    "expected",
    "door_check",
    "traced",
    "absent",
    "refused_entry",
    "lives_elsewhere",
)


def _keep(found: dict[str, Membership], member: Membership) -> None:
    old = found.get(member.seal.seal_id)
    if old is None or _binding(member) < _binding(old):
        found[member.seal.seal_id] = member


def _binding(member: Membership) -> tuple[int, str]:
    return _BINDING.index(member.judged.status), member.household_id


def _strangers(scene: Scene) -> dict[str, list[Door]]:
    """Doors at which somebody was named who has no residence behind them."""
    found: dict[str, list[Door]] = {}
    for door in sorted(scene.doors.values(), key=lambda d: d.door_id):
        for person_id in door.person_ids:
            at_home = {
                r.household_id
                for r in scene.residences.get(person_id, ())
                if r.known_at is not None
            }
            if door.household_id not in at_home:
                found.setdefault(person_id, []).append(door)
    return found


def _trace_from(seal: Seal, cases: Mapping[str, Case]) -> date:
    """The first day on which somebody could have been infected in the closed place."""
    days = [
        case.infectious_from_on
        for case in (cases.get(case_id) for case_id in seal.causes)
        if case is not None and case.infectious_from_on is not None
    ]
    return min(days, default=day_of(seal.imposed_at))
