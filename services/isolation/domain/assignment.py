"""Which case closes what: every case's residences, gathered into seals that do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lianfang.places import Level, at_level
from services.isolation.domain.cases import Case, sealing_stays
from services.isolation.domain.facts import Place
from services.isolation.domain.rules import Rules
from services.isolation.domain.scope import exits_of, overlap, scope_of, widest
from services.isolation.domain.seals import CONSUMING, Extent, Seal


@dataclass(slots=True, kw_only=True)
class _Group:
    """Cases and scopes gathered around one seal, or around one that has to be opened."""

    anchor: str
    seal: Seal | None = None
    scope: list[str] = field(default_factory=list)
    cases: dict[str, Case] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """What a seal should close now; `seal` is None where a new one is needed."""

    anchor: str
    seal: Seal | None
    extent: Extent


def buildings_of(scope: Iterable[str]) -> tuple[str, ...]:
    """The buildings (or larger places) that a scope touches, sorted."""
    return tuple(sorted({at_level(path, Level.BUILDING) or path for path in scope}))


def assign(
    cases: Iterable[Case], seals: Sequence[Seal], places: Mapping[str, Place], rules: Rules
) -> tuple[Assigned, ...]:
    """Every open seal with what it should close, then the seals that are missing.

    A case joins the seal whose scope it overlaps. What a released, refused or lapsed seal stood on
    closes the same place no more.
    """
    by_id = {case.case_id: case for case in cases}
    groups = [_around(seal, by_id, places, rules) for seal in seals if seal.is_open]
    for case, scope, path in _closings(by_id.values(), places, rules):
        if _is_settled(case, scope, seals):
            continue
        group = _overlapping(groups, scope)
        if group is None:
            group = _Group(anchor=_anchor(path, scope))
            groups.append(group)
        group.scope += scope
        group.cases[case.case_id] = case
    return tuple(
        Assigned(anchor=g.anchor, seal=g.seal, extent=extent_of(g.scope, g.cases, places))
        for g in groups
    )


def _around(
    seal: Seal, cases: Mapping[str, Case], places: Mapping[str, Place], rules: Rules
) -> _Group:
    """An open seal with what a person asked of it: nothing yet, when the rule imposed it."""
    if not seal.is_manual:
        return _Group(anchor=seal.anchor, seal=seal)
    named = {key: cases[key] for key in seal.named_causes if key in cases}
    return _Group(
        anchor=seal.anchor,
        seal=seal,
        scope=list(scope_of(seal.anchor, places, rules)),
        cases={key: case for key, case in named.items() if case.is_infected},
    )


def extent_of(
    scope: Iterable[str], cases: Mapping[str, Case], places: Mapping[str, Place]
) -> Extent:
    """A scope and its cases as a seal's extent."""
    closed = widest(scope)
    batches = {c.laboratory_batch_id for c in cases.values() if c.laboratory_batch_id}
    return Extent(
        scope=closed,
        buildings=buildings_of(closed),
        exits=exits_of(closed, places),
        causes=tuple(sorted(cases)),
        latest_cause_on=max((case.decided_on for case in cases.values()), default=None),
        batches=tuple(sorted(batches)),
    )


def _closings(
    cases: Iterable[Case], places: Mapping[str, Place], rules: Rules
) -> list[tuple[Case, tuple[str, ...], str]]:
    """Case, scope and path of every stay that closes something, in an order of their own."""
    found = [
        (case, scope_of(stay.place, places, rules), stay.place)
        for case in cases
        for stay in sealing_stays(case, rules)
    ]
    return sorted(found, key=lambda c: (c[0].decided_at, c[0].case_id, c[2]))


def _is_settled(case: Case, scope: tuple[str, ...], seals: Iterable[Seal]) -> bool:
    return any(
        seal.state in CONSUMING and case.case_id in seal.causes and overlap(seal.scope, scope)
        for seal in seals
    )


def _overlapping(groups: Sequence[_Group], scope: tuple[str, ...]) -> _Group | None:
    for group in groups:
        closed = group.scope or (group.seal.scope if group.seal else ())
        before = group.seal.scope if group.seal else ()
        if overlap(closed, scope) or overlap(before, scope):
            return group
    return None


def _anchor(path: str, scope: tuple[str, ...]) -> str:
    """The unit when only units are closed, else the building of the stay."""
    building = at_level(path, Level.BUILDING) or path
    return building if building in scope or path not in scope else path
