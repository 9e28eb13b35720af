"""What a case closes, what it does not, and who may say so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lianfang.errors import IllegalTransition, InvalidPayload, NotFound
from lianfang.events.declaration import PlaceSnapshot
from lianfang.events.screening import Stay
from lianfang.vocabulary import CommunityType, Custody, PlaceUse
from tests.component.isolation.block import B1, B2, B3, ENCLOSURE, Block


@pytest.fixture
def sealed(block: Block) -> Block:
    """Two households of five persons, ann a case, bo her flatmate and contact."""
    block.building(B1, [f"{B1}.g1"])
    block.household(B1, "h1", "ann", "bo")
    block.household(B1, "h2", "cy", "di", "ed")
    block.settle()
    block.confirm("c1", "ann", B1)
    block.contact("c1", "bo")
    block.settle()
    return block


def test_a_case_closes_its_building_and_everybody_has_one_order(sealed: Block) -> None:
    seal = sealed.seal()
    assert (seal["state"], seal["households"], seal["persons"]) == ("provisional", 2, 5)
    assert (seal["day_one_on"], seal["due_on"]) == ("2020-02-03", "2020-02-16")
    assert (seal["scope"], seal["exits"], seal["causes"]) == ([B1], [f"{B1}.g1"], ["c1"])
    assert sealed.measures(building=B1) == {"isolation": 1, "facility": 1, "sealed": 3}
    bo = sealed.order("bo")
    assert bo is not None
    assert (bo["waitlisted"], bo["at_home"], bo["due_on"]) == (True, True, "2020-02-17")
    assert [cause["kind"] for cause in bo["causes"]] == ["contact", "seal"]
    assert sealed.pump.parked() == []


def test_the_seal_is_said_before_its_orders_and_all_belongs_to_the_case(sealed: Block) -> None:
    said = [e for e in sealed.pump.envelopes() if e.source.endswith("isolation")]
    assert [e.type for e in said] == [
        "seal.imposed",
        "isolation.ordered",
        "quarantine.ordered",
        "quarantine.extended",
    ]
    assert {e.correlationid for e in said} == {"c1"}


def test_a_second_case_extends_the_seal_and_makes_no_other(sealed: Block) -> None:
    sealed.wait(days=3)
    sealed.confirm("c2", "cy", B1)
    sealed.contact("c2", "di")
    sealed.settle()
    (seal,) = sealed.ask("find_seals", place=B1)["seals"]
    assert (seal["causes"], seal["due_on"]) == (["c1", "c2"], "2020-02-19")
    assert sealed.measures(building=B1) == {"isolation": 2, "facility": 2, "sealed": 1}
    ed = sealed.order("ed")
    assert ed is not None
    assert (ed["start_on"], ed["due_on"]) == ("2020-02-03", "2020-02-19")
    former = [o for o in sealed.ask("find_orders", person_id="cy")["orders"] if not o["is_open"]]
    assert [o["state"] for o in former] == ["superseded"]


def test_a_discarded_case_withdraws_everything_that_stood_on_it_alone(sealed: Block) -> None:
    sealed.drop("c1", "bo")
    sealed.discard("c1", "ann")
    sealed.settle()
    assert sealed.seal()["state"] == "withdrawn"
    assert sealed.orders(building=B1) == []
    states = sealed.ask("count_orders", place=B1)["by_state"]
    assert states == {"withdrawn": 5}
    bo = sealed.ask("get_order", person_id="bo")
    assert (bo["measure"], len(bo["causes"])) == ("facility", 2)


def test_a_case_that_comes_after_its_own_discard_has_no_effect(block: Block) -> None:
    block.building(B1)
    block.household(B1, "h1", "ann", "bo")
    confirmed = block.case("c1", "ann", B1)
    block.discard("c1", "ann")
    block.settle()
    block.pump.publish(confirmed, B1)
    block.settle()
    assert block.ask("find_seals", place=B1)["seals"] == []
    assert block.orders() == []


def test_an_amended_case_frees_the_wrong_person_and_binds_the_right_one(sealed: Block) -> None:
    sealed.household(B2, "h9", "zoe", "yan")
    sealed.settle()
    sealed.amend("c1", "ann", "zoe", B2)
    sealed.drop("c1", "bo")
    sealed.contact("c1", "yan")
    sealed.settle()
    assert sealed.seal(B1)["state"] == "withdrawn"
    assert sealed.order("ann") is None
    assert sealed.measures(building=B2) == {"isolation": 1, "facility": 1}


def test_a_wrong_person_of_the_same_building_stays_closed_in(sealed: Block) -> None:
    sealed.amend("c1", "ann", "cy", B1)
    sealed.settle()
    assert len(sealed.ask("find_seals", place=B1)["seals"]) == 1
    ann, cy = sealed.order("ann"), sealed.order("cy")
    assert ann is not None
    assert cy is not None
    assert (ann["measure"], cy["measure"]) == ("sealed", "isolation")


def test_an_urban_village_without_units_is_closed_by_the_building(block: Block) -> None:
    block.building(B1, kind=CommunityType.URBAN_VILLAGE)
    block.household(B1, "h1", "ann", "bo")
    block.household(B1, "h2", "cy")
    block.settle()
    block.confirm("c1", "ann", Stay(place=B1, last_present_at=block.pump.now, unit_segment="u1"))
    block.settle()
    assert block.seal()["scope"] == [B1]
    assert len(block.orders(building=B1)) == 3


def _units(block: Block, second_exit: str) -> None:
    block.building(B1)
    block.places(
        PlaceSnapshot(path=f"{B1}.u1", name="u1", revision=1, exits=(f"{B1}.g1",)),
        PlaceSnapshot(path=f"{B1}.u2", name="u2", revision=1, exits=(second_exit,)),
    )
    block.household(B1, "h1", "ann", "bo", unit="u1")
    block.household(B1, "h2", "cy", unit="u2")
    block.settle()
    block.confirm("c1", "ann", Stay(place=B1, last_present_at=block.pump.now, unit_segment="u1"))
    block.settle()


def test_a_unit_with_exits_of_its_own_is_closed_alone(block: Block) -> None:
    _units(block, f"{B1}.g2")
    assert (block.seal()["scope"], block.seal()["exits"]) == ([f"{B1}.u1"], [f"{B1}.g1"])
    assert block.order("cy") is None
    assert block.seal()["persons"] == 2


def test_units_behind_one_exit_are_closed_together(block: Block) -> None:
    _units(block, f"{B1}.g1")
    assert block.seal()["scope"] == [B1]
    assert block.order("cy") is not None


def test_every_building_behind_a_shared_exit_joins_and_a_case_there_joins_too(
    block: Block,
) -> None:
    gate = f"{ENCLOSURE}.g1"
    block.building(B1, [gate])
    block.building(B2, [gate, f"{ENCLOSURE}.g2"])
    block.building(B3, [f"{ENCLOSURE}.g2"])
    for n, building in enumerate((B1, B2, B3)):
        block.household(building, f"h{n}", f"p{n}", f"q{n}")
    block.settle()
    block.confirm("c1", "p0", B1)
    block.confirm("c2", "p1", B2)
    block.settle()
    (seal,) = block.ask("find_seals", place=ENCLOSURE)["seals"]
    assert seal["causes"] == ["c1", "c2"]
    assert {B1, B2} <= set(seal["scope"])
    assert block.order("q1") is not None


def test_the_brake_proposes_what_is_more_than_the_limit(block: Block) -> None:
    homes = [f"{ENCLOSURE}.b{n:02d}" for n in range(1, 8)]
    for n, home in enumerate(homes):
        block.building(home)
        block.household(home, f"h{n}", f"p{n}", f"q{n}")
    block.settle()
    for n, home in enumerate(homes):
        block.confirm(f"c{n}", f"p{n}", home, laboratory_batch_id="batch-7")
        block.settle()
    states = [block.seal(home)["state"] for home in homes]
    assert states == ["provisional"] * 5 + ["proposed"] * 2
    assert block.measures(building=homes[-1]) == {"isolation": 1}
    seal_id = block.seal(homes[-1])["seal_id"]
    block.do("impose_seal", seal_id=seal_id, reason="looked at", decided_by="Officer Invented")
    assert block.seal(homes[-1])["state"] == "provisional"
    assert block.measures(building=homes[-1]) == {"isolation": 1, "sealed": 1}


def test_paused_automation_only_proposes_until_it_is_resumed(block: Block) -> None:
    for building, person in ((B1, "ann"), (B2, "bo")):
        block.building(building)
        block.household(building, f"h{person}", person)
    until = (block.pump.now + timedelta(hours=4)).isoformat()
    pause = {"place": ENCLOSURE, "decided_by": "Officer Invented"}
    block.do("pause_automation", reason="swapped racks", until=until, **pause)
    block.confirm("c1", "ann", B1)
    block.settle()
    assert block.seal(B1)["state"] == "proposed"
    block.do("resume_automation", **pause)
    block.confirm("c2", "bo", B2)
    block.settle()
    assert block.seal(B2)["state"] == "provisional"
    with pytest.raises(NotFound):
        block.do("resume_automation", **pause)


def test_a_case_long_in_hospital_closes_nothing(block: Block) -> None:
    block.building(B1)
    block.household(B1, "h1", "ann", "bo")
    block.settle()
    last = block.pump.now - timedelta(days=20)
    block.confirm(
        "c1",
        "ann",
        Stay(place=B1, last_present_at=last),
        onset_on=(last - timedelta(days=1)).date(),
        custody=Custody.IN_HOSPITAL,
    )
    block.settle()
    assert block.ask("find_seals", place=B1)["seals"] == []
    ann = block.order("ann")
    assert ann is not None
    assert (ann["measure"], ann["at_home"]) == ("isolation", False)


def test_a_workplace_is_an_infected_point_and_no_seal(block: Block) -> None:
    office = Stay(place=B2, last_present_at=block.pump.now, use=PlaceUse.WORKPLACE)
    block.building(B1)
    block.household(B1, "h1", "ann")
    block.confirm("c1", "ann", B1, office)
    block.settle()
    (focus,) = block.pump.events("focus.declared")
    assert (focus.place, focus.causes) == (B2, ("c1",))
    assert block.ask("find_seals", place=B2)["seals"] == []
    block.discard("c1", "ann")
    block.settle()
    (cleared,) = block.pump.events("focus.cleared")
    assert cleared.focus_id == focus.focus_id


def test_the_legal_course_runs_by_name_and_refuses_what_cannot_follow(sealed: Block) -> None:
    seal_id = sealed.seal()["seal_id"]
    by = {"seal_id": seal_id, "decided_by": "Officer Invented"}
    with pytest.raises(IllegalTransition):
        sealed.do("approve_seal", **by)
    assert sealed.do("order_seal", **by)["state"] == "ordered"
    with pytest.raises(IllegalTransition):
        sealed.do("order_seal", **by)
    assert sealed.do("approve_seal", **by)["state"] == "approved"
    with pytest.raises(IllegalTransition):
        sealed.do("refuse_seal", reason="too late", **by)
    types = [e.TYPE for e in sealed.pump.events() if e.TYPE.startswith("seal.")]
    assert types == ["seal.imposed", "seal.ordered", "seal.approved"]


def test_a_refused_seal_frees_everybody_at_once_and_the_same_case_closes_no_more(
    sealed: Block,
) -> None:
    by = {"seal_id": sealed.seal()["seal_id"], "decided_by": "Officer Invented"}
    sealed.do("refuse_seal", reason="another address", **by)
    assert sealed.measures(building=B1) == {"isolation": 1, "facility": 1}
    with pytest.raises(IllegalTransition):
        sealed.do("refuse_seal", reason="again", **by)
    sealed.amend("c1", "ann", "ann", B1, onset_on=sealed.pump.now.date())
    sealed.settle()
    assert sealed.seal()["state"] == "refused"
    sealed.confirm("c2", "cy", B1)
    sealed.settle()
    assert (sealed.seal()["state"], sealed.seal()["causes"]) == ("provisional", ["c2"])


def test_an_unordered_seal_climbs_by_the_hour_and_lapses(sealed: Block) -> None:
    sealed.wait(hours=1)
    sealed.wait(hours=1)
    assert sealed.seal()["level"] == "street"
    assert [s["what"] for s in sealed.seal()["history"]] == ["provisional", "climbed", "climbed"]
    sealed.wait(hours=95)
    assert sealed.seal()["state"] == "lapsed"
    assert sealed.measures(building=B1) == {"isolation": 1, "facility": 1}
    with pytest.raises(IllegalTransition):
        sealed.do("order_seal", seal_id=sealed.seal()["seal_id"], decided_by="Officer Invented")


def test_a_person_may_close_a_building_and_only_a_known_open_one(block: Block) -> None:
    block.building(B1)
    block.household(B1, "h1", "ann")
    block.settle()
    by = {"reason": "sewage", "decided_by": "Officer Invented"}
    assert block.ask("preview_seal", building=B1)["persons"] == 1
    assert block.do("impose_seal", building=B1, **by)["is_manual"]
    assert block.measures(building=B1) == {"sealed": 1}
    with pytest.raises(IllegalTransition):
        block.do("impose_seal", building=B1, **by)
    with pytest.raises(NotFound):
        block.do("impose_seal", building=B3, **by)
    with pytest.raises(NotFound):
        block.do("impose_seal", seal_id="none", **by)
    with pytest.raises(NotFound):
        block.do("impose_seal", building=B2, case_id="none", **by)
    with pytest.raises(NotFound):
        block.ask("preview_seal", building=B3)
    with pytest.raises(InvalidPayload):
        block.do("impose_seal", **by)
    block.confirm("c1", "ann", B1)
    block.settle()
    block.discard("c1", "ann")
    block.settle()
    assert (block.seal()["state"], block.seal()["causes"]) == ("provisional", [])
