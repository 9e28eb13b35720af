"""From new facts to what stands: load what they touch, let the domain decide, save and say it.

Every entrypoint that learned something ends here. Only the touched buildings and persons are
loaded, each collection once; a decision about a building holds the building's guard.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lianfang.events.isolation import (
    SealExtended,
    SealImposed,
    SealProposed,
    SealWithdrawn,
)
from lianfang.runtime.documents import Reader
from lianfang.runtime.work import Work
from lianfang.vocabulary import RollStatus, SealState
from services.isolation import store
from services.isolation.domain import people, seals
from services.isolation.domain.announce import order_events, roll_events
from services.isolation.domain.assignment import Assigned, assign, buildings_of
from services.isolation.domain.braking import held_back
from services.isolation.domain.cases import sealing_stays
from services.isolation.domain.facts import Place
from services.isolation.domain.people import Decided, Scene
from services.isolation.domain.reconcile import Moment
from services.isolation.domain.roll import Entry, Sheet, enter, sheet_id
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import scope_of
from services.isolation.domain.seals import Opening, Seal
from services.isolation.domain.turns import Turn, told
from services.isolation.gathering import gather


def guard_buildings(work: Work, buildings: Iterable[str]) -> None:
    """Hold these buildings until the commit."""
    work.guard("building", *buildings)


# -- seals -----------------------------------------------------------------------------------------


def assigned_for(
    reader: Reader, buildings: Iterable[str], rules: Rules
) -> tuple[tuple[Assigned, ...], list[Seal], dict[str, Place]]:
    """What every seal around these buildings should close, all seals there, and the places."""
    area = set(buildings)
    places = store.places_for(reader, area)
    around = store.seals_touching(reader, area)
    area |= {b for seal in around if seal.is_open for b in seal.buildings}
    cases = {case.case_id: case for case in store.cases_staying_in(reader, area)}
    stays = [s.place for case in cases.values() for s in sealing_stays(case, rules)]
    area |= {b for place in stays for b in buildings_of(scope_of(place, places, rules))}
    if not area <= set(places):
        places |= store.places_for(reader, area)
        around = store.seals_touching(reader, area)
    causes = [cause for seal in around for cause in seal.causes if cause not in cases]
    cases |= reader.load(store.CASES, causes) if causes else {}
    return assign(cases.values(), around, places, rules), around, places


def settle_buildings(
    work: Work, buildings: Iterable[str], rules: Rules, persons: Iterable[str] = ()
) -> None:
    """Make the seals around these buildings what the cases ask for, then the people's orders."""
    touched = set(buildings)
    guard_buildings(work, touched)
    turns: list[Turn] = []
    if touched:
        wanted, around, _ = assigned_for(work, touched, rules)
        more = {b for a in wanted for b in a.extent.buildings} - touched
        guard_buildings(work, more)
        for assigned in wanted:
            turn = _turn(work, assigned, around, rules)
            if turn is not None:
                turns.append(turn)
    settle_people(work, rules, persons=persons, turns=turns)


def _turn(work: Work, assigned: Assigned, around: list[Seal], rules: Rules) -> Turn | None:
    seal, extent = assigned.seal, assigned.extent
    if seal is None:
        return _opened(work, assigned, around, rules)
    if not extent.causes and not seal.is_manual:
        why = "no cause is left"
        ended = seals.move(seal, SealState.WITHDRAWN, work.now, why=why)
        return Turn(before=seal, after=ended, word=SealWithdrawn, why=why)
    extended = seals.extend(seal, extent, work.now, rules)
    if extended is seal:
        return None
    word = SealProposed if seal.state == SealState.PROPOSED else SealExtended
    return Turn(before=seal, after=extended, word=word)


def _opened(work: Work, assigned: Assigned, around: list[Seal], rules: Rules) -> Turn:
    anchor = assigned.anchor
    work.guard("brake", "automatic")
    pauses = work.find(store.PAUSES, {"is_active": True})
    why = held_back(
        anchor,
        pauses,
        lambda since, batch: store.automatic_seals(work, since, batch),
        assigned.extent,
        work.now,
        rules,
    )
    opening = Opening(
        anchor=anchor,
        episode=1 + sum(seal.anchor == anchor for seal in around),
        now=work.now,
        correlation_id=work.correlation_id,
        held_back=why,
    )
    seal = seals.open_seal(opening, assigned.extent, rules)
    work.load(store.SEALS, [seal.seal_id])
    work.save(store.SEALS, seal)
    return Turn(before=None, after=seal, word=SealProposed if why else SealImposed, why=why)


# -- people ----------------------------------------------------------------------------------------


def settle_people(
    work: Work,
    rules: Rules,
    *,
    persons: Iterable[str] = (),
    households: Iterable[str] = (),
    turns: Iterable[Turn] = (),
    released: frozenset[str] = frozenset(),
) -> None:
    """Settle the orders and rolls of these people, and of all behind turned seals.

    Saves the turned seals with the counts of their rolls, then says all of it: seals first.
    """
    turned = list(turns)
    scene = gather(work, set(persons), set(households), turned)
    moment = Moment(
        now=work.now,
        today=work.today,
        released_seals=released,
    )
    decided = people.decide(scene, rules, moment)
    work.load(store.ORDERS, [changed.order.order_id for changed in decided.orders])
    for changed in decided.orders:
        work.save(store.ORDERS, changed.order)
    entered = _enter(work, decided, scene)
    correlation = _correlation(turned)
    _say_seals(work, turned, scene, entered, correlation)
    for event in order_events(decided.orders, work.causation_id, rules.version):
        work.publish(event, place=event.building, correlation_id=correlation)
    _say_rolls(work, scene, entered, rules, correlation)


def _correlation(turns: list[Turn]) -> str | None:
    """What a person or the clock decides about a seal belongs to what once closed the place."""
    for turn in turns:
        if turn.by is not None or not turn.after.is_open:
            return turn.after.correlation_id
    return None


@dataclass(slots=True, kw_only=True)
class _Entered:
    """What there is to say of whom, and how many more are inside, per seal."""

    said: dict[str, list[tuple[str, Entry]]] = field(default_factory=dict)
    persons: Counter[str] = field(default_factory=Counter)
    households: Counter[str] = field(default_factory=Counter)


def _enter(work: Work, decided: Decided, scene: Scene) -> _Entered:
    """Save the sheets that change.

    Who is simply expected when the seal is imposed is not said: the order says it.
    """
    buildings = {seal.seal_id: seal.building for seal in scene.seals}
    ids = {key: sheet_id(*key) for key in sorted({*decided.entries, *decided.dropped})}
    before = work.load(store.SHEETS, ids.values())
    entered = _Entered()
    for key, sid in ids.items():
        seal_id, household_id = key
        old = before.get(sid) or Sheet(
            sheet_id=sid,
            seal_id=seal_id,
            building=buildings[seal_id],
            household_id=household_id,
        )
        new, changed = enter(old, decided.entries.get(key, ()), decided.dropped.get(key, ()))
        if not changed:
            continue
        work.save(store.SHEETS, new)
        entered.persons[seal_id] += new.inside - old.inside
        entered.households[seal_id] += bool(new.inside) - bool(old.inside)
        entered.said.setdefault(seal_id, []).extend(
            (household_id, entry)
            for entry in changed
            if entry.status != RollStatus.EXPECTED or entry.revision > 1
        )
    return entered


def _say_seals(
    work: Work, turns: list[Turn], scene: Scene, entered: _Entered, correlation: str | None
) -> None:
    """Save turned and recounted seals; say the turned ones."""
    after = {seal.seal_id: seal for seal in scene.seals}
    after |= {turn.after.seal_id: turn.after for turn in turns}
    for seal_id in sorted(after):
        seal = after[seal_id]
        counted = replace(
            seal,
            persons=seal.persons + entered.persons[seal_id],
            households=seal.households + entered.households[seal_id],
        )
        if counted != seal:
            after[seal_id] = counted
            work.save(store.SEALS, counted)
    for turn in turns:
        seal = after[turn.after.seal_id]
        work.save(store.SEALS, seal)
        work.publish(told(turn, seal, work.now), place=seal.building, correlation_id=correlation)


def _say_rolls(
    work: Work, scene: Scene, entered: _Entered, rules: Rules, correlation: str | None
) -> None:
    for seal in scene.seals:
        said = entered.said.get(seal.seal_id, ())
        events = roll_events(seal.seal_id, seal.building, said, work.causation_id, rules.version)
        for event in events:
            work.publish(event, place=seal.building, correlation_id=correlation)
