"""Isolation: closes buildings, orders quarantine and isolation, and computes when it may end.

Owns: seals with their rolls, quarantine and isolation orders, infected points, pauses.
Listens: place.*, resident.*, presence.recorded, case.*, contact.*, declaration.assessed,
sample.resulted, symptom.reported, stops.recorded, task.completed.
Publishes: seal.*, roll.amended, quarantine.*, isolation.*, focus.*, release.due.
Answers: previews, impositions, orders, approvals, refusals, waivers, releases, and what stands.
"""
