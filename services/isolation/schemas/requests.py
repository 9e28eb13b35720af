"""What callers may ask of isolation."""

from __future__ import annotations

from lianfang.places import Level
from lianfang.schemas.fields import (
    Count,
    EnumField,
    Flag,
    Id,
    Instant,
    ListOf,
    PlacePath,
    Request,
    Text,
)
from lianfang.vocabulary import Measure, OrderState, SealState

_PAGE = 50


class _Building(PlacePath):
    """A building, or a unit of one."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(Level.BUILDING, Level.UNIT, **kwargs)


def _page_limit() -> Count:
    return Count(min=1, max=500, load_default=_PAGE)


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
