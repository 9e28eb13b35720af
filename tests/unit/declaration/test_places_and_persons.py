"""Places and persons: segments as people write them, revisions, ages, links."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from lianfang.errors import Conflict, InvalidPayload
from lianfang.places import Level
from services.declaration.domain.documents import DocumentType
from services.declaration.domain.importing import KEPT, Import, Refusal, Tally, advanced, begin
from services.declaration.domain.person import Identifier, Person, is_minor, linked
from services.declaration.domain.place import Place, amended, common, segment


@pytest.mark.parametrize(
    ("written", "room"),
    [("r1203", "r1203"), ("1203", "r1203"), ("12-03", "r1203"), ("R 1203A", "r1203a")],
)
def test_a_room_has_one_segment(written: str, room: str) -> None:
    assert segment("r", written, "room") == room


@pytest.mark.parametrize("written", ["", "--", "r", "1" * 13, "地下室"])
def test_what_names_no_room_is_refused(written: str) -> None:
    with pytest.raises(InvalidPayload):
        segment("r", written, "room")


def test_an_amended_place_has_the_next_revision() -> None:
    known = Place(path="4403", name="深圳", level=Level.CITY)
    assert amended(known, known) is None
    assert amended(None, known) is known
    other = amended(known, replace(known, name="深圳市"))
    assert other is not None
    assert other.revision == 2


def test_the_common_place_is_by_segment() -> None:
    assert common(["4403.nanshan.440305001", "4403.nanshan.440305002"]) == "4403.nanshan"
    assert common(["4403.nanshan"]) == "4403.nanshan"


@pytest.mark.parametrize(
    ("born", "minor"),
    [(date(2002, 2, 3), False), (date(2002, 2, 4), True), (None, False), (date(2004, 2, 29), True)],
)
def test_a_minor_is_under_eighteen(born: date | None, minor: bool) -> None:
    assert is_minor(born, date(2020, 2, 3)) is minor


def test_a_document_is_linked_once() -> None:
    passport = Identifier(document_type=DocumentType.PASSPORT, fingerprint="f")
    person = linked(Person(person_id="p", sealed=b"", facts=""), passport)
    assert person.fingerprints == ("f",)
    assert linked(person, passport) is person


def test_an_import_goes_on_where_it_stopped_and_keeps_the_last_refusals() -> None:
    tally = Tally(imported=3)
    for n in range(KEPT + 5):
        tally.refuse(Refusal(row=n, field="name", code="invalid_payload", reason="is missing"))
    after = advanced(begin(None, "f", "residents", 1), KEPT + 9, tally)
    assert (after.next_row, after.imported, after.refused) == (KEPT + 9, 3, KEPT + 5)
    assert (len(after.rejected), after.rejected[-1].row) == (KEPT, KEPT + 4)
    assert begin(after, "f", "residents", 1) is after
    with pytest.raises(Conflict):
        begin(after, "f", "places", 1)
    with pytest.raises(Conflict):
        begin(Import(import_id="f", kind="residents"), "f", "residents", 2)
