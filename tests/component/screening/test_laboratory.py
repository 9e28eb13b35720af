"""Samples, results, swaps, and what rounds found: over the real broker and database."""

from __future__ import annotations

from typing import Any

import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload, NotFound
from lianfang.events.dispatch import StopPerson
from lianfang.vocabulary import Finding, StopOutcome, Symptom
from tests.component.screening.house import House


def _import(house: House, *rows: Any, batch: str = "b1") -> Any:
    return house.do("import_results", batch_id=batch, laboratory_id="lab", results=list(rows))


def _row(house: House, sample: str, result: str, *persons: str, **facts: Any) -> dict[str, Any]:
    row = {"sample_id": sample, "result": result, "resulted_at": house.at(), **facts}
    return {**row, "person_ids": list(persons)} if persons else row


def _take(house: House, sample: str, *persons: str, **facts: Any) -> Any:
    row = {"sample_id": sample, "person_ids": list(persons), "collected_at": house.at(hours=-2)}
    return house.do("record_samples", samples=[{**row, **facts}])


def test_a_preliminary_positive_opens_a_suspicion_and_confirms_nothing(house: House) -> None:
    _take(house, "s1", "p1-1")
    _import(house, _row(house, "s1", "positive_preliminary"))
    assert [e.person_id for e in house.pump.events("case.suspected")] == ["p1-1"]
    assert house.pump.events("case.confirmed") == []
    assert house.pump.events("contact.identified") == []


def test_a_pooled_positive_suspects_everybody_in_the_tube(house: House) -> None:
    _import(house, _row(house, "s1", "positive_preliminary", "p1-1", "p2-1", tube="pooled"))
    assert {e.person_id for e in house.pump.events("case.suspected")} == {"p1-1", "p2-1"}
    report = _import(house, _row(house, "s1", "positive_confirmed"), batch="b2")
    assert report["rejected"][0]["code"] == "illegal_transition"


def test_a_confirmation_is_caused_by_the_result_that_led_to_it(house: House) -> None:
    _import(house, _row(house, "s1", "positive_preliminary", "p1-1"))
    _import(house, _row(house, "s2", "positive_confirmed", "p1-1"), batch="b2")
    case_id = house.confirm(sample_id="s2")
    (told,) = house.pump.envelopes("case.confirmed")
    results = {e.subject: e.id for e in house.pump.envelopes("sample.resulted")}
    assert told.causationid == results["s2"]
    case = house.ask("get_case", case_id=case_id)
    assert (case["sample_id"], case["laboratory_batch_id"]) == ("s2", "b2")


def test_each_bad_row_is_listed_and_the_good_ones_are_taken(house: House) -> None:
    _take(house, "known", "p1-1")
    report = _import(
        house,
        _row(house, "s1", "negative", "p2-1"),
        _row(house, "s2", "negative", "nobody"),
        _row(house, "s3", "negative"),
        _row(house, "s4", "perhaps", "p2-1"),
        {**_row(house, "s5", "negative", "p2-1"), "resulted_at": house.at(days=1)},
        _row(house, "known", "negative", resulted_at=house.at(hours=-3)),
        _row(house, "s6", "positive_confirmed", "p2-1"),
        {**_row(house, "s7", "negative", "p2-1"), "$set": 1},
        "no row",
        _row(house, "known", "negative", "p3-1"),
    )
    assert (report["taken"], report["unchanged"]) == (1, 0)
    assert [(r["row"], r["field"], r["code"]) for r in report["rejected"]] == [
        (2, "person_ids", "not_found"),
        (3, "sample_id", "not_found"),
        (4, "result", "invalid_payload"),
        (5, "resulted_at", "invalid_payload"),
        (6, "resulted_at", "invalid_payload"),
        (7, "sample_id", "illegal_transition"),
        (8, "$set", "invalid_payload"),
        (9, "row", "invalid_payload"),
        (10, "person_ids", "conflict"),
    ]
    assert len(house.pump.events("sample.resulted")) == 1


def test_the_same_row_again_is_unchanged_and_another_result_a_conflict(house: House) -> None:
    _import(house, _row(house, "s1", "negative", "p1-1"))
    again = _import(house, _row(house, "s1", "negative", "p1-1"), batch="b2")
    assert (again["taken"], again["unchanged"]) == (0, 1)
    other = _import(house, _row(house, "s1", "positive_preliminary", "p1-1"), batch="b3")
    assert other["rejected"][0]["code"] == "conflict"


def test_a_retest_ends_a_preliminary_positive_either_way(house: House) -> None:
    for sample, result in (("s1", "negative"), ("s2", "positive_confirmed")):
        _import(house, _row(house, sample, "positive_preliminary", "p1-1"), batch=f"{sample}a")
        house.pump.now = house.pump.now.replace(minute=house.pump.now.minute + 1)
        report = _import(house, _row(house, sample, result), batch=f"{sample}b")
        assert report["taken"] == 1
    assert len(house.pump.events("case.suspected")) == 1


def test_a_void_tube_takes_no_result_and_a_resulted_one_cannot_be_void(house: House) -> None:
    _take(house, "s1", "p1-1")
    house.do("record_samples", samples=[{"sample_id": "s1", "void_reason": "leaked"}])
    report = _import(house, _row(house, "s1", "negative"))
    assert report["rejected"][0]["code"] == "illegal_transition"
    _import(house, _row(house, "s2", "negative", "p1-1"), batch="b2")
    with pytest.raises(IllegalTransition):
        house.do("record_samples", samples=[{"sample_id": "s2", "void_reason": "leaked"}])


def test_a_swap_found_after_the_result_amends_the_case(house: House) -> None:
    _import(house, _row(house, "s1", "positive_preliminary", "p1-1"))
    case_id = house.confirm(sample_id="s1")
    swap = {"sample_id": "s1", "person_ids": ["p2-1"], "reassign_reason": "labels swapped"}
    house.do("record_samples", samples=[swap])
    (told,) = house.pump.events("case.amended")
    assert (told.case_id, told.person_id, told.former_person_id) == (case_id, "p2-1", "p1-1")
    assert set(house.contacts(case_id)) == {"p2-2"}
    assert house.pump.events("sample.resulted")[-1].person_ids == ("p2-1",)


def test_a_swap_of_a_suspected_tube_moves_the_suspicion(house: House) -> None:
    _import(house, _row(house, "s1", "positive_preliminary", "p1-1"))
    swap = {"sample_id": "s1", "person_ids": ["p2-1"], "reassign_reason": "labels swapped"}
    house.do("record_samples", samples=[swap])
    told = house.pump.events("case.suspected")
    assert [(e.person_id, e.revision) for e in told] == [("p1-1", 1), ("p2-1", 2)]
    assert len(house.ask("find_cases", state="suspected")["cases"]) == 1


def test_wrong_tubes_are_refused(house: House) -> None:
    with pytest.raises(NotFound):
        _take(house, "s1", "nobody")
    with pytest.raises(InvalidPayload):
        _take(house, "s1")
    with pytest.raises(InvalidPayload):
        _take(house, "s1", "p1-1", collected_at=house.at(days=2))
    _import(house, _row(house, "s1", "negative", "p1-1"))
    with pytest.raises(IllegalTransition):
        _take(house, "s1", "p2-1")


def test_the_same_request_gets_the_same_answer_and_another_content_a_conflict(
    house: House,
) -> None:
    sample = {"sample_id": "s1", "person_ids": ["p1-1"], "collected_at": house.at()}
    first = house.do("record_samples", request_id="r1", samples=[sample])
    assert house.do("record_samples", request_id="r1", samples=[sample]) == first
    with pytest.raises(Conflict):
        house.do("record_samples", request_id="r1", samples=[{**sample, "sample_id": "s2"}])


def test_a_fever_at_the_door_is_told_and_its_correction_too(house: House) -> None:
    house.stop("h1", StopPerson(person_id="p1-1", temperature=37.3))
    house.stop("h2", StopPerson(person_id="p2-1", temperature=37.2))
    house.stop("h3", StopPerson(person_id="p3-1", symptoms=(Symptom.OTHER,)))
    house.pump.settle()
    told = house.pump.events("symptom.reported")
    assert {event.person_id for event in told} == {"p1-1", "p3-1"}
    house.stop("h1", StopPerson(person_id="p1-1", temperature=36.4), revision=2)
    house.pump.settle()
    last = house.pump.events("symptom.reported")[-1]
    assert (last.person_id, last.temperature, last.revision) == ("p1-1", 36.4, 2)


def test_samples_absences_and_refusals_of_a_round_are_kept(house: House) -> None:
    house.stop("h1", StopPerson(person_id="p1-1", sample_id="s1"))
    house.stop(
        "h2",
        StopPerson(person_id="p2-1", finding=Finding.ABSENT),
        StopPerson(person_id="p2-2", finding=Finding.REFUSED),
        outcome=StopOutcome.MISSED,
        reason="refused",
    )
    house.pump.settle()
    state = house.state()
    assert state["samples"]["s1"]["state"] == "collected"
    findings = [p["finding"] for p in state["visits"]["stop-h2"]["persons"]]
    assert findings == ["absent", "refused"]
    assert _import(house, _row(house, "s1", "negative"))["taken"] == 1


def test_a_medic_s_report_of_a_fever_is_told_once(house: House) -> None:
    report = {"person_id": "p1-1", "reported_at": house.at(), "temperature": 38.5}
    assert house.do("record_health", **report)["alarm"] is True
    house.do("record_health", **report)
    assert len(house.pump.events("symptom.reported")) == 1
    with pytest.raises(NotFound):
        house.do("record_health", **{**report, "person_id": "nobody"})
    with pytest.raises(InvalidPayload):
        house.do("record_health", **{**report, "temperature": "38"})
