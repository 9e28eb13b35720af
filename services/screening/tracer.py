"""Keeps contacts and exposures of cases what they should be: computes, compares, saves, tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from services.screening import store
from services.screening.domain import tracing, travel
from services.screening.domain.cases import Case, window
from services.screening.domain.contacts import (
    CLAIM,
    EXPOSURE,
    INVESTIGATOR,
    Contact,
    ContactState,
    Ground,
    contact_id_of,
    drawn,
    news,
    said,
)
from services.screening.domain.dossiers import Dossier
from services.screening.domain.rules import ContactRules
from services.screening.domain.travel import Crossing, Exposure, carrier_day, case_key

_DECLARED = (CLAIM, EXPOSURE)
_STILL_CASE = "the person is no contact of this case"


class Tracer:
    """What follows from a case for other people, inside one unit of work.

    What a command ends stays as a tombstone (`keep`). What ends because somebody declared or lives
    otherwise is forgotten: had the correction come first it would never have been. Revisions come
    from the case's crossing, so they grow even past what was forgotten.
    """

    def __init__(self, work: Any, rules: ContactRules, *, keep: bool) -> None:
        self.work, self.rules, self.keep = work, rules, keep

    # -- the whole case -----------------------------------------------------------------------

    def retrace(self, case: Case, reason: str = _STILL_CASE) -> None:
        """Exposures and contacts of a case, after it or what it rests on changed."""
        self.meet(case_key(case.case_id))
        exposures = self._expose(case, reason)
        before = {c.person_id: c for c in store.contacts_of(self.work, case.case_id)}
        grounds = self._kept(case, before.values())
        if tracing.exposes(case):
            for person_id, found in self._lived_with(case).items():
                grounds[person_id] += found
            for person_id, found in self._declared(case, exposures).items():
                grounds[person_id] += found
        for person_id in sorted({*before, *grounds}):
            self._settle(case, person_id, grounds[person_id], reason)

    def _kept(self, case: Case, contacts: Iterable[Contact]) -> dict[str, list[Ground]]:
        """What an investigator recorded stays as long as the case is about the same person."""
        grounds: dict[str, list[Ground]] = defaultdict(list)
        if not tracing.exposes(case):
            return grounds
        for contact in contacts:
            if contact.person_id == case.person_id:
                continue
            grounds[contact.person_id] += [
                ground
                for ground in contact.grounds
                if ground.source == INVESTIGATOR and ground.about == case.person_id
            ]
        return grounds

    def _lived_with(self, case: Case) -> dict[str, list[Ground]]:
        households = [key[10:] for key in case.reach if key.startswith("household:")]
        residents = {r.residence_id: r for r in store.residents_of(self.work, households)}
        floors: dict[str, set[int]] = defaultdict(set)
        for key in case.reach:
            if key.startswith("floor:"):
                _, building, _, floor = key.split(":")
                floors[building].add(int(floor))
        for building, numbers in floors.items():
            on = store.residents_on(self.work, building, numbers)
            residents |= {r.residence_id: r for r in on}
        by_id = {r.residence_id: r.person_id for r in residents.values()}
        found: dict[str, list[Ground]] = defaultdict(list)
        for ground in tracing.lived_with(case, residents.values(), self.rules):
            found[by_id[ground.ref]].append(ground)
        return found

    def _declared(self, case: Case, exposures: Sequence[Exposure]) -> dict[str, list[Ground]]:
        days = [day for exposure in exposures if (day := _day(exposure)) and exposure.standing]
        people = {d.person_id: d for d in store.claimants_of(self.work, case.case_id)}
        if days:
            people |= {d.person_id: d for d in store.travellers_on(self.work, days)}
        return {
            person_id: tracing.claims(case, dossier, self.rules)
            + tracing.rides_together(case, dossier, exposures, self.rules)
            for person_id, dossier in people.items()
        }

    # -- exposures ----------------------------------------------------------------------------

    def _expose(self, case: Case, reason: str) -> list[Exposure]:
        """The case's own legs become exposures, recorded ones stay, all of an ended case end."""
        known = {e.exposure_id: e for e in store.exposures_of(self.work, case.case_id)}
        wanted: dict[str, Exposure] = {}
        if tracing.exposes(case):
            dossier = self.work.get(store.DOSSIERS, case.person_id)
            ridden = dossier.rides if dossier else ()
            wanted = travel.exposures_of(case.case_id, case.person_id, ridden, window(case))
            wanted |= {
                key: e
                for key, e in known.items()
                if e.standing and not e.from_leg and e.about == case.person_id
            }
        for key in sorted({*known, *wanted}):
            if key in wanted:
                self.stand(wanted[key])
            else:
                self._withdraw(known[key], reason)
        return store.exposures_of(self.work, case.case_id)

    def stand(self, exposure: Exposure) -> Exposure:
        """Let an exposure stand; what stands already is not said again."""
        before = self.work.get(store.EXPOSURES, exposure.exposure_id)
        if before and replace(before, revision=1) == replace(exposure, revision=1):
            return before
        exposure = replace(exposure, revision=self.next_revision(exposure.case_id))
        self._place(exposure, add=True)
        self.work.save(store.EXPOSURES, exposure)
        self._tell(exposure.case_id, travel.published(exposure))
        return exposure

    def _withdraw(self, exposure: Exposure, reason: str) -> None:
        if not exposure.standing:
            return
        revision = self.next_revision(exposure.case_id)
        ended = replace(exposure, standing=False, reason=reason, revision=revision)
        self._place(ended, add=False)
        if self.keep:
            self.work.save(store.EXPOSURES, ended)
        else:
            self.work.delete(store.EXPOSURES, ended.exposure_id)
        self._tell(ended.case_id, travel.withdrawn(ended))

    def _place(self, exposure: Exposure, *, add: bool) -> None:
        day = _day(exposure)
        if day is None:
            return
        crossing = self.meet(day)
        ids = set(crossing.exposure_ids) - {exposure.exposure_id}
        ids |= {exposure.exposure_id} if add else set()
        self.work.save(store.CROSSINGS, replace(crossing, exposure_ids=tuple(sorted(ids))))

    def meet(self, key: str) -> Crossing:
        """Touch a crossing, so that whoever decides over the other side is run again."""
        crossing = self.work.get(store.CROSSINGS, key) or Crossing(key=key)
        crossing = replace(crossing, revision=crossing.revision + 1)
        self.work.save(store.CROSSINGS, crossing)
        return crossing

    # -- one declaration ----------------------------------------------------------------------

    def match(self, before: Dossier | None, dossier: Dossier) -> None:
        """A declaration meets the cases it names and the exposures it rode into.

        Reads only what `listening.load_declarations` loaded for the whole batch.
        """
        crossings = [self.meet(key) for key in dossier.crossings()]
        keys = {*(before.crossings() if before else ()), *dossier.crossings()}
        former = self.work.load(store.CROSSINGS, keys).values()
        ids = {i for crossing in (*crossings, *former) for i in crossing.exposure_ids}
        exposures = list(self.work.load(store.EXPOSURES, ids).values())
        named = {*(before.claimed if before else ()), *dossier.claimed}
        cases = self.work.load(store.CASES, {*named, *(e.case_id for e in exposures)})
        for case in cases.values():
            self._rematch(case, dossier, exposures)

    def _rematch(self, case: Case, dossier: Dossier, exposures: Sequence[Exposure]) -> None:
        if not tracing.exposes(case):
            return
        contact = self.work.get(store.CONTACTS, contact_id_of(case.case_id, dossier.person_id))
        others = [g for g in contact.grounds if g.source not in _DECLARED] if contact else []
        grounds = tracing.claims(case, dossier, self.rules)
        grounds += tracing.rides_together(case, dossier, exposures, self.rules)
        self._settle(case, dossier.person_id, others + grounds, "declared otherwise")

    # -- one contact --------------------------------------------------------------------------

    def record(self, case: Case, person_id: str, ground: Ground) -> None:
        """What an investigator recorded joins the grounds there are; the same one is replaced."""
        contact = self.work.get(store.CONTACTS, contact_id_of(case.case_id, person_id))
        others = [
            known
            for known in (contact.grounds if contact else ())
            if (known.source, known.ref) != (ground.source, ground.ref)
        ]
        self._settle(case, person_id, [*others, ground], _STILL_CASE)

    def _settle(self, case: Case, person_id: str, grounds: Sequence[Ground], reason: str) -> None:
        contact_id = contact_id_of(case.case_id, person_id)
        before = self.work.get(store.CONTACTS, contact_id)
        after = drawn(before, case.case_id, person_id, grounds, case.policy_version)
        if after is None:
            return
        if after.state == ContactState.IDENTIFIED and self._is_case(person_id):
            after = replace(after, state=ContactState.BECAME_CASE)
        if not news(before, after):
            if after != before and after.state != ContactState.DROPPED:
                self.work.save(store.CONTACTS, after)
            return
        gone = after.state == ContactState.DROPPED
        revision = self.next_revision(case.case_id)
        after = replace(after, revision=revision, reason=reason if gone else None)
        if gone and not self.keep:
            self.work.delete(store.CONTACTS, contact_id)
        else:
            self.work.save(store.CONTACTS, after)
        self._tell(case.case_id, said(after), after.building)

    def next_revision(self, case_id: str) -> int:
        """The next number for whatever is said of a case's contacts and exposures."""
        return self.meet(case_key(case_id)).revision

    def restate(self, person_ids: Iterable[str]) -> None:
        """Contacts whose person became a case, or is none any more, say so."""
        people = sorted(set(person_ids))
        self.work.load(store.DOSSIERS, people)
        for contact in store.contacts_about(self.work, people):
            if contact.state == ContactState.DROPPED:
                continue
            is_case = self._is_case(contact.person_id)
            state = ContactState.BECAME_CASE if is_case else ContactState.IDENTIFIED
            if state != contact.state:
                self.work.save(store.CONTACTS, replace(contact, state=state))

    def _is_case(self, person_id: str) -> bool:
        dossier = self.work.get(store.DOSSIERS, person_id)
        return bool(dossier and dossier.infected)

    def _tell(self, case_id: str, event: Any, place: str | None = None) -> None:
        if place is None:
            place = self.work.get(store.CASES, case_id).building
        self.work.publish(event, place=place, correlation_id=case_id)


def _day(exposure: Exposure) -> str | None:
    carrier = exposure.carrier
    return carrier_day(carrier.mode, carrier.number, carrier.on) if carrier else None
