"""Documents about verdicts on declarations."""

from __future__ import annotations

from marshmallow import fields

from lianfang.schemas.fields import (
    Answer,
    Count,
    Day,
    EnumField,
    Id,
    Instant,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import Outcome


class GetAssessmentRequest(Request):
    """Whose verdict."""

    person_id = Id(required=True)


class AssessmentAnswer(Answer):
    """A verdict, its reasons and the policy that gave it."""

    assessment_id = Id()
    declaration_id = Id()
    person_id = Id()
    household_id = Id()
    building = Text()
    outcome = EnumField(Outcome)
    reasons = ListOf(Text())
    assessed_at = Instant()
    policy_version = Text()
    last_exposure_on = Day(allow_none=True)
    revision = Count()


class FindAssessmentsRequest(Request):
    """Verdicts below a place, of an outcome."""

    place = PlacePath(load_default=None, allow_none=True)
    outcome = EnumField(Outcome, load_default=None, allow_none=True)
    after = Text(load_default=None, allow_none=True, max=400)
    limit = Count(min=1, max=500, load_default=50)


class AssessmentsAnswer(Answer):
    """A page of verdicts by building."""

    assessments = ListOf(AssessmentAnswer)
    next = Text(allow_none=True)


class CountOutcomesRequest(Request):
    """Where to count."""

    place = PlacePath(required=True)


class OutcomesAnswer(Answer):
    """How many verdicts of each of the four outcomes."""

    outcomes = fields.Dict(keys=fields.String(), values=Count())
    total = Count()
