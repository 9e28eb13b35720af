"""What other services' events mean here: learn, then let the plan follow.

Every function may get its event late, early or again: what it stores depends only on the set of
events heard, and the plan only on what is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lianfang.envelope import natural_id
from lianfang.events.isolation import (
    FocusDeclared,
    OrdersEvent,
    ReleaseDue,
    RollAmended,
)
from lianfang.events.screening import (
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    DeclarationAssessed,
    SymptomReported,
)
from lianfang.vocabulary import CauseKind, Outcome
from services.dispatch import store
from services.dispatch.desk import Desk, PlanHead
from services.dispatch.domain import alarms, causes
from services.dispatch.domain import households as doors
from services.dispatch.domain.difference import Wanted
from services.dispatch.plans import Plans

#: A person's first verdict needs no memory unless it asks for something.
_FIRST = 1


def hear_case(desk: Desk, event: Any) -> None:
    """A case was confirmed, amended, discarded or closed."""
    work = desk.work
    facts = work.get(store.CASES, event.case_id) or causes.CaseFacts(case_id=event.case_id)
    if isinstance(event, CaseConfirmed):
        facts = causes.learn_case(facts, event, work.message.place)
    elif isinstance(event, CaseDiscarded):
        facts = replace(facts, discarded=True)
    elif isinstance(event, CaseClosed):
        facts = replace(facts, closed=True)
    wanted = causes.plan_case(facts)
    place = facts.place or work.message.place
    _save(desk, store.CASES, facts, wanted, CauseKind.CASE, facts.case_id, place, event.TYPE)


def hear_seal(desk: Desk, plans: Plans, event: Any) -> None:
    """A seal was imposed, moved on or ended, or its last day is over."""
    work = desk.work
    work.guard("scope", event.seal_id)
    facts = work.get(store.SEALS, event.seal_id) or causes.SealFacts(seal_id=event.seal_id)
    if isinstance(event, ReleaseDue):
        facts = causes.learn_release_due(facts, event)
    else:
        facts = causes.learn_seal(facts, event)
    wanted = causes.plan_seal(facts)
    if facts.revision and not facts.closes:
        checks = store.tasks_of_seal(work, facts.seal_id, "door_check")
        wanted += [_ended(task) for task in checks]
    plans.follow_seal(facts)
    _save(
        desk,
        store.SEALS,
        facts,
        wanted,
        CauseKind.SEAL,
        facts.seal_id,
        facts.building,
        event.TYPE,
    )


def hear_focus(desk: Desk, event: Any) -> None:
    """An infected point was declared or cleared."""
    facts = desk.work.get(store.FOCI, event.focus_id) or alarms.FocusFacts(focus_id=event.focus_id)
    if isinstance(event, FocusDeclared):
        facts = alarms.learn_focus(facts, event)
    elif event.revision > facts.revision:
        facts = replace(facts, revision=event.revision, place=event.place, stands=False)
    wanted = alarms.plan_focus(facts)
    _save(desk, store.FOCI, facts, wanted, CauseKind.FOCUS, facts.focus_id, facts.place, event.TYPE)


# -- households -----------------------------------------------------------------------------------


def load_households(work: Any, events: Sequence[Any]) -> None:
    """Read once what a batch needs, after guarding every scope it may touch."""
    guarded: set[str] = set()
    ids: set[str] = set()
    for event in events:
        items = event.entries if isinstance(event, RollAmended) else event.orders
        ids.update(item.household_id for item in items)
        if isinstance(event, OrdersEvent):
            guarded.update(o.seal_id or doors.home_scope(o.building) for o in event.orders)
        else:
            guarded.add(event.seal_id)
    for scope_id in sorted(guarded):
        work.guard("scope", scope_id)
    work.load(store.HOUSEHOLDS, sorted(ids))
    orders = [o for event in events if isinstance(event, OrdersEvent) for o in event.orders]
    work.load(store.TASKS, [key for o in orders for key in doors.task_ids(o)])


def hear_household(desk: Desk, plans: Plans, event: Any) -> None:
    """Orders of many persons of one building, or decisions about a seal's roll."""
    if isinstance(event, RollAmended):
        _hear_roll(desk, event)
    else:
        _hear_orders(desk, plans, event)


def _hear_orders(desk: Desk, plans: Plans, event: OrdersEvent) -> None:
    work = desk.work
    changed: list[doors.Household] = []
    scopes: set[str] = set()
    for household_id, snapshots in _by_household(event.orders).items():
        before = work.get(store.HOUSEHOLDS, household_id) or doors.Household(
            household_id=household_id, building=event.building
        )
        after = doors.learn_orders(before, snapshots)
        scopes.update(before.scopes, after.scopes)
        if after != before:
            work.save(store.HOUSEHOLDS, after)
            changed.append(after)
    homes = {doors.home_scope(o.building): o.building for o in event.orders if doors.at_home(o)}
    plans.ensure_home(homes.values())
    wanted = [want for door in changed for want in doors.plan_orders(door, work.now)]
    desk.carry_out(wanted, _head_of(event, CauseKind.ORDER, event.decision_id))
    plans.follow_households(changed, scopes | set(homes))


def _hear_roll(desk: Desk, event: RollAmended) -> None:
    work = desk.work
    seal = work.get(store.SEALS, event.seal_id)
    ended = seal is not None and bool(seal.revision) and not seal.closes
    closed = frozenset([event.seal_id]) if ended else frozenset()
    wanted: list[Wanted] = []
    for household_id, entries in _by_household(event.entries).items():
        before = work.get(store.HOUSEHOLDS, household_id) or doors.Household(
            household_id=household_id, building=event.building
        )
        after = doors.learn_checks(before, event.seal_id, entries)
        if after != before:
            work.save(store.HOUSEHOLDS, after)
        persons = {entry.person_id for entry in entries}
        wanted += doors.plan_checks(after, event.seal_id, persons, closed, work.now)
    desk.carry_out(wanted, _head_of(event, CauseKind.RESIDENT, event.decision_id))


def _by_household(items: Iterable[Any]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = defaultdict(list)
    for item in items:
        grouped[item.household_id].append(item)
    return grouped


def _head_of(event: Any, kind: CauseKind, cause_id: str) -> PlanHead:
    """One announcement per chunk that was heard: the tasks name their own causes."""
    name = natural_id("plan", event.TYPE, event.decision_id, event.revision, event.chunk)
    return PlanHead(
        plan_id=name,
        cause_kind=kind,
        cause_id=cause_id,
        place=event.building,
        reason=event.TYPE,
    )


# -- alarms ---------------------------------------------------------------------------------------


def load_alarms(work: Any, events: Sequence[Any]) -> None:
    """Read once what a batch needs."""
    work.load(store.ALARMS, {event.person_id for event in events})


def hear_alarm(desk: Desk, event: SymptomReported) -> None:
    """A symptom or fever was reported."""
    _save_alarm(desk, alarms.learn_report(_alarm(desk, event.person_id), event), event)


def hear_verdict(desk: Desk, event: DeclarationAssessed) -> None:
    """A declaration was assessed; a first verdict that asks for nothing needs no memory."""
    facts = desk.work.get(store.ALARMS, event.person_id)
    if facts is None and event.revision == _FIRST and event.outcome != Outcome.HOSPITAL:
        desk.work.drop("first verdict asks for no escort")
        return
    _save_alarm(desk, alarms.learn_verdict(_alarm(desk, event.person_id), event), event)


def _alarm(desk: Desk, person_id: str) -> alarms.AlarmFacts:
    known: alarms.AlarmFacts | None = desk.work.get(store.ALARMS, person_id)
    return known or alarms.AlarmFacts(person_id=person_id)


def _save_alarm(desk: Desk, facts: alarms.AlarmFacts, event: Any) -> None:
    _save(
        desk,
        store.ALARMS,
        facts,
        alarms.plan_alarm(facts),
        CauseKind.SYMPTOM,
        facts.person_id,
        facts.building,
        event.TYPE,
    )


# -- both -----------------------------------------------------------------------------------------


def _save(  # noqa: PLR0913, PLR0917 - one cause and its plan
    desk: Desk,
    collection: Any,
    facts: Any,
    wanted: list[Wanted],
    kind: CauseKind,
    cause_id: str,
    place: str,
    reason: str,
) -> None:
    head = PlanHead(
        plan_id=natural_id("plan", cause_id),
        cause_kind=kind,
        cause_id=cause_id,
        place=place,
        revision=facts.audit.said + 1,
        reason=reason,
    )
    said = facts.audit.said + desk.carry_out(wanted, head)
    desk.work.save(collection, replace(facts, audit=causes.PlanAudit(said=said)))


def _ended(task: Any) -> Wanted:
    """The task as one that its cause asks for no more."""
    return Wanted(
        task_id=task.task_id,
        kind=task.kind,
        place=task.place,
        cause_kind=task.cause_kind,
        cause_id=task.cause_id,
        since=task.audit.opened_at or task.due_at,
        active=False,
        household_ids=task.household_ids,
        person_ids=task.person_ids,
        seal_id=task.seal_id,
    )
