"""Every collection of every service: its own, or a model of others' that an invariant recomputes.

A new collection has to be named here (a test compares): nobody keeps a copy that nobody audits.
"""

from __future__ import annotations

from lianfang.audit.copies import COPIES

#: Collections that repeat or follow others', and the invariant that computes them anew.
MODELS: dict[str, str] = {
    **{copy.held: f"copy:{copy.held}" for copy in COPIES},
    "screening.dossiers": "declarations-settled",
    "screening.samples": "swabs-kept",
    "screening.contacts": "contacts-caused",
    "screening.exposures": "contacts-caused",
    "screening.crossings": "crossings-complete",
    "isolation.persons": "copy:isolation.persons",
    "isolation.doors": "copy:isolation.doors",
    "isolation.complaints": "copy:isolation.complaints",
    "isolation.seals": "seals-caused",
    "isolation.sheets": "roll-decided",
    "isolation.orders": "orders-caused",
    "dispatch.alarms": "copy:dispatch.alarms",
    "dispatch.households": "copy:dispatch.households",
    "dispatch.scopes": "scopes-follow-seals",
    "dispatch.rounds": "rounds-stand",
    "dispatch.tasks": "tasks-opened",
    "journal.events": "journal-complete",
    "journal.parked": "parked-accounted",
}
#: Collections that say what somebody told this service, and nobody else before.
OWN = frozenset(
    {
        "declaration.places",
        "declaration.persons",
        "declaration.households",
        "declaration.residences",
        "declaration.declarations",
        "declaration.imports",
        "screening.cases",
        "isolation.foci",
        "isolation.pauses",
        "dispatch.organisations",
        "dispatch.teams",
        "dispatch.responsibilities",
        "dispatch.stops",
    }
)
