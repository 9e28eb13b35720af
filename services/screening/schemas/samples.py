"""Documents about samples and findings of health."""

from __future__ import annotations

from marshmallow import fields

from lianfang.schemas.fields import (
    Answer,
    Count,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    Number,
    Request,
    Text,
)
from lianfang.vocabulary import SampleResult, Symptom, Tube

#: The most results in one call.
RESULTS_LIMIT = 1000


class SampleDocument(Request):
    """A tube that was taken; with `void_reason` one that is lost, with `reassign_reason` a swap."""

    sample_id = Id(required=True)
    person_ids = ListOf(Id(), max=50, load_default=None, allow_none=True)
    tube = EnumField(Tube, load_default=None, allow_none=True)
    collected_at = Instant(load_default=None, allow_none=True)
    void_reason = Text(load_default=None, allow_none=True, max=500)
    reassign_reason = Text(load_default=None, allow_none=True, max=500)


class RecordSamplesRequest(Request):
    """Tubes."""

    samples = ListOf(SampleDocument, max=500, required=True)


class SamplesAnswer(Answer):
    """How many of each."""

    recorded = Count()
    unchanged = Count()
    voided = Count()
    reassigned = Count()


class ResultRow(Request):
    """One row of a laboratory's batch."""

    sample_id = Id(required=True)
    person_ids = ListOf(Id(), max=50, load_default=None, allow_none=True)
    tube = EnumField(Tube, load_default=None, allow_none=True)
    collected_at = Instant(load_default=None, allow_none=True)
    resulted_at = Instant(required=True)
    result = EnumField(SampleResult, required=True)


RESULT_ROW = ResultRow()


class ImportResultsRequest(Request):
    """A laboratory's batch; each row is checked on its own, so a bad one harms no other."""

    batch_id = Id(required=True)
    laboratory_id = Id(required=True)
    results = ListOf(fields.Raw(allow_none=True), max=RESULTS_LIMIT, required=True)


class RejectedRow(Answer):
    """A row that was not taken; `row` counts from 1."""

    row = Count()
    field = Text()
    code = Text()
    reason = Text()


class ImportResultsAnswer(Answer):
    """What became of the rows."""

    batch_id = Id()
    taken = Count()
    unchanged = Count()
    rejected = ListOf(RejectedRow)


class RecordHealthRequest(Request):
    """A temperature, symptoms, or both."""

    person_id = Id(required=True)
    reported_at = Instant(required=True)
    temperature = Number(min=30, max=45, load_default=None, allow_none=True)
    symptoms = ListOf(EnumField(Symptom), max=10, load_default=list)


class HealthAnswer(Answer):
    """The record and whether it was reported as an alarm."""

    report_id = Id()
    alarm = Flag()
