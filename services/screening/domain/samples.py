"""Samples: one tube each, single or pooled, from the request to the laboratory's word.

A first positive, single or pooled, is preliminary and confirms nothing. What is not listed here as
a move is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from lianfang.envelope import natural_id
from lianfang.errors import Conflict, IllegalTransition, InvalidPayload
from lianfang.events.screening import SampleResulted
from lianfang.vocabulary import SampleResult, Tube


class SampleState(StrEnum):
    """The life of a tube."""

    REQUESTED = "requested"
    COLLECTED = "collected"
    RECEIVED = "received"
    NEGATIVE = "negative"
    POSITIVE_PRELIMINARY = "positive_preliminary"
    POSITIVE_CONFIRMED = "positive_confirmed"
    INVALID = "invalid"
    VOID = "void"


OPEN = (SampleState.REQUESTED, SampleState.COLLECTED, SampleState.RECEIVED)
_RETEST = (SampleResult.POSITIVE_CONFIRMED, SampleResult.NEGATIVE)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Swab:
    """What one visit put into a tube."""

    visit_id: str
    person_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A tube and what became of it. `revision` counts the laboratory's words about it.

    `named` is who a command said it is of, `swabs` what rounds put into it.
    """

    sample_id: str
    person_ids: tuple[str, ...]
    tube: Tube
    state: SampleState
    collected_at: datetime | None = None
    resulted_at: datetime | None = None
    laboratory_id: str | None = None
    batch_id: str | None = None
    reason: str | None = None
    former_person_ids: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    named_at: datetime | None = None
    named_pooled: bool = False
    swabs: tuple[Swab, ...] = ()
    revision: int = 0


def collected(
    before: Sample | None, sample_id: str, person_ids: Iterable[str], at: datetime, tube: Tube
) -> Sample:
    """The sample as collected from these persons, beside what rounds put into the tube.

    Raises:
        IllegalTransition: it has a result or is void.
    """
    if before is not None and before.state not in OPEN:
        raise IllegalTransition.of(f"sample {sample_id}", before.state, SampleState.COLLECTED)
    base = before or _empty(sample_id)
    named = tuple(sorted(set(person_ids)))
    return _filled(replace(base, named=named, named_at=at, named_pooled=tube == Tube.POOLED))


def taken_at_doors(
    before: Sample | None, sample_id: str, visit_id: str, person_ids: Iterable[str], at: datetime
) -> Sample | None:
    """The sample with what this visit put into it, instead of what it was told to before.

    Order does not matter: each visit answers for its own. None when nothing is left in the tube.
    """
    base = before or _empty(sample_id)
    others = {swab for swab in base.swabs if swab.visit_id != visit_id}
    own = {Swab(visit_id=visit_id, person_id=person, at=at) for person in person_ids}
    base = replace(base, swabs=tuple(sorted(others | own)))
    if not base.swabs and not base.named:
        return None
    return _filled(base)


def _empty(sample_id: str) -> Sample:
    return Sample(sample_id=sample_id, person_ids=(), tube=Tube.SINGLE, state=SampleState.COLLECTED)


def _filled(sample: Sample) -> Sample:
    persons = tuple(sorted({*sample.named, *(swab.person_id for swab in sample.swabs)}))
    times = [swab.at for swab in sample.swabs] + ([sample.named_at] if sample.named_at else [])
    pooled = sample.named_pooled or len(persons) > 1
    return replace(
        sample,
        person_ids=persons,
        tube=Tube.POOLED if pooled else Tube.SINGLE,
        state=SampleState.COLLECTED,
        collected_at=min(times, default=None),
    )


def void(sample: Sample, reason: str) -> Sample:
    """A label unreadable, a tube that leaked: no result will come.

    Raises:
        IllegalTransition: it has a result.
    """
    if sample.state not in OPEN:
        raise IllegalTransition.of(f"sample {sample.sample_id}", sample.state, SampleState.VOID)
    return replace(sample, state=SampleState.VOID, reason=reason)


def reassigned(sample: Sample, person_ids: Iterable[str], reason: str) -> Sample:
    """The tube was somebody else's: found after the result.

    Raises:
        IllegalTransition: it has no result yet, or is void.
    """
    if sample.state in (*OPEN, SampleState.VOID):
        raise IllegalTransition.of(f"sample {sample.sample_id}", sample.state, "reassigned")
    return replace(
        sample,
        person_ids=tuple(sorted(set(person_ids))),
        former_person_ids=sample.person_ids,
        reason=reason,
        revision=sample.revision + 1,
    )


def resulted(
    sample: Sample,
    result: SampleResult,
    *,
    at: datetime,
    laboratory_id: str,
    batch_id: str,
    retest: bool,
) -> Sample:
    """The sample with the laboratory's word; the same word again changes nothing.

    Args:
        sample: as it is.
        result: what was found.
        at: when.
        laboratory_id: by whom.
        batch_id: in which of its batches.
        retest: whether its person has a preliminary positive that this tube re-tests.

    Raises:
        Conflict: another result is recorded, which only a re-test could change.
        IllegalTransition: void, or a confirmation without a preliminary positive, or of a pool.
        InvalidPayload: the result is older than the collection.
    """
    if sample.collected_at and at < sample.collected_at:
        raise InvalidPayload.of("resulted_at", "is before collected_at")
    if sample.state.value == result.value and sample.resulted_at == at:
        return sample
    if sample.state == SampleState.VOID:
        raise IllegalTransition.of(f"sample {sample.sample_id}", sample.state, result)
    preliminary = sample.state == SampleState.POSITIVE_PRELIMINARY
    if not preliminary and sample.state not in (*OPEN, SampleState.INVALID):
        raise Conflict(
            f"sample {sample.sample_id} is {sample.state} already",
            {"sample_id": sample.sample_id, "state": sample.state},
        )
    if preliminary and result not in _RETEST:
        raise IllegalTransition.of(f"sample {sample.sample_id}", sample.state, result)
    if result == SampleResult.POSITIVE_CONFIRMED and (
        sample.tube == Tube.POOLED or not (preliminary or retest)
    ):
        raise IllegalTransition.of(f"sample {sample.sample_id}", sample.state, result)
    return replace(
        sample,
        state=SampleState(result.value),
        resulted_at=at,
        laboratory_id=laboratory_id,
        batch_id=batch_id,
        revision=sample.revision + 1,
    )


def said(sample: Sample) -> SampleResulted:
    """The result as it is told."""
    if sample.resulted_at is None or sample.laboratory_id is None:
        raise ValueError("a sample without a result has nothing to say")
    return SampleResulted(
        sample_id=sample.sample_id,
        person_ids=sample.person_ids,
        tube=sample.tube,
        result=SampleResult(sample.state.value),
        collected_at=sample.collected_at or sample.resulted_at,
        resulted_at=sample.resulted_at,
        laboratory_id=sample.laboratory_id,
        batch_id=sample.batch_id,
        revision=sample.revision,
    )


def word_of(sample: Sample) -> str:
    """The id of the event that told the present result."""
    return natural_id(SampleResulted.TYPE, sample.sample_id, sample.revision, 1)
