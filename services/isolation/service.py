"""The isolation service: hears facts, keeps them, and lets the domain settle what follows."""

from __future__ import annotations

from typing import Any

from lianfang.events.declaration import (
    PlaceAmended,
    PlaceRegistered,
    PresenceRecorded,
    ResidentLeft,
    ResidentMoved,
    ResidentRegistered,
)
from lianfang.events.dispatch import StopsRecorded, TaskCompleted
from lianfang.events.screening import (
    CaseAmended,
    CaseClosed,
    CaseConfirmed,
    CaseDiscarded,
    ContactDropped,
    ContactIdentified,
    DeclarationAssessed,
    SampleResulted,
    SymptomReported,
)
from lianfang.runtime.entrypoints import command, query, subscribe, timer
from lianfang.runtime.resources import Policy, Present
from services.isolation import (
    answering,
    clocks,
    commanding,
    learning,
    pausing,
    schemas,
    serving,
    store,
)
from services.isolation.domain.rules import Rules


class Isolation:
    """See the package. Every handler learns a fact and settles what it touches."""

    name = "isolation"
    policy = Policy("isolation", Rules)
    clock = Present()

    # -- what is heard ----------------------------------------------------------------------

    @subscribe("places", PlaceRegistered, PlaceAmended, batch=20)
    def on_place(self, work: Any, event: PlaceRegistered | PlaceAmended) -> None:
        """A place and its exits; an open seal there follows."""
        learning.on_place(work, event, self.policy.on(work.today))

    @subscribe(
        "residents",
        ResidentRegistered,
        ResidentMoved,
        ResidentLeft,
        PresenceRecorded,
        batch=20,
        load=learning.load_residences,
    )
    def on_resident(self, work: Any, event: Any) -> None:
        """Who lives where and was seen; only a closed building or a bound person follows."""
        learning.on_resident(work, event, self.policy.on(work.today))

    @subscribe("cases", CaseConfirmed, CaseAmended, CaseDiscarded, CaseClosed)
    def on_case(self, work: Any, event: Any) -> None:
        """A case and its end: seals, orders and infected points follow."""
        learning.on_case(work, event, self.policy.on(work.today))

    @subscribe("contacts", ContactIdentified, ContactDropped, batch=20)
    def on_contact(self, work: Any, event: ContactIdentified | ContactDropped) -> None:
        """A contact: the person's order follows."""
        learning.on_contact(work, event, self.policy.on(work.today))

    @subscribe("verdicts", DeclarationAssessed, batch=200, load=learning.load_assessed)
    def on_assessed(self, work: Any, event: DeclarationAssessed) -> None:
        """A verdict: quarantine follows, or ends."""
        learning.on_assessed(work, event, self.policy.on(work.today))

    @subscribe("results", SampleResulted, SymptomReported, batch=50)
    def on_result(self, work: Any, event: SampleResulted | SymptomReported) -> None:
        """What a release waits for."""
        learning.on_result(work, event)

    @subscribe("rounds", StopsRecorded, batch=5)
    def on_stops(self, work: Any, event: StopsRecorded) -> None:
        """What was found at the doors: the roll and the orders follow."""
        learning.on_stops(work, event, self.policy.on(work.today))

    @subscribe("tasks", TaskCompleted, batch=20)
    def on_task(self, work: Any, event: TaskCompleted) -> None:
        """A transfer moves the infected; a disinfection meets a condition."""
        learning.on_task(work, event, self.policy.on(work.today))

    # -- what people decide -----------------------------------------------------------------

    @command(schemas.ImposeSealRequest, schemas.SealAnswer)
    def impose_seal(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Close a building, or impose a proposed seal, by a named authority."""
        return commanding.impose_seal(work, request, self.policy.on(work.today))

    @command(schemas.SealDecisionRequest, schemas.SealAnswer)
    def order_seal(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Order a provisional seal."""
        return commanding.order_seal(work, request)

    @command(schemas.SealDecisionRequest, schemas.SealAnswer)
    def approve_seal(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Approve an ordered seal, one level above."""
        return commanding.approve_seal(work, request)

    @command(schemas.RefuseSealRequest, schemas.SealAnswer)
    def refuse_seal(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Refuse a seal; it ends at once."""
        return commanding.refuse_seal(work, request, self.policy.on(work.today))

    @command(schemas.SealDecisionRequest, schemas.SealAnswer)
    def release_seal(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Release a seal whose conditions are met; a refusal lists those that are not."""
        return commanding.release_seal(work, request, self.policy.on(work.today))

    @command(schemas.WaiveConditionRequest, schemas.SealAnswer)
    def waive_condition(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Waive one release condition, with a reason."""
        return commanding.waive_condition(work, request, self.policy.on(work.today))

    @command(schemas.ServeOrderRequest, schemas.ChangedOrdersAnswer)
    def serve_order(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Record that notices were handed over."""
        return serving.serve_order(work, request, self.policy.on(work.today))

    @command(schemas.ReleaseOrderRequest, schemas.ChangedOrdersAnswer)
    def release_order(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Release single orders whose last day is over."""
        return serving.release_order(work, request, self.policy.on(work.today))

    @command(schemas.PauseAutomationRequest, schemas.PauseAnswer)
    def pause_automation(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Let the rule only propose seals in a place."""
        return pausing.pause_automation(work, request)

    @command(schemas.ResumeAutomationRequest, schemas.PauseAnswer)
    def resume_automation(self, work: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Let the rule seal again."""
        return pausing.resume_automation(work, request)

    # -- what is asked ----------------------------------------------------------------------

    @query(schemas.PreviewSealRequest, schemas.PreviewAnswer)
    def preview_seal(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """What a seal of a building would close now."""
        today = self.clock.today()
        return answering.preview_seal(reader, request, today, self.policy.on(today))

    @query(schemas.GetSealRequest, schemas.SealAnswer)
    def get_seal(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """A seal with its release conditions."""
        today = self.clock.today()
        return answering.get_seal(reader, request, today, self.policy.on(today))

    @query(schemas.FindSealsRequest, schemas.SealsAnswer)
    def find_seals(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """A page of seals."""
        return answering.find_seals(reader, request)

    @query(schemas.GetSealRollRequest, schemas.RollAnswer)
    def get_seal_roll(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Everybody on a seal's roll."""
        return answering.get_seal_roll(reader, request)

    @query(schemas.GetOrderRequest, schemas.OrderAnswer)
    def get_order(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """One order."""
        return answering.get_order(reader, request)

    @query(schemas.FindOrdersRequest, schemas.OrdersAnswer)
    def find_orders(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """A page of orders."""
        return answering.find_orders(reader, request)

    @query(schemas.CountOrdersRequest, schemas.OrderCountsAnswer)
    def count_orders(self, reader: Any, request: dict[str, Any]) -> dict[str, Any]:
        """Orders of a seal or a place in figures."""
        return answering.count_orders(reader, request)

    # -- clocks -----------------------------------------------------------------------------

    @timer(every=1.0, due=store.climbing)
    def climb_seal(self, work: Any, seal_id: str) -> None:
        """An unordered seal climbs by the hour, and lapses."""
        clocks.on_clock(work, seal_id, self.policy.on(work.today))

    @timer(every=1.0, due=store.seals_over)
    def call_release_due(self, work: Any, seal_id: str) -> None:
        """A seal's last day has ended."""
        clocks.on_last_day(work, seal_id, self.policy.on(work.today))

    @timer(every=1.0, due=store.orders_over)
    def call_order_due(self, work: Any, order_id: str) -> None:
        """A single order's last day has ended."""
        clocks.on_order_over(work, order_id, self.policy.on(work.today))
