"""The RPC documents of isolation."""

from __future__ import annotations

from marshmallow import fields

from lianfang.places import Level
from lianfang.schemas.fields import (
    Answer,
    Count,
    Day,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    OneOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState, RollStatus, SealState

_PAGE = 50


class _Building(PlacePath):
    """A building, or a unit of one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(Level.BUILDING, Level.UNIT, **kwargs)


def _page_limit() -> Count:
    return Count(min=1, max=500, load_default=_PAGE)


# -- requests --------------------------------------------------------------------------------------


class PreviewSealRequest(Request):
    """Which building would be closed."""

    building = _Building(required=True)


class ImposeSealRequest(Request):
    """Which building or proposed seal, why, who decides; `case_id` names a cause."""

    building = _Building()
    seal_id = Id()
    reason = Text(required=True, min=1)
    decided_by = Text(required=True, min=1)
    case_id = Id()


class SealDecisionRequest(Request):
    """Which seal, and who decides."""

    seal_id = Id(required=True)
    decided_by = Text(required=True, min=1)


class RefuseSealRequest(SealDecisionRequest):
    """A refusal has a reason."""

    reason = Text(required=True, min=1)


class WaiveConditionRequest(SealDecisionRequest):
    """Which condition, why, and for whom alone."""

    name = Text(required=True, min=1)
    person_id = Id()
    reason = Text(required=True, min=1)


class GetSealRequest(Request):
    """A seal by its id, or the open (else the last) one of a building."""

    seal_id = Id()
    building = _Building()


class FindSealsRequest(Request):
    """Seals that touch a place, in a state."""

    place = PlacePath()
    state = EnumField(SealState)
    after = Text(max=400)
    limit = _page_limit()


class GetSealRollRequest(Request):
    """Which seal."""

    seal_id = Id(required=True)


class GetOrderRequest(Request):
    """An order by its id, or the open (else the last) one of a person."""

    order_id = Id()
    person_id = Id()


class FindOrdersRequest(Request):
    """Orders that match everything given."""

    seal_id = Id()
    building = PlacePath()
    place = PlacePath()
    person_id = Id()
    measure = EnumField(Measure)
    state = EnumField(OrderState)
    open = Flag()
    after = Text(max=400)
    limit = _page_limit()


class CountOrdersRequest(Request):
    """Orders of a seal, or of everything in a place."""

    seal_id = Id()
    place = PlacePath()


class ServeOrderRequest(Request):
    """Which notices were handed over, by whom, when, in what form."""

    order_ids = ListOf(Id(), max=1000, required=True)
    served_by = Text(required=True, min=1)
    served_at = Instant()
    notice = Text()


class ReleaseOrderRequest(Request):
    """Which orders are over, and who decides."""

    order_ids = ListOf(Id(), max=1000, required=True)
    decided_by = Text(required=True, min=1)


class PauseAutomationRequest(Request):
    """Where, why, until when, and who decides."""

    place = PlacePath(required=True)
    reason = Text(required=True, min=1)
    until = Instant(required=True)
    decided_by = Text(required=True, min=1)


class ResumeAutomationRequest(Request):
    """Where, and who decides."""

    place = PlacePath(required=True)
    decided_by = Text(required=True, min=1)


# -- answers ---------------------------------------------------------------------------------------


class StepAnswer(Answer):
    """One line of a history."""

    at = Instant()
    what = Text()
    by = Text(allow_none=True)
    why = Text(allow_none=True)


class ConditionAnswer(Answer):
    """One release condition; `blocked` counts who blocks it, `blocked_by` lists the first."""

    name = Text()
    met = Flag()
    blocked = Count()
    blocked_by = fields.List(Text())
    owner = Text(allow_none=True)
    waived_by = Text(allow_none=True)
    reason = Text(allow_none=True)


class WaiverAnswer(Answer):
    """One waived condition."""

    name = Text()
    person_id = Text(allow_none=True)
    reason = Text()
    decided_by = Text()


class SealAnswer(Answer):
    """A seal; `conditions` are empty where they were not asked for."""

    seal_id = Text()
    state = EnumField(SealState)
    building = Text()
    scope = fields.List(Text())
    exits = fields.List(Text())
    causes = fields.List(Text())
    imposed_at = Instant()
    day_one_on = Day()
    due_on = Day()
    order_due_at = Instant()
    lapses_at = Instant()
    households = Count()
    persons = Count()
    is_manual = Flag()
    level = EnumField(Level)
    ordered_by = Text(allow_none=True)
    approved_by = Text(allow_none=True)
    reason = Text(allow_none=True)
    policy_version = Text()
    revision = Count()
    conditions = fields.List(OneOf(ConditionAnswer))
    waivers = fields.List(OneOf(WaiverAnswer))
    history = fields.List(OneOf(StepAnswer))


class SealsAnswer(Answer):
    """A page of seals."""

    seals = fields.List(OneOf(SealAnswer))
    next = Text(allow_none=True)


class PreviewAnswer(Answer):
    """What a seal would close, and until when."""

    scope = fields.List(Text())
    exits = fields.List(Text())
    households = Count()
    persons = Count()
    due_on = Day()
    policy_version = Text()


class RollEntryAnswer(Answer):
    """One person on a roll."""

    person_id = Text()
    household_id = Text()
    status = EnumField(RollStatus)
    reason = Text()
    order_id = Text(allow_none=True)
    revision = Count()


class RollAnswer(Answer):
    """A seal's whole roll."""

    entries = fields.List(OneOf(RollEntryAnswer))


class CauseAnswer(Answer):
    """One cause of an order."""

    kind = EnumField(CauseKind)
    id = Text()
    due_on = Day()


class OrderAnswer(Answer):
    """An order."""

    order_id = Text()
    person_id = Text()
    household_id = Text()
    building = Text()
    measure = EnumField(Measure)
    state = EnumField(OrderState)
    start_on = Day()
    due_on = Day()
    causes = fields.List(OneOf(CauseAnswer))
    revision = Count()
    seal_id = Text(allow_none=True)
    needs = fields.List(EnumField(Need))
    guardian_id = Text(allow_none=True)
    exception_reason = Text(allow_none=True)
    waitlisted = Flag()
    at_home = Flag()
    is_open = Flag()
    served_by = Text(allow_none=True)
    served_at = Instant(allow_none=True)
    notice = Text(allow_none=True)
    history = fields.List(OneOf(StepAnswer))


class OrdersAnswer(Answer):
    """A page of orders."""

    orders = fields.List(OneOf(OrderAnswer))
    next = Text(allow_none=True)


class ChangedOrdersAnswer(Answer):
    """The orders that a command touched."""

    orders = fields.List(OneOf(OrderAnswer))


class OrderCountsAnswer(Answer):
    """Open orders by measure, all by state, and how many are open."""

    by_measure = fields.Dict(keys=Text(), values=Count())
    by_state = fields.Dict(keys=Text(), values=Count())
    open = Count()


class PauseAnswer(Answer):
    """A pause of the rule."""

    place = Text()
    reason = Text()
    until = Instant()
    decided_by = Text()
    is_active = Flag()
    revision = Count()
