"""Verdicts, lists, investigators, neighbours, and what the event door refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from lianfang.envelope import Envelope
from lianfang.errors import IllegalTransition, InvalidPayload, NotFound
from lianfang.schemas.envelope import encode
from lianfang.testing.pump import Pump
from lianfang.vocabulary import Symptom
from tests.component.screening.house import BUILDING, ENCLOSURE, NOW, House, leg


def test_every_declaration_gets_one_of_four_outcomes_that_can_be_counted(house: House) -> None:
    from_hubei = leg("CZ1", from_division="420100")
    house.declare("a")
    house.declare("b", from_hubei)
    house.claim("c", "no-such-case")
    house.declare("d", from_hubei, symptoms=(Symptom.FEVER,))
    house.pump.settle()
    counted = house.ask("count_outcomes", place=ENCLOSURE)
    assert counted == {
        "outcomes": {
            "pass": 1,
            "home_quarantine": 1,
            "centralised_quarantine": 1,
            "hospital": 1,
        },
        "total": 4,
    }
    verdict = house.ask("get_assessment", person_id="d")
    assert verdict["reasons"] == ["symptom.fever", "key_area.legs"]
    assert verdict["policy_version"].startswith("shenzhen-2020-02/screening/2020-02-07/")
    found = house.ask("find_assessments", place=ENCLOSURE, outcome="hospital")
    assert [a["person_id"] for a in found["assessments"]] == ["d"]
    assert house.ask("count_outcomes", place=BUILDING)["total"] == 0
    with pytest.raises(NotFound):
        house.ask("get_assessment", person_id="nobody")


def test_a_list_is_paged(house: House) -> None:
    for n in range(5):
        house.declare(f"d{n}")
    house.pump.settle()
    first = house.ask("find_assessments", limit=3)
    rest = house.ask("find_assessments", limit=3, after=first["next"])
    people = [a["person_id"] for a in first["assessments"] + rest["assessments"]]
    assert (len(people), len(set(people)), rest["next"]) == (5, 5, None)


def test_a_resubmission_is_a_later_revision_of_the_same_verdict(house: House) -> None:
    house.declare("a")
    house.declare("a", symptoms=(Symptom.FEVER,), revision=2)
    house.pump.settle()
    told = house.pump.events("declaration.assessed")
    assert [(e.outcome, e.revision) for e in told] == [("pass", 1), ("hospital", 2)]
    assert len({e.assessment_id for e in told}) == 1


def test_an_investigator_s_contact_joins_what_the_rules_found(house: House) -> None:
    case_id = house.confirm()
    contact = {
        "person_id": "p1-2",
        "category": "close",
        "kind": "care",
        "first_exposure_on": "2020-01-30",
        "last_exposure_on": "2020-02-02",
        "basis": "nursed her",
    }
    house.do("record_contacts", case_id=case_id, contacts=[contact])
    found = house.contacts(case_id)["p1-2"]
    assert (found["kind"], found["first_exposure_on"]) == ("household", "2020-01-30")
    for wrong, error in (
        ({"person_id": "nobody"}, NotFound),
        ({"person_id": "p1-1"}, InvalidPayload),
        ({"last_exposure_on": "2020-01-01"}, InvalidPayload),
        ({"last_exposure_on": "2020-02-09"}, InvalidPayload),
        ({"kind": "stranger"}, InvalidPayload),
    ):
        with pytest.raises(error):
            house.do("record_contacts", case_id=case_id, contacts=[{**contact, **wrong}])


def test_exposures_that_cannot_be_are_refused(house: House) -> None:
    case_id = house.confirm()
    exposure = {
        "setting": "workplace",
        "from_at": house.at(days=-2),
        "until_at": house.at(days=-1),
        "place": f"{ENCLOSURE}.b05",
    }
    assert house.do("record_exposures", case_id=case_id, exposures=[exposure])["contacts"] == 0
    for wrong in (
        {"until_at": house.at(days=-3)},
        {"place": None},
        {"setting": "transport"},
        {"from_at": house.at(days=1), "until_at": house.at(days=2)},
    ):
        with pytest.raises(InvalidPayload):
            house.do("record_exposures", case_id=case_id, exposures=[{**exposure, **wrong}])
    house.discard(case_id)
    with pytest.raises(IllegalTransition):
        house.do("record_exposures", case_id=case_id, exposures=[exposure])


def test_a_claim_before_the_infectious_days_makes_no_contact(house: House) -> None:
    case_id = house.confirm()
    house.claim("friend", case_id)
    house.claim("p1-1", case_id)
    house.pump.settle()
    assert set(house.contacts(case_id)) == {"p1-2", "friend"}
    amended = {"case_id": case_id, "onset_on": "2020-02-03", "reason": "asked again"}
    house.do("amend_case", **amended, amended_by="Dr Invented")
    assert house.contacts(case_id)["friend"]["last_exposure_on"] == "2020-02-02"


def test_neighbours_by_floor_are_contacts_only_where_policy_switches_it_on(pump: Pump) -> None:
    house = House(pump)
    assert set(house.contacts(house.confirm("p5-1"))) == {"p5-2"}
    pump.reset()
    pump.use("screening")
    instance = pump.used["screening"].instance
    original = instance.policy
    instance.policy = _WithNeighbours(original)
    try:
        house = House(pump)
        case_id = house.confirm("p5-1")
        kinds = {p: (c["kind"], c["category"]) for p, c in house.contacts(case_id).items()}
        assert kinds.pop("p5-2") == ("household", "close")
        assert set(kinds) == {"p4-1", "p4-2", "p6-1", "p6-2"}
        assert set(kinds.values()) == {("neighbour", "secondary")}
    finally:
        instance.policy = original


class _WithNeighbours:
    """The policy in force with the neighbour rule switched on."""

    def __init__(self, policy: object) -> None:
        self._policy = policy

    def on(self, day: date) -> object:
        rules = self._policy.on(day)
        neighbour = replace(rules.contacts.neighbour, enabled=True)
        return replace(rules, contacts=replace(rules.contacts, neighbour=neighbour))


def _raw(data: dict[str, object], kind: str = "declaration.submitted") -> bytes:
    envelope = Envelope(
        id="11111111-1111-5111-8111-111111111111",
        source="/4403/nanshan/declaration",
        type=kind,
        dataschema=f"urn:lianfang:{kind}/v1",
        subject="d",
        time=NOW,
        correlationid="d",
        causationid="d",
        place=BUILDING,
        data={},
    )
    return encode(envelope, data)


GOOD = {
    "declaration_id": "d",
    "person_id": "a",
    "household_id": "h",
    "building": BUILDING,
    "person_type": "stayed",
    "declared_at": NOW.isoformat(),
    "statement_version": "1",
}
LEG = {
    "mode": "plane",
    "depart_at": NOW.isoformat(),
    "from_division": "420100",
    "to_division": "440305",
}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({**GOOD, "person_id": 7}, "person_id"),
        ({**GOOD, "person_type": "tourist"}, "person_type"),
        ({**GOOD, "declared_at": "2020-02-03"}, "declared_at"),
        ({**GOOD, "declared_at": (NOW + timedelta(days=9)).isoformat()}, "declared_at"),
        ({**GOOD, "building": "somewhere nice"}, "place"),
        ({**GOOD, "statement_version": "x" * 100_000}, "statement_version"),
        ({**GOOD, "legs": [{**LEG, "arrive_at": "2020-01-01T00:00:00Z"}]}, "legs.0.arrive_at"),
        ({"$where": "1"}, "declaration_id"),
    ],
)
def test_a_wrong_event_is_parked_with_its_reason_and_touches_nothing_else(
    house: House, data: dict[str, object], reason: str
) -> None:
    house.pump.send(_raw(data), f"declaration.submitted.{BUILDING}")
    house.declare("good")
    house.pump.settle()
    ((code, sentence),) = house.pump.parked()
    assert code == "invalid_payload"
    assert reason in sentence
    assert [e.person_id for e in house.pump.events("declaration.assessed")] == ["good"]


def test_what_is_no_event_is_parked(house: House) -> None:
    house.pump.send(b'{"a": "\\ud800"}', f"declaration.submitted.{BUILDING}")
    house.pump.send(b"x" * 1_000_000, f"stops.recorded.{BUILDING}")
    house.pump.send(_raw({}, "resident.registered"), f"resident.registered.{BUILDING}")
    house.pump.settle()
    assert sorted(code for code, _ in house.pump.parked()) == [
        "invalid_payload",
        "too_large",
        "undecodable",
    ]
