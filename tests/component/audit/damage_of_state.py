"""More kinds of damage: to cases, contacts, seals, orders, tasks and rounds."""

from __future__ import annotations

from lianfang.envelope import natural_id
from tests.component.audit.damage import again, kind
from tests.component.audit.played import Expected, Played, Row

_OPEN = ("provisional", "ordered", "approved", "release_due")


def the_seal(d: Played) -> Row:
    """The one that closes."""
    return d.one("isolation.seals", state={"$in": _OPEN})


# -- cases and contacts ---------------------------------------------------------------------------


@kind("contacts-caused", "copy:isolation.persons")
def contact_of_a_discarded_case(d: Played) -> Expected:
    contact = d.one("screening.contacts", state="dropped")
    d.alter("screening.contacts", contact, state="identified", category="general")
    return {
        "contacts-caused": [contact["_id"]],
        "copy:isolation.persons": [contact["_id"]],
    }


@kind("households-traced", "copy:isolation.persons", "orders-caused")
def household_member_who_is_no_contact(d: Played) -> Expected:
    contact = d.one("screening.contacts", state="identified", kind="household")
    order = d.one("isolation.orders", person_id=contact["person_id"], is_open=True)
    d.lose("screening.contacts", contact)
    return {
        "households-traced": [contact["person_id"]],
        "copy:isolation.persons": [contact["_id"]],
        "orders-caused": [f"{order['_id']}: contact"],
    }


@kind("crossings-complete")
def exposure_that_no_later_declaration_meets(d: Played) -> Expected:
    crossing = d.one("screening.crossings", exposure_ids__0={"$exists": True})
    d.alter("screening.crossings", crossing, exposure_ids=[])
    return {"crossings-complete": [crossing["exposure_ids"][0]]}


@kind("people-are-their-cases")
def infected_person_whose_dossier_says_nothing(d: Played) -> Expected:
    dossier = d.one("screening.dossiers", infected=True)
    d.alter("screening.dossiers", dossier, infected=False)
    return {"people-are-their-cases": [dossier["_id"]]}


@kind("swabs-kept")
def tube_that_is_gone(d: Played) -> Expected:
    d.lose("screening.samples", d.one("screening.samples", _id="s.door"))
    return {"swabs-kept": ["s.door"]}


# -- closed places --------------------------------------------------------------------------------


@kind("closed-once", "seals-caused", "copy:dispatch.seals", "roll-decided")
def place_closed_by_two_seals(d: Played) -> Expected:
    ended = d.one("isolation.seals", state="withdrawn")
    d.alter("isolation.seals", ended, state="provisional", scope=the_seal(d)["scope"])
    inside = len(d.all("isolation.sheets", seal_id=the_seal(d)["_id"]))
    assert inside
    roll = [p for s in d.all("isolation.sheets", seal_id=the_seal(d)["_id"]) for p in s["entries"]]
    living = d.all("isolation.sheets", seal_id=ended["_id"])
    named = {entry["person_id"] for entry in roll}
    named |= {entry["person_id"] for sheet in living for entry in sheet["entries"]}
    return {
        "closed-once": [the_seal(d)["scope"][0]],
        "seals-caused": [ended["_id"]],
        "copy:dispatch.seals": [ended["_id"]],
        "roll-decided": [f"{ended['_id']}"] * len(named),
    }


@kind("seals-caused", "cases-closed-in")
def seal_without_a_cause(d: Played) -> Expected:
    seal = the_seal(d)
    d.alter("isolation.seals", seal, causes=[])
    return {"seals-caused": [seal["_id"]], "cases-closed-in": [seal["causes"][0]]}


@kind("roll-decided", "roll-counted")
def resident_on_no_roll(d: Played) -> Expected:
    seal = the_seal(d)
    sheet = d.one("isolation.sheets", seal_id=seal["_id"], entries__0__status="expected")
    d.alter("isolation.sheets", sheet, entries=sheet["entries"][1:])
    person = sheet["entries"][0]["person_id"]
    return {"roll-decided": [person], "roll-counted": [seal["_id"]]}


@kind("roll-decided")
def absence_without_a_reason(d: Played) -> Expected:
    sheet = d.one("isolation.sheets", entries__status="absent")
    entries = [
        {**e, "reason": "" if e["status"] == "absent" else e["reason"]} for e in sheet["entries"]
    ]
    (absent,) = (e["person_id"] for e in entries if not e["reason"])
    d.alter("isolation.sheets", sheet, entries=entries)
    return {"roll-decided": [absent]}


@kind("roll-counted")
def seal_that_counts_wrong(d: Played) -> Expected:
    seal = the_seal(d)
    d.alter("isolation.seals", seal, persons=seal["persons"] + 1)
    return {"roll-counted": [seal["_id"]]}


@kind("sheets-sealed")
def page_of_a_roll_without_its_seal(d: Played) -> Expected:
    page = {"seal_id": "nowhere", "household_id": "nobody", "building": "", "entries": []}
    key = natural_id("sheet", "nowhere", "nobody")
    d.put("isolation.sheets", {"_id": key, **page})
    return {"sheets-sealed": [key]}


# -- orders ---------------------------------------------------------------------------------------


@kind("one-open-order", "roll-decided", "copy:dispatch.households")
def second_open_order_of_a_person(d: Played) -> Expected:
    order = d.one("isolation.orders", is_open=True, measure="sealed", episode=1)
    key = natural_id("order", order["person_id"], 2)
    d.put("isolation.orders", {**order, "_id": key, "episode": 2})
    return {
        "one-open-order": [order["person_id"]],
        "roll-decided": [order["person_id"]],
        "copy:dispatch.households": [key],
    }


@kind("orders-consistent", "causes-ordered")
def order_on_no_reason(d: Played) -> Expected:
    order = d.one("isolation.orders", is_open=True, measure="home", seal_id=None)
    reasons = [{**reason, "stands": False} for reason in order["reasons"]]
    d.alter("isolation.orders", order, reasons=reasons)
    return {
        "orders-consistent": [order["_id"]],
        "causes-ordered": [order["person_id"]],
    }


@kind("orders-consistent", "copy:dispatch.households")
def measure_milder_than_its_reasons(d: Played) -> Expected:
    order = d.one("isolation.orders", is_open=True, measure="facility", seal_id=None)
    d.alter("isolation.orders", order, measure="home", waitlisted=False)
    return {
        "orders-consistent": [order["_id"]],
        "copy:dispatch.households": [order["_id"]],
    }


@kind("facility-waitlisted")
def bed_given_where_there_are_none(d: Played) -> Expected:
    order = d.one("isolation.orders", is_open=True, measure="facility")
    d.alter("isolation.orders", order, waitlisted=False)
    return {"facility-waitlisted": [order["_id"]]}


@kind("orders-caused", "copy:isolation.persons")
def order_that_outlives_its_verdict(d: Played) -> Expected:
    dossier = d.one("screening.dossiers", outcome="home_quarantine")
    order = d.one("isolation.orders", person_id=dossier["_id"])
    d.alter("screening.dossiers", dossier, outcome="pass")
    return {
        "orders-caused": [f"{order['_id']}: assessment"],
        "copy:isolation.persons": [f"{dossier['_id']}: verdict"],
    }


@kind("causes-ordered", "copy:dispatch.households")
def order_that_is_gone(d: Played) -> Expected:
    order = d.one("isolation.orders", is_open=True, measure="home", seal_id=None)
    d.lose("isolation.orders", order)
    return {
        "causes-ordered": [order["person_id"]],
        "copy:dispatch.households": [order["_id"]],
    }


# -- tasks and rounds -----------------------------------------------------------------------------


@kind("tasks-opened")
def task_that_is_gone(d: Played) -> Expected:
    task = d.one("dispatch.tasks", kind="gate_post", state="assigned")
    d.lose("dispatch.tasks", task)
    return {"tasks-opened": [task["_id"]]}


@kind("tasks-opened")
def task_of_a_withdrawn_cause(d: Played) -> Expected:
    task = d.one("dispatch.tasks", kind="network_report", state="cancelled")
    d.alter("dispatch.tasks", task, state="open")
    return {"tasks-opened": [task["_id"]]}


@kind("tasks-caused")
def task_that_nothing_asked_for(d: Played) -> Expected:
    d.put("dispatch.tasks", again(d.one("dispatch.tasks", kind="gate_post")))
    return {"tasks-caused": ["second-document"]}


@kind("tasks-opened", "facility-transfers")
def transfer_that_nobody_will_make(d: Played) -> Expected:
    task = d.one("dispatch.tasks", kind="contact_transfer", state="assigned")
    d.alter("dispatch.tasks", task, state="cancelled")
    return {"tasks-opened": [task["_id"]], "facility-transfers": [task["cause_id"]]}


@kind("scopes-follow-seals", "rounds-stand")
def scope_that_ended_before_its_seal(d: Played) -> Expected:
    scope = d.one("dispatch.scopes", kind="seal", active=True)
    d.alter("dispatch.scopes", scope, active=False)
    rounds = d.all("dispatch.rounds", scope_id=scope["_id"], state="open")
    return {
        "scopes-follow-seals": [scope["_id"]],
        "rounds-stand": [round_["_id"] for round_ in rounds],
    }


@kind("rounds-stand")
def round_that_outlives_its_seal(d: Played) -> Expected:
    round_ = d.one("dispatch.rounds", scope="seal", state="cancelled", kind="meal")
    ended = d.one("dispatch.scopes", kind="seal", active=False)
    round_ = d.one("dispatch.rounds", scope_id=ended["_id"], kind="meal", slot="dinner")
    d.alter("dispatch.rounds", round_, state="open")
    return {"rounds-stand": [round_["_id"]]}


@kind("rounds-complete")
def household_that_every_meal_forgets(d: Played) -> Expected:
    scope = d.one("dispatch.scopes", kind="seal", active=True)
    round_ = d.one("dispatch.rounds", scope_id=scope["_id"], kind="meal", slot="dinner")
    d.alter("dispatch.rounds", round_, planned=round_["planned"][1:])
    return {"rounds-complete": [round_["planned"][0]]}


@kind("rounds-complete", "stops-planned")
def round_that_is_gone(d: Played) -> Expected:
    scope = d.one("dispatch.scopes", kind="seal", active=True)
    round_ = d.one("dispatch.rounds", scope_id=scope["_id"], kind="head_count")
    d.lose("dispatch.rounds", round_)
    stops = d.all("dispatch.stops", round_id=round_["_id"])
    doors = {natural_id("door", s["building"], s["household_id"]) for s in stops}
    assert doors
    return {
        "rounds-complete": [round_["_id"]],
        "stops-planned": [stop["_id"] for stop in stops],
    }


@kind("stops-planned", "copy:screening.visits")
def stop_of_no_round(d: Played) -> Expected:
    stop = d.one("dispatch.stops")
    key = natural_id("stop", "nowhere", stop["household_id"])
    d.put("dispatch.stops", {**stop, "_id": key, "round_id": "nowhere"})
    return {"stops-planned": [key], "copy:screening.visits": [key]}


@kind("rounds-completed")
def round_completed_without_its_stops(d: Played) -> Expected:
    scope = d.one("dispatch.scopes", kind="seal", active=True)
    round_ = d.one("dispatch.rounds", scope_id=scope["_id"], kind="waste")
    d.alter("dispatch.rounds", round_, state="completed")
    return {"rounds-completed": [round_["_id"]]}


@kind("rounds-once")
def round_held_twice(d: Played) -> Expected:
    d.put("dispatch.rounds", again(d.one("dispatch.rounds", state="cancelled", scope="seal")))
    return {"rounds-once": ["second-document"]}
