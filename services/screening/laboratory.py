"""Samples and results: bulk reports row by row, preliminary positives, swaps found afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lianfang.errors import Conflict, InvalidPayload, NotFound, Rejected
from lianfang.schemas.fields import load
from lianfang.vocabulary import Classification, SampleResult, Tube
from services.screening import store
from services.screening.domain import cases, samples
from services.screening.domain.samples import Sample
from services.screening.domain.times import check_instant
from services.screening.people import People
from services.screening.schemas.samples import RESULT_ROW
from services.screening.ward import Ward


class Laboratory:
    """What a laboratory and those who take samples record, inside one unit of work."""

    def __init__(self, ward: Ward) -> None:
        self.ward, self.work = ward, ward.work

    # -- results ------------------------------------------------------------------------------

    def import_results(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a batch: good rows are taken, each bad one is listed with field, code and reason."""
        rejected: list[dict[str, Any]] = []
        rows: list[tuple[int, dict[str, Any]]] = []
        for n, raw in enumerate(request["results"], start=1):
            try:
                rows.append((n, load(RESULT_ROW, raw)))
            except InvalidPayload as error:
                rejected.append(_refused(n, error))
        known = self.work.load(store.SAMPLES, [row["sample_id"] for _, row in rows])
        people = self.ward.people(
            *(p for _, row in rows for p in row["person_ids"] or ()),
            *(p for sample in known.values() for p in sample.person_ids),
        )
        retested = store.preliminary_of(self.work, [*people.residences, *people.dossiers])
        counts = {True: 0, False: 0}
        for n, row in rows:
            try:
                counts[self._take(people, row, request, retested)] += 1
            except Rejected as error:
                rejected.append(_refused(n, error))
        return {
            "batch_id": request["batch_id"],
            "taken": counts[True],
            "unchanged": counts[False],
            "rejected": sorted(rejected, key=lambda refused: refused["row"]),
        }

    def _take(
        self, people: People, row: dict[str, Any], batch: dict[str, Any], retested: set[str]
    ) -> bool:
        """Whether the row said anything new."""
        check_instant(row["resulted_at"], self.work.now, "resulted_at")
        before = self._addressed(people, row)
        sample = samples.resulted(
            before,
            row["result"],
            at=row["resulted_at"],
            laboratory_id=batch["laboratory_id"],
            batch_id=batch["batch_id"],
            retest=bool(retested.intersection(before.person_ids)),
        )
        if sample is before:
            return False
        self._tell(people, sample)
        if row["result"] == SampleResult.POSITIVE_PRELIMINARY:
            retested.update(sample.person_ids)
            self._suspect(people, sample)
        return True

    def _addressed(self, people: People, row: dict[str, Any]) -> Sample:
        known: Sample | None = self.work.get(store.SAMPLES, row["sample_id"])
        named = tuple(sorted(set(row["person_ids"] or ())))
        for person_id in named:
            people.require(person_id)
        if known is None:
            if not named:
                raise NotFound.of("sample", row["sample_id"])
            at = row["collected_at"] or row["resulted_at"]
            return samples.collected(None, row["sample_id"], named, at, row["tube"] or Tube.SINGLE)
        if named and named != known.person_ids:
            raise Conflict(
                f"sample {known.sample_id} is of other persons: reassign it",
                {"fields": {"person_ids": ["are not those of the sample"]}},
            )
        return known

    def _suspect(self, people: People, sample: Sample) -> None:
        """A preliminary positive opens a suspicion about each person of the tube, no more."""
        for person_id in sample.person_ids:
            if self.ward.open_case_of(people, person_id) is None:
                self.ward.suspect(
                    people,
                    person_id,
                    basis=f"preliminary positive, {sample.tube} tube",
                    reported_by=sample.laboratory_id,
                    reported_at=sample.resulted_at,
                    sample_id=sample.sample_id,
                )

    def _tell(self, people: People, sample: Sample) -> None:
        self.work.save(store.SAMPLES, sample)
        first = next(iter(sample.person_ids), None)
        place = people.building(first) if first else self.ward.district
        self.work.publish(samples.said(sample), place=place)

    # -- tubes --------------------------------------------------------------------------------

    def record(self, request: dict[str, Any]) -> dict[str, Any]:
        """Tubes taken, void or found to be somebody else's; all of a request or none."""
        rows = request["samples"]
        known = self.work.load(store.SAMPLES, [row["sample_id"] for row in rows])
        people = self.ward.people(
            *(p for row in rows for p in row["person_ids"] or ()),
            *(p for sample in known.values() for p in sample.person_ids),
        )
        counts = {"recorded": 0, "unchanged": 0, "voided": 0, "reassigned": 0}
        for n, row in enumerate(rows):
            for person_id in row["person_ids"] or ():
                people.require(person_id)
            counts[self._record(people, n, row)] += 1
        return counts

    def _record(self, people: People, n: int, row: dict[str, Any]) -> str:
        before: Sample | None = self.work.get(store.SAMPLES, row["sample_id"])
        if row["void_reason"]:
            if before is None:
                raise NotFound.of("sample", row["sample_id"])
            self.work.save(store.SAMPLES, samples.void(before, row["void_reason"]))
            return "voided"
        if not row["person_ids"]:
            raise InvalidPayload.of(f"samples.{n}.person_ids", "whose sample is it?")
        if row["reassign_reason"]:
            if before is None:
                raise NotFound.of("sample", row["sample_id"])
            self._reassign(people, before, row)
            return "reassigned"
        if row["collected_at"] is None:
            raise InvalidPayload.of(f"samples.{n}.collected_at", "when was it taken?")
        check_instant(row["collected_at"], self.work.now, f"samples.{n}.collected_at")
        sample = samples.collected(
            before,
            row["sample_id"],
            row["person_ids"],
            row["collected_at"],
            row["tube"] or Tube.SINGLE,
        )
        if sample == before:
            return "unchanged"
        self.work.save(store.SAMPLES, sample)
        return "recorded"

    def _reassign(self, people: People, before: Sample, row: dict[str, Any]) -> None:
        """A swap found after the result: the case that rests on the tube is amended."""
        sample = samples.reassigned(before, row["person_ids"], row["reassign_reason"])
        self._tell(people, sample)
        for case in store.cases_on_sample(self.work, sample.sample_id):
            if case.state in cases.ENDED or case.person_id in sample.person_ids:
                continue
            self._amend(people, case.case_id, sample)
        if sample.state == SampleResult.POSITIVE_PRELIMINARY:
            self._suspect(people, sample)

    def _amend(self, people: People, case_id: str, sample: Sample) -> None:
        case, before = self.ward.case(case_id), self.work.origin
        free = [p for p in sample.person_ids if self.ward.open_case_of(people, p) is None]
        if len(free) != 1:
            raise Conflict(
                f"case {case_id} rests on this sample: amend or discard it first",
                {"case_id": case_id},
            )
        reason = sample.reason or "sample reassigned"
        by = self.work.actor or self.work.caller or "laboratory"
        if case.state == Classification.SUSPECTED:
            self.ward.suspect_other(people, case, free[0])
        else:
            request = {"case_id": case_id, "person_id": free[0]}
            self.ward.amend({**request, "reason": reason, "amended_by": by})
        self.work.begin(before)


def _refused(n: int, error: Rejected) -> dict[str, Any]:
    fields: dict[str, Iterable[str]] = error.context.get("fields") or {}
    field = next(iter(fields), "person_ids" if error.context.get("kind") == "person" else "")
    reasons = list(fields.get(field, ()))
    return {
        "row": n,
        "field": "row" if field == "_schema" else field or "sample_id",
        "code": error.code,
        "reason": "; ".join(reasons) or error.message,
    }
