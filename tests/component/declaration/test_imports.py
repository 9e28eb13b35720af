"""Files of places and residents: good rows in, bad ones listed, duplicates found, resumable."""

from __future__ import annotations

import pytest

from lianfang.errors import Conflict
from lianfang.testing.pump import Pump
from tests.component.declaration import town as t


def test_good_rows_are_imported_and_bad_ones_listed(declaration: Pump) -> None:
    report = t.load(
        declaration,
        t.row(1),
        t.row(2, document_number=t.number(2)[:-1] + "?"),
        t.row(3, building=f"{t.ENCLOSURE}.b99"),
        t.row(4, presence="on the moon"),
        t.row(5, stays_since="2021-01-01T00:00:00+08:00"),
        t.row(6, shoe_size="42"),
        t.row(7, guardian_document_number=t.number(99)),
        t.row(8, name=""),
        t.row(9, birth_on="1980-01-02"),
        t.row(10, floor="-1"),
        t.row(11),
    )
    assert (report["imported"], report["next_row"], report["refused"]) == (2, 12, 9)
    assert {(r["row"], r["field"], r["code"]) for r in report["rejected"]} == {
        (2, "document_number", "invalid_payload"),
        (3, "building", "not_found"),
        (4, "presence", "invalid_payload"),
        (5, "stays_since", "invalid_payload"),
        (6, "shoe_size", "invalid_payload"),
        (7, "guardian_document_number", "not_found"),
        (8, "name", "invalid_payload"),
        (9, "birth_on", "invalid_payload"),
        (10, "floor", "invalid_payload"),
    }
    assert all(t.number(2)[:-1] not in str(r) for r in report["rejected"])
    assert declaration.call("declaration.get_roll", building=t.BUILDING)["persons"] == 2


def test_duplicates_are_found_in_the_file_and_in_the_store(declaration: Pump) -> None:
    report = t.load(declaration, t.row(1), t.row(1, household="h2"))
    assert (report["imported"], report["duplicates"]) == (1, 1)
    report = t.load(declaration, t.row(1, household="h3"), t.row(1), first=3)
    assert (report["imported"], report["duplicates"]) == (1, 3)
    assert [r["row"] for r in report["duplicate_rows"]] == [3, 4]
    other = t.load(declaration, t.row(1, household="h4"), name="another")
    assert (other["imported"], other["duplicates"]) == (0, 1)
    assert other["duplicate_rows"][0]["reason"] == "is registered in another household"


def test_importing_the_same_file_again_changes_nothing(declaration: Pump) -> None:
    rows = [t.row(1), t.row(2), t.row(3, document_number="", birth_on="2019-12-20", name="婴儿")]
    t.load(declaration, *rows)
    report = t.load(declaration, *rows, name="again")
    assert (report["imported"], report["unchanged"], report["duplicates"]) == (0, 3, 0)
    assert len(declaration.events("resident.registered")) == 1


def test_rows_that_were_taken_are_skipped_and_gaps_refused(declaration: Pump) -> None:
    t.load(declaration, t.row(1), t.row(2))
    report = t.load(declaration, t.row(2), t.row(3), first=2)
    assert (report["imported"], report["duplicates"], report["next_row"]) == (3, 0, 4)
    with pytest.raises(Conflict):
        t.load(declaration, t.row(9), first=9)
    with pytest.raises(Conflict):
        declaration.call("declaration.import_places", import_id="file", first_row=4, rows=[])
    kept = declaration.call("declaration.get_import", import_id="file")
    assert (kept["imported"], kept["next_row"]) == (3, 4)


def test_a_household_never_spans_two_chunks(declaration: Pump) -> None:
    rows = [
        t.row(n, household=f"h{n // 3}", room=f"r{n // 3:04d}", document_number=t.number(n))
        for n in range(450)
    ]
    t.load(declaration, *rows)
    events = declaration.events("resident.registered")
    assert [(e.chunk, e.chunks) for e in events] == [(1, 3), (2, 3), (3, 3)]
    homes = [{r.household_id for r in e.residents} for e in events]
    assert sum(map(len, homes)) == len(set().union(*homes))
    assert max(len(e.residents) for e in events) <= 200


def test_a_guardian_may_stand_in_a_later_row(declaration: Pump) -> None:
    child = t.row(1, document_number=t.number(1, "20180101"), guardian_document_number=t.number(2))
    report = t.load(declaration, child, t.row(2))
    assert report["rejected"] == []
    (event,) = declaration.events("resident.registered")
    minor, guardian = event.residents
    assert (minor.is_minor, minor.guardian_id) == (True, guardian.person_id)


def test_places_are_imported_with_their_gates(declaration: Pump) -> None:
    report = declaration.call(
        "declaration.import_places",
        import_id="places",
        first_row=1,
        rows=[
            {"path": f"{t.COMMUNITY}.e02", "name": "城中村", "community_type": "urban_village"},
            {"path": f"{t.COMMUNITY}.e02.b01", "name": "1巷2号", "exits": f"{t.COMMUNITY}.e02.g1"},
            {"path": f"{t.COMMUNITY}.e02.g1", "name": "牌坊"},
            {"path": f"{t.COMMUNITY}.e09.b01", "name": "无处可立"},
            {"path": "nowhere", "name": "x"},
            {"path": t.BUILDING, "name": "1栋", "exits": t.GATE, "floors": "30"},
            {"path": t.OTHER, "name": "2栋", "exits": t.GATE, "floors": "31"},
        ],
    )
    assert (report["imported"], report["unchanged"], report["refused"]) == (4, 1, 2)
    assert [r["row"] for r in report["rejected"]] == [5, 4]
    (amended,) = declaration.events("place.amended")
    assert (amended.path, amended.place.floors, amended.revision) == (t.OTHER, 31, 2)
    found = declaration.call("declaration.find_places", under=f"{t.COMMUNITY}.e02", limit=2)
    assert [p["path"][-3:] for p in found["places"]] == ["e02", "b01"]
    assert found["next"] is not None
