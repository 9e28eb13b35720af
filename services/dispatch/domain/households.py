"""What dispatch knows of one household: its persons' orders and door checks, and what follows.

One document per household, because a stop is made at a door: who is at home behind it, with what
needs, in which scope (a seal, or the community for home quarantine outside seals).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from lianfang.envelope import natural_id
from lianfang.events.isolation import OrderSnapshot, RollEntry
from lianfang.places import Level, at_level
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState, RollStatus
from services.dispatch.domain.causes import PlanAudit, task_id
from services.dispatch.domain.difference import Wanted

_OPEN = frozenset(
    {OrderState.ORDERED, OrderState.SERVED, OrderState.OBSERVING, OrderState.RELEASE_DUE}
)
#: Orders that somebody visits the person for.
_VISITED = (Measure.HOME, Measure.FACILITY)
#: Orders that take the person away from home.
_AWAY = (Measure.FACILITY, Measure.ISOLATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFact:
    """One order as last heard of, and what it ever was."""

    order_id: str
    person_id: str
    revision: int
    measure: Measure
    open: bool
    at_home: bool
    start_on: date
    needs: tuple[Need, ...] = ()
    seal_id: str | None = None
    visited_ever: bool = False
    facility_ever: bool = False
    away_ever: bool = False

    @property
    def counts(self) -> bool:
        """Whether somebody is at home because of it."""
        return self.open and self.at_home


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFact:
    """What was decided about one person of this household and one seal's roll."""

    seal_id: str
    person_id: str
    revision: int
    status: RollStatus
    checked_ever: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Everybody behind one door who has, or had, an order or a place on a roll."""

    household_id: str
    building: str
    orders: tuple[OrderFact, ...] = ()
    checks: tuple[CheckFact, ...] = ()
    scopes: tuple[str, ...] = ()
    pet_ever: bool = False
    audit: PlanAudit = field(default=PlanAudit())

    @property
    def persons(self) -> frozenset[str]:
        """Whom a stop at this door may be about."""
        return frozenset([o.person_id for o in self.orders] + [c.person_id for c in self.checks])

    def members(self, scope: str) -> tuple[OrderFact, ...]:
        """The orders that keep somebody at home in this scope."""
        return tuple(o for o in self.orders if o.counts and scope_of(o, self.building) == scope)


def home_scope(building: str) -> str:
    """The scope of home quarantine outside seals: the community of the building."""
    return natural_id("scope", community_of(building))


def community_of(building: str) -> str:
    """The community of a building, or the building where the path has none."""
    return at_level(building, Level.COMMUNITY) or building


def at_home(snapshot: OrderSnapshot) -> bool:
    """Whether the order is, or was, one of home quarantine outside seals."""
    return snapshot.seal_id is None and snapshot.measure in _VISITED


def task_ids(snapshot: OrderSnapshot) -> tuple[str, ...]:
    """The tasks that this order alone may open or end."""
    if snapshot.measure not in _VISITED:
        return ()
    kinds = ("trinity_visit", "contact_transfer")
    return tuple(task_id(snapshot.order_id, kind) for kind in kinds)


def scope_of(order: OrderFact, building: str) -> str | None:
    """Where the person is served: in the seal, or at home in the community, or nowhere."""
    if order.seal_id is not None:
        return order.seal_id
    return home_scope(building) if order.measure in _VISITED else None


def learn_orders(household: Household, snapshots: Iterable[OrderSnapshot]) -> Household:
    """Orders of this household as they are said to be; an older revision only adds to `…_ever`."""
    known = {o.order_id: o for o in household.orders}
    for snapshot in snapshots:
        known[snapshot.order_id] = _learned(known.get(snapshot.order_id), snapshot)
        household = replace(
            household,
            building=snapshot.building,
            pet_ever=household.pet_ever or Need.PET in snapshot.needs,
        )
    orders = tuple(known[key] for key in sorted(known))
    household = replace(household, orders=orders)
    return replace(household, scopes=_scopes(household))


def _scopes(household: Household) -> tuple[str, ...]:
    scopes = {scope_of(o, household.building) for o in household.orders if o.counts}
    return tuple(sorted(scope for scope in scopes if scope is not None))


def _learned(before: OrderFact | None, snapshot: OrderSnapshot) -> OrderFact:
    visited = snapshot.measure in _VISITED or (before is not None and before.visited_ever)
    facility = snapshot.measure == Measure.FACILITY or (before is not None and before.facility_ever)
    away = snapshot.measure in _AWAY or (before is not None and before.away_ever)
    if before is not None and snapshot.revision <= before.revision:
        return replace(before, visited_ever=visited, facility_ever=facility, away_ever=away)
    return OrderFact(
        order_id=snapshot.order_id,
        person_id=snapshot.person_id,
        revision=snapshot.revision,
        measure=snapshot.measure,
        open=snapshot.state in _OPEN,
        at_home=snapshot.at_home,
        start_on=snapshot.start_on,
        needs=tuple(sorted(snapshot.needs)),
        seal_id=snapshot.seal_id,
        visited_ever=visited,
        facility_ever=facility,
        away_ever=away,
    )


def learn_checks(household: Household, seal_id: str, entries: Iterable[RollEntry]) -> Household:
    """What was decided about persons of this household on a seal's roll."""
    known = {(c.seal_id, c.person_id): c for c in household.checks}
    for entry in entries:
        key = (seal_id, entry.person_id)
        before = known.get(key)
        checked = entry.status == RollStatus.DOOR_CHECK or bool(before and before.checked_ever)
        if before is not None and entry.revision <= before.revision:
            known[key] = replace(before, checked_ever=checked)
            continue
        known[key] = CheckFact(
            seal_id=seal_id,
            person_id=entry.person_id,
            revision=entry.revision,
            status=entry.status,
            checked_ever=checked,
        )
    return replace(household, checks=tuple(known[key] for key in sorted(known)))


def plan_orders(household: Household, now: datetime) -> list[Wanted]:
    """The visits and transfers of the household's orders, and its pet before the flat is empty."""
    wanted = []
    for order in household.orders:
        if order.visited_ever:
            active = order.counts and order.measure in _VISITED
            wanted.append(_of_order(household, order, "trinity_visit", active, now))
        if order.facility_ever:
            active = order.counts and order.measure == Measure.FACILITY
            wanted.append(_of_order(household, order, "contact_transfer", active, now))
    if household.pet_ever and any(o.away_ever for o in household.orders):
        wanted.append(_pet_pickup(household, now))
    return wanted


def _of_order(
    household: Household, order: OrderFact, kind: str, active: bool, now: datetime
) -> Wanted:
    return Wanted(
        task_id=task_id(order.order_id, kind),
        kind=kind,
        place=household.building,
        cause_kind=CauseKind.ORDER,
        cause_id=order.order_id,
        since=now,
        active=active,
        household_ids=(household.household_id,),
        person_ids=(order.person_id,),
        seal_id=order.seal_id,
    )


def _pet_pickup(household: Household, now: datetime) -> Wanted:
    """Wanted while every open order of the household takes its person away and there is a pet."""
    standing = [o for o in household.orders if o.open]
    pet = any(Need.PET in o.needs for o in standing)
    seals = sorted(o.seal_id for o in standing if o.seal_id)
    return Wanted(
        task_id=task_id(household.household_id, "pet_pickup"),
        kind="pet_pickup",
        place=household.building,
        cause_kind=CauseKind.ORDER,
        cause_id=household.household_id,
        since=now,
        active=pet and all(o.measure in _AWAY for o in standing),
        household_ids=(household.household_id,),
        seal_id=seals[0] if seals else None,
    )


def plan_checks(
    household: Household,
    seal_id: str,
    persons: Collection[str],
    closed: frozenset[str],
    now: datetime,
) -> list[Wanted]:
    """A look at the door for each of these persons about whom a seal's roll is not sure.

    `closed` are seals that ended: nothing is looked for behind them.
    """
    return [
        _check(household, check, check.seal_id not in closed, now)
        for check in household.checks
        if check.checked_ever and check.seal_id == seal_id and check.person_id in persons
    ]


def _check(household: Household, check: CheckFact, stands: bool, now: datetime) -> Wanted:
    cause_id = natural_id("resident", check.seal_id, check.person_id)
    return Wanted(
        task_id=task_id(cause_id, "door_check"),
        kind="door_check",
        place=household.building,
        cause_kind=CauseKind.RESIDENT,
        cause_id=cause_id,
        since=now,
        active=stands and check.status == RollStatus.DOOR_CHECK,
        household_ids=(household.household_id,),
        person_ids=(check.person_id,),
        seal_id=check.seal_id,
    )
