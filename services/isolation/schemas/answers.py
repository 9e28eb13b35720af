"""What isolation answers."""

from __future__ import annotations

from marshmallow import fields

from lianfang.places import Level
from lianfang.schemas.fields import Answer, Count, Day, EnumField, Flag, Instant, OneOf, Text
from lianfang.vocabulary import CauseKind, Measure, Need, OrderState, RollStatus, SealState


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
