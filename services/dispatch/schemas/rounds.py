"""RPC documents about rounds and stops."""

from __future__ import annotations

from lianfang.schemas.fields import (
    Answer,
    Count,
    Day,
    EnumField,
    Id,
    Instant,
    ListOf,
    Number,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import Finding, StopOutcome, Symptom
from services.dispatch.domain.rounds import RoundState, ScopeKind


class FindRoundsRequest(Request):
    """Rounds that match everything given, by day."""

    seal_id = Id(load_default=None)
    place = PlacePath(load_default=None)
    on = Day(load_default=None)
    kind = Text(max=40, load_default=None)
    state = EnumField(RoundState, load_default=None)
    after = Text(max=400, load_default=None)
    limit = Count(min=1, max=500, load_default=50)


class RoundAnswer(Answer):
    """A round: how many households are planned and how many were recorded."""

    round_id = Id()
    kind = Text()
    slot = Text()
    on = Day()
    scope = EnumField(ScopeKind)
    building = Text()
    seal_id = Id(allow_none=True)
    planned = Count()
    recorded = Count()
    state = EnumField(RoundState)
    ends_at = Instant(allow_none=True)
    opened_by = Id()
    revision = Count()


class RoundsAnswer(Answer):
    """A page of rounds; `next` goes into the next request's `after`."""

    rounds = ListOf(RoundAnswer)
    next = Text(allow_none=True)


class StopPersonDocument(Request):
    """What was found of one person."""

    person_id = Id(required=True)
    finding = EnumField(Finding, load_default=Finding.PRESENT)
    temperature = Number(min=30, max=45, load_default=None, allow_none=True)
    symptoms = ListOf(EnumField(Symptom), max=20, load_default=list)
    sample_id = Id(load_default=None, allow_none=True)


class StopDocument(Request):
    """What happened at one door. `revision` is the stop's revision that a correction replaces."""

    household_id = Id(required=True)
    outcome = EnumField(StopOutcome, required=True)
    reason = Text(max=200, load_default=None, allow_none=True)
    recorded_at = Instant(load_default=None, allow_none=True)
    revision = Count(min=1, load_default=None, allow_none=True)
    persons = ListOf(StopPersonDocument, max=100, load_default=list)


class RecordStopsRequest(Request):
    """A team's record of stops of one round."""

    round_id = Id(required=True)
    recorded_by = Text(required=True, min=1, max=100)
    stops = ListOf(StopDocument, max=1000, required=True)


class RecordStopsAnswer(Answer):
    """How many stops were recorded anew or went on, and how many were corrected."""

    recorded = Count()
    corrected = Count()


class GetRoundRequest(Request):
    """One round."""

    round_id = Id(required=True)


class StopAnswer(Answer):
    """One planned or recorded household: due, missed, or what was recorded."""

    household_id = Id()
    state = Text()
    outcome = EnumField(StopOutcome, allow_none=True)
    reason = Text(allow_none=True)
    recorded_at = Instant(allow_none=True)
    recorded_by = Text(allow_none=True)
    revision = Count(allow_none=True)


class WholeRoundAnswer(RoundAnswer):
    """A round with its stops."""

    stops = ListOf(StopAnswer, max=10000)
