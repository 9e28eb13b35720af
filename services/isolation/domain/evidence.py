"""What laboratories, rounds and workers reported: the evidence that a release waits for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lianfang.events.screening import SampleResulted, SymptomReported
from lianfang.vocabulary import SampleResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a laboratory found in one tube."""

    sample_id: str
    person_ids: tuple[str, ...]
    result: SampleResult
    collected_at: datetime
    revision: int


def learn_sample(known: Sample | None, told: SampleResulted) -> Sample:
    """The newest result of the tube."""
    if known is not None and known.revision >= told.revision:
        return known
    return Sample(
        sample_id=told.sample_id,
        person_ids=told.person_ids,
        result=told.result,
        collected_at=told.collected_at,
        revision=told.revision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A symptom or fever somebody reported of a person."""

    report_id: str
    person_id: str
    reported_at: datetime
    revision: int


def learn_symptom(known: Complaint | None, told: SymptomReported) -> Complaint:
    """The newest word of this report."""
    if known is not None and known.revision >= told.revision:
        return known
    return Complaint(
        report_id=told.report_id,
        person_id=told.person_id,
        reported_at=told.reported_at,
        revision=told.revision,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneTask:
    """A completed task that a release or a custody waits for."""

    task_id: str
    kind: str
    place: str
    cause_id: str
    at: datetime
    person_ids: tuple[str, ...] = ()
