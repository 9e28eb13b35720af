"""What the doors find: the roll is corrected, and nobody ends without an order or a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lianfang.errors import NotFound
from lianfang.vocabulary import Finding, Need, Outcome, Presence
from tests.component.isolation.block import B1, B2, Block


@pytest.fixture
def sealed(block: Block) -> Block:
    """Four households of ten persons, p0 a case, p1 the flatmate."""
    block.building(B1, [f"{B1}.g1"])
    block.household(B1, "h0", "p0", "p1")
    block.household(B1, "h1", "p2", "p3", "p4")
    block.household(B1, "h2", "p5", "p6")
    block.household(B1, "h3", "p7", "p8", "p9")
    block.settle()
    block.confirm("c1", "p0", B1)
    block.contact("c1", "p1")
    block.settle()
    return block


def _head_count(block: Block) -> None:
    """3 absent, 2 unregistered (an infant, a lodger in a room nobody knew), 1 lives elsewhere."""
    now = block.pump.now
    block.household(
        B1, "h2", "infant", stays_since=None, needs=(Need.INFANT,), guardian_id="p5", is_minor=True
    )
    block.household(B1, "h7", "lodger", stays_since=None)
    for person in ("infant", "lodger"):
        block.seen(person, Presence.PRESENT, now)
    block.count(B1, "h0")
    block.count(B1, "h1", p2=Finding.ABSENT, p3=Finding.ABSENT, p4=Finding.PRESENT)
    block.count(B1, "h2", p5=Finding.PRESENT, p6=Finding.LIVES_ELSEWHERE)
    block.count(B1, "h3", p7=Finding.ABSENT, p8=Finding.PRESENT, p9=Finding.PRESENT)


def test_a_head_count_leaves_one_order_or_one_reason_per_person(sealed: Block) -> None:
    sealed.wait(hours=1)
    _head_count(sealed)
    sealed.settle()
    assert sealed.roll() == {
        "p0": "found",
        "p1": "found",
        "p2": "absent",
        "p3": "absent",
        "p4": "found",
        "p5": "found",
        "p6": "lives_elsewhere",
        "p7": "absent",
        "p8": "found",
        "p9": "found",
        "infant": "unregistered",
        "lodger": "unregistered",
    }
    entries = sealed.ask("get_seal_roll", seal_id=sealed.seal()["seal_id"])["entries"]
    for entry in entries:
        order = sealed.order(entry["person_id"])
        assert entry["reason"]
        assert (order is not None) == (entry["order_id"] is not None)
        assert order is None or order["order_id"] == entry["order_id"]
    assert sealed.measures(building=B1) == {"isolation": 1, "facility": 1, "sealed": 6}
    assert (sealed.seal()["persons"], sealed.seal()["households"]) == (8, 5)
    assert sealed.pump.parked() == []


def test_somebody_absent_who_is_seen_later_is_closed_in_again(sealed: Block) -> None:
    sealed.wait(hours=1)
    sealed.count(B1, "h1", p2=Finding.ABSENT)
    sealed.settle()
    assert sealed.order("p2") is None
    sealed.wait(hours=1)
    sealed.seen("p2", Presence.PRESENT)
    sealed.settle()
    again = sealed.order("p2")
    assert again is not None
    assert (sealed.roll()["p2"], again["measure"]) == ("found", "sealed")


def test_a_corrected_stop_corrects_the_roll(sealed: Block) -> None:
    sealed.wait(hours=1)
    sealed.count(B1, "h1", p2=Finding.LIVES_ELSEWHERE)
    sealed.count(B1, "h1", p2=Finding.PRESENT)
    sealed.settle(seed=3, copies=3)
    assert sealed.roll()["p2"] == "found"
    assert sealed.order("p2") is not None


def test_who_declares_a_stay_from_before_the_seal_waits_for_a_door_check(sealed: Block) -> None:
    sealed.wait(hours=1)
    sealed.household(B1, "h8", "late")
    sealed.settle()
    assert (sealed.roll()["late"], sealed.order("late")) == ("door_check", None)
    (amended,) = sealed.pump.events("roll.amended")
    assert [(e.person_id, e.status) for e in amended.entries] == [("late", "door_check")]
    sealed.wait(hours=1)
    sealed.seen("late", Presence.PRESENT)
    sealed.settle()
    assert sealed.roll()["late"] == "unregistered"
    assert sealed.measures(person_id="late") == {"sealed": 1}


def test_who_was_told_of_before_the_seal_is_expected_even_if_the_word_comes_after(
    block: Block,
) -> None:
    block.building(B1)
    block.household(B1, "h0", "p0")
    block.settle()
    late = block.resident("late", "h8", B1)
    block.confirm("c1", "p0", B1)
    block.live(B1, late)
    block.settle(seed=1)
    assert block.roll() == {"p0": "expected", "late": "expected"}
    assert block.seal()["persons"] == 2


def test_who_arrives_after_the_seal_is_refused_entry(sealed: Block) -> None:
    sealed.wait(hours=2)
    sealed.household(B1, "h8", "newcomer", stays_since=sealed.pump.now)
    sealed.settle()
    assert (sealed.roll()["newcomer"], sealed.order("newcomer")) == ("refused_entry", None)


def test_who_left_inside_the_look_back_is_traced_to_where_they_are(block: Block) -> None:
    block.building(B1)
    block.building(B2)
    block.household(B1, "h0", "p0")
    block.household(B1, "h1", "mover", "gone")
    block.settle()
    block.left("mover", "moved", block.pump.now - timedelta(days=1))
    block.left("gone", "moved", block.pump.now - timedelta(days=30))
    block.household(B2, "h9", "mover")
    block.settle()
    block.confirm("c1", "p0", B1)
    block.settle()
    assert block.roll() == {"p0": "expected", "mover": "traced"}
    mover = block.order("mover")
    assert mover is not None
    assert (mover["measure"], mover["building"], mover["seal_id"]) == ("home", B2, None)
    assert mover["due_on"] == "2020-02-16"


def test_a_death_ends_every_order_and_no_order_follows(sealed: Block) -> None:
    sealed.close("c1", "p0", "died")
    sealed.count(B1, "h1", p4=Finding.DECEASED)
    sealed.settle()
    for person in ("p0", "p4"):
        assert sealed.order(person) is None
        assert sealed.ask("get_order", person_id=person)["state"] == "ended_by_death"
        assert sealed.roll()[person] == "deceased"
    sealed.wait(days=1)
    sealed.confirm("c2", "p5", B1)
    sealed.settle()
    assert sealed.order("p0") is None


def test_a_recovered_case_is_no_longer_isolated_but_closed_in_like_everybody(
    sealed: Block,
) -> None:
    sealed.close("c1", "p0", "recovered")
    sealed.settle()
    former = [o for o in sealed.ask("find_orders", person_id="p0")["orders"] if not o["is_open"]]
    assert [(o["measure"], o["state"]) for o in former] == [("isolation", "released")]
    assert sealed.measures(person_id="p0") == {"sealed": 1}


def test_an_infant_and_its_guardian_are_not_sent_to_a_facility(block: Block) -> None:
    block.building(B1)
    block.household(B1, "h0", "p0", "guardian", "other")
    block.household(B1, "h0", "infant", needs=(Need.INFANT,), guardian_id="guardian")
    block.settle()
    block.confirm("c1", "p0", B1)
    for person in ("guardian", "other", "infant"):
        block.contact("c1", person)
    block.settle()
    shapes = {
        person: (order["measure"], order["exception_reason"])
        for person in ("guardian", "other", "infant")
        if (order := block.order(person))
    }
    assert shapes == {
        "guardian": ("sealed", "guardian"),
        "other": ("facility", None),
        "infant": ("sealed", "infant"),
    }


def test_verdicts_bind_people_outside_seals_and_a_pass_frees_them(block: Block) -> None:
    block.household(B2, "h1", "ann", "bo", "cy")
    block.settle()
    block.assess("ann", Outcome.HOME_QUARANTINE, block.pump.now.date() - timedelta(days=4))
    block.assess("bo", Outcome.CENTRALISED_QUARANTINE)
    block.assess("cy", Outcome.PASS)
    block.settle()
    ann, bo = block.order("ann"), block.order("bo")
    assert ann is not None
    assert bo is not None
    assert (ann["measure"], ann["due_on"], ann["seal_id"]) == ("home", "2020-02-13", None)
    assert (bo["measure"], bo["due_on"], bo["waitlisted"]) == ("facility", "2020-02-17", True)
    assert block.order("cy") is None
    block.assess("ann", Outcome.PASS)
    block.settle()
    assert block.ask("get_order", person_id="ann")["state"] == "withdrawn"


def test_an_order_has_all_its_causes_and_the_strictest_of_their_measures(sealed: Block) -> None:
    sealed.assess("p2", Outcome.HOME_QUARANTINE)
    sealed.settle()
    order = sealed.order("p2")
    assert order is not None
    assert (order["measure"], order["due_on"]) == ("sealed", "2020-02-17")
    assert {cause["kind"] for cause in order["causes"]} == {"seal", "assessment"}


def test_a_notice_serves_the_orders_of_the_household(sealed: Block) -> None:
    sealed.wait(hours=1)
    sealed.stop("notice", B1, "h1")
    sealed.settle()
    states = {o["person_id"]: o["state"] for o in sealed.orders(building=B1)}
    assert {p for p, state in states.items() if state == "served"} == {"p2", "p3", "p4"}
    (served,) = sealed.pump.events("quarantine.served")
    assert {o.state for o in served.orders} == {"served"}
    p2 = sealed.order("p2")
    assert p2 is not None
    assert p2["served_by"] == "Worker Invented"


def test_orders_can_be_served_by_hand_and_unknown_ones_cannot(sealed: Block) -> None:
    order = sealed.order("p5")
    assert order is not None
    by = {"served_by": "Worker Invented", "notice": "read aloud"}
    answer = sealed.do("serve_order", order_ids=[order["order_id"]], **by)
    assert [o["state"] for o in answer["orders"]] == ["served"]
    with pytest.raises(NotFound):
        sealed.do("serve_order", order_ids=["none"], **by)
