"""Keeps scopes and their rounds in step with seals and households, inside one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.dispatch import store
from services.dispatch.domain.causes import SealFacts
from services.dispatch.domain.households import Household, community_of, home_scope
from services.dispatch.domain.rounds import (
    Door,
    Scope,
    ScopeAudit,
    ScopeKind,
    day_after,
    leave_over,
    open_rounds,
    replan,
    round_ids,
)
from services.dispatch.domain.rules import DispatchRules


class Plans:
    """The rounds of a unit of work. Callers guard the scopes they touch before they read."""

    def __init__(self, work: Any, rules: DispatchRules) -> None:
        self.work, self.rules = work, rules

    def follow_seal(self, seal: SealFacts) -> None:
        """The seal's scope as the seal now is; it exists once the building was ever closed."""
        if not seal.imposed:
            return
        before = self.work.get(store.SCOPES, seal.seal_id)
        scope = replace(
            before or self._scope(seal.seal_id, ScopeKind.SEAL, seal.building),
            active=seal.closes,
            day_one_on=seal.day_one_on,
        )
        if scope != before:
            self.work.save(store.SCOPES, scope)
            self.refresh(scope)

    def follow_households(self, households: Sequence[Household], scope_ids: Iterable[str]) -> None:
        """The rounds of these scopes after these households changed."""
        scopes = self.work.load(store.SCOPES, set(scope_ids))
        for scope in scopes.values():
            if scope.opened_on != self.work.today:
                self.refresh(scope)
            else:
                self._replan(scope, households)

    def ensure_home(self, buildings: Iterable[str]) -> None:
        """The scope of home quarantine of each building's community exists."""
        for building in sorted(set(buildings)):
            scope_id = home_scope(building)
            if self.work.get(store.SCOPES, scope_id) is None:
                scope = self._scope(scope_id, ScopeKind.HOME, community_of(building))
                self.work.save(store.SCOPES, scope)

    def _scope(self, scope_id: str, kind: ScopeKind, place: str) -> Scope:
        one_cause = self.work.correlation_id if kind == ScopeKind.SEAL else ""
        audit = ScopeAudit(correlation_id=one_cause)
        return Scope(scope_id=scope_id, kind=kind, place=place, audit=audit)

    def open_day(self, scope_id: str) -> None:
        """Today's rounds of a scope, once; days that nobody opened are remembered as gaps."""
        self.work.guard("scope", scope_id)
        scope = self.work.get(store.SCOPES, scope_id)
        if scope is not None and scope.active and scope.opened_on != self.work.today:
            self.refresh(scope)

    def refresh(self, scope: Scope) -> None:
        """Today's rounds exist and plan every household of the scope: one query for all of them."""
        fresh = open_rounds(
            scope,
            self.rules,
            self.work.now,
            self.work.today,
            opened_by=self.work.causation_id,
        )
        known = self.work.load(store.ROUNDS, [round_.round_id for round_ in fresh])
        for round_ in fresh:
            if round_.round_id not in known:
                self.work.save(store.ROUNDS, round_)
        if scope.opened_on != self.work.today:
            for undone in store.rounds_left_open(self.work, scope.scope_id, self.work.today):
                self.work.save(store.ROUNDS, leave_over(undone))
            scope = day_after(scope, self.work.today)
            self.work.save(store.SCOPES, scope)
        self._replan(scope, store.households_in(self.work, scope.scope_id))

    def _replan(self, scope: Scope, households: Sequence[Household]) -> None:
        ids = round_ids(scope, self.rules, self.work.today)
        doors = [Door.of(household, scope) for household in households]
        for round_ in self.work.load(store.ROUNDS, ids).values():
            changed = replan(round_, scope, doors, self.rules, self.work.now)
            if changed is not round_:
                self.work.save(store.ROUNDS, changed)
