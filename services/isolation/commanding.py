"""What people decide about seals: each loads, lets the domain move, settles and says."""

from __future__ import annotations

from typing import Any

from lianfang.errors import IllegalTransition, InvalidPayload, NotFound
from lianfang.events.isolation import (
    SealApproved,
    SealEvent,
    SealImposed,
    SealOrdered,
    SealRefused,
    SealReleased,
)
from lianfang.runtime.work import Work
from lianfang.vocabulary import SealState
from services.isolation import store
from services.isolation.answering import (
    readiness,
    seal_asked_for,
    seal_document,
    the_building,
    the_seal,
)
from services.isolation.domain import seals
from services.isolation.domain.assignment import extent_of
from services.isolation.domain.conditions import Judgement, shown
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import scope_of
from services.isolation.domain.seals import Opening, Seal, Waiver
from services.isolation.domain.turns import Turn, told
from services.isolation.settling import assigned_for, guard_buildings, settle_people

# -- imposing --------------------------------------------------------------------------------------


def impose_seal(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A named authority imposes a proposed seal, or closes a building the rule did not close.

    Raises:
        NotFound: no such seal, building or case; IllegalTransition: it is closed already.
    """
    if request.get("seal_id"):
        return _impose_proposed(work, the_seal(work, request["seal_id"]), request, rules)
    building = request.get("building")
    if not building:
        raise InvalidPayload.of("building", "give building or seal_id")
    the_building(work, building)
    guard_buildings(work, [building])
    standing = store.open_seals(work, [building])
    for seal in standing:
        if seal.is_closing:
            raise IllegalTransition.of(f"seal {seal.seal_id}", seal.state, SealState.PROVISIONAL)
    if standing:
        return _impose_proposed(work, standing[0], request, rules)
    return _impose_new(work, building, request, rules)


def _impose_proposed(
    work: Work, seal: Seal, request: dict[str, Any], rules: Rules
) -> dict[str, Any]:
    guard_buildings(work, seal.buildings)
    wanted, _, _ = assigned_for(work, seal.buildings, rules)
    mine = next(a for a in wanted if a.seal is not None and a.seal.seal_id == seal.seal_id)
    by, why = request["decided_by"], request["reason"]
    imposed = seals.impose(seal, mine.extent, work.now, by, why, rules)
    return _turned(work, rules, Turn(before=seal, after=imposed, word=SealImposed, by=by, why=why))


def _impose_new(work: Work, building: str, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    named: dict[str, Any] = {}
    if request.get("case_id"):
        case = work.get(store.CASES, request["case_id"])
        if case is None or not case.is_infected:
            raise NotFound.of("case", request["case_id"])
        named[case.case_id] = case
    around = store.seals_touching(work, [building])
    places = store.places_for(work, [building])
    scope = scope_of(building, places, rules)
    places |= store.places_for(work, scope)
    guard_buildings(work, set(scope) - {building})
    opening = Opening(
        anchor=building,
        episode=1 + sum(seal.anchor == building for seal in around),
        now=work.now,
        correlation_id=work.correlation_id,
        is_manual=True,
        named_causes=tuple(named),
        by=request["decided_by"],
        why=request["reason"],
    )
    seal = seals.open_seal(opening, extent_of(scope, named, places), rules)
    work.load(store.SEALS, [seal.seal_id])
    turn = Turn(before=None, after=seal, word=SealImposed, by=opening.by, why=opening.why)
    return _turned(work, rules, turn)


def _turned(
    work: Work, rules: Rules, turn: Turn, released: frozenset[str] = frozenset()
) -> dict[str, Any]:
    settle_people(work, rules, turns=[turn], released=released)
    return seal_document(the_seal(work, turn.after.seal_id))


# -- the legal course ------------------------------------------------------------------------------


def _move(
    work: Work, request: dict[str, Any], to: SealState, word: type[SealEvent]
) -> tuple[Seal, Turn]:
    seal = seal_asked_for(work, request)
    guard_buildings(work, seal.buildings)
    by, why = request["decided_by"], request.get("reason")
    moved = seals.move(seal, to, work.now, by=by, why=why)
    return seal, Turn(before=seal, after=moved, word=word, by=by, why=why)


def _save_and_say(work: Work, turn: Turn) -> dict[str, Any]:
    """A turn that changes nothing for the people behind it."""
    seal = turn.after
    work.save(store.SEALS, seal)
    work.publish(
        told(turn, seal, work.now), place=seal.building, correlation_id=seal.correlation_id
    )
    return seal_document(seal)


def order_seal(work: Work, request: dict[str, Any]) -> dict[str, Any]:
    """A named authority orders a provisional seal."""
    _, turn = _move(work, request, SealState.ORDERED, SealOrdered)
    return _save_and_say(work, turn)


def approve_seal(work: Work, request: dict[str, Any]) -> dict[str, Any]:
    """The level above approves an ordered seal."""
    _, turn = _move(work, request, SealState.APPROVED, SealApproved)
    return _save_and_say(work, turn)


def refuse_seal(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """An authority refuses: everybody behind the seal is free at once."""
    _, turn = _move(work, request, SealState.REFUSED, SealRefused)
    return _turned(work, rules, turn) if turn.concerns_people else _save_and_say(work, turn)


def release_seal(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A medic releases, with the checklist attached.

    Raises:
        IllegalTransition: the seal is not closed, or `context.conditions` names what is unmet.
    """
    seal = seal_asked_for(work, request)
    subject = f"seal {seal.seal_id}"
    if not seal.is_closing:
        raise IllegalTransition.of(subject, seal.state, SealState.RELEASED)
    guard_buildings(work, seal.buildings)
    judged = readiness(work, seal, work.today, rules)
    in_the_way = [j for j in judged if j.is_in_the_way]
    if in_the_way:
        refusal = IllegalTransition.of(subject, seal.state, SealState.RELEASED)
        refusal.context["conditions"] = seal_document(seal, judged)["conditions"]
        names = ", ".join(j.name for j in in_the_way)
        raise IllegalTransition(f"{subject} waits for {names}", refusal.context)
    by = request["decided_by"]
    after = seals.move(seal, SealState.RELEASED, work.now, by=by, why=request.get("reason"))
    turn = Turn(before=seal, after=after, word=SealReleased, by=by, conditions=shown(judged))
    document = _turned(work, rules, turn, frozenset({seal.seal_id}))
    document["conditions"] = seal_document(seal, judged)["conditions"]
    return document


def waive_condition(work: Work, request: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """A medic waives one condition, for everybody or for one person whom it waits for.

    Raises:
        NotFound: no such condition, or the person does not stand in its way.
    """
    seal = seal_asked_for(work, request)
    guard_buildings(work, seal.buildings)
    judged = {j.name: j for j in readiness(work, seal, work.today, rules)}
    name, person_id = request["name"], request.get("person_id")
    if name not in judged:
        raise NotFound.of("release condition", name)
    if person_id is not None and not _concerns(judged[name], seal, name, person_id):
        raise NotFound.of(f"person whom {name} waits for", person_id)
    waiver = Waiver(
        name=name,
        reason=request["reason"],
        decided_by=request["decided_by"],
        person_id=person_id,
    )
    waived = seals.waive(seal, waiver, work.now)
    work.save(store.SEALS, waived)
    return seal_document(waived, readiness(work, waived, work.today, rules))


def _concerns(judged: Judgement, seal: Seal, name: str, person_id: str) -> bool:
    known = any((w.name, w.person_id) == (name, person_id) for w in seal.waivers)
    return known or person_id in judged.blocked_by
