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
from lianfang.runtime.entrypoints import subscribe
from lianfang.runtime.resources import Policy
from services.isolation import learning
from services.isolation.domain.rules import Rules


class Isolation:
    """See the package. Every handler learns a fact and settles what it touches."""

    name = "isolation"
    policy = Policy("isolation", Rules)

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
