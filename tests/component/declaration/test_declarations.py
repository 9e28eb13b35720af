"""Forms become persons, residences and declarations, and are announced without personal data."""

from __future__ import annotations

import pytest

from lianfang.errors import InvalidPayload
from lianfang.testing.pump import Pump
from tests.component.declaration import town as t


def test_a_form_registers_the_person_and_is_announced(declaration: Pump) -> None:
    (answer,) = t.submit(declaration, t.form())
    (event,) = declaration.events("declaration.submitted")
    assert (event.declaration_id, event.person_id) == (
        answer["declaration_id"],
        answer["person_id"],
    )
    assert (event.revision, event.building, event.legs[0].number) == (1, t.BUILDING, "CZ3456")
    (registered,) = declaration.events("resident.registered")
    (resident,) = registered.residents
    assert (resident.room, resident.presence, resident.needs) == ("r0101", "present", ("pet",))
    (found,) = declaration.call("declaration.find_residents", document_number=t.number(1))[
        "residents"
    ]
    assert found["person_id"] == answer["person_id"]
    assert found["name_masked"] == "申*"


def test_a_resubmission_is_the_next_revision_of_the_same_declaration(declaration: Pump) -> None:
    (first,) = t.submit(declaration, t.form())
    (second,) = t.submit(declaration, t.form(health__symptoms=["fever"]))
    assert second == first | {"revision": 2}
    assert [e.revision for e in declaration.events("declaration.submitted")] == [1, 2]
    assert len(declaration.events("resident.registered")) == 1


def test_a_number_is_the_same_however_it_is_written(declaration: Pump) -> None:
    number = t.number(1)
    wide = "".join(chr(ord(c) + 0xFEE0) for c in number[:6]) + " " + number[6:].lower()
    (first,) = t.submit(declaration, t.form())
    (second,) = t.submit(declaration, t.form(basic__document_number=wide))
    assert second["person_id"] == first["person_id"]


def test_declaring_from_elsewhere_moves_the_person(declaration: Pump) -> None:
    (first,) = t.submit(declaration, t.form())
    (second,) = t.submit(declaration, t.form(residence={"building": t.OTHER, "room": "1502"}))
    (moved,) = declaration.events("resident.moved")
    assert (moved.person_id, moved.revision) == (first["person_id"], 1)
    assert (moved.ended.household_id, moved.ended.ended_at) == (first["household_id"], t.NOW)
    assert (moved.began.building, moved.began.room) == (t.OTHER, "r1502")
    assert second["household_id"] == moved.began.household_id
    (here,) = declaration.call("declaration.find_residents", person_id=first["person_id"])[
        "residents"
    ]
    assert here["building"] == t.OTHER


def test_a_grown_up_co_resident_declares_for_a_child_without_document(declaration: Pump) -> None:
    child = t.form(
        basic={
            "name": "小朋友",
            "birth_on": "2019-05-01",
            "proxy": {"document_number": t.number(1), "relationship": "mother"},
        }
    )
    adult, infant = t.submit(declaration, t.form(), child)
    assert infant["household_id"] == adult["household_id"]
    assert infant["person_id"] != adult["person_id"]
    events = {e.person_id: e for e in declaration.events("declaration.submitted")}
    assert events[infant["person_id"]].proxy_person_id == adult["person_id"]
    (again,) = t.submit(declaration, child)
    assert again == infant | {"revision": 2}
    (registered,) = declaration.events("resident.registered")
    assert [r.is_minor for r in registered.residents] == [False, True]


def test_nobody_declares_for_people_of_another_home_or_as_a_child(declaration: Pump) -> None:
    t.submit(declaration, t.form(), t.form(2, basic__document_number=t.number(2, "20100101")))
    for proxy in (t.number(1), t.number(2, "20100101")):
        room = "r0102" if proxy == t.number(1) else "r0101"
        with pytest.raises(InvalidPayload) as refused:
            t.submit(
                declaration,
                t.form(
                    3,
                    basic__proxy={"document_number": proxy, "relationship": "friend"},
                    residence__room=room,
                ),
            )
        assert list(refused.value.context["fields"]) == ["forms.0.basic.proxy"]


def test_a_private_cars_plate_is_not_published(declaration: Pump) -> None:
    car = t.leg(mode="car", number="粤B88888", row=None)
    t.submit(declaration, t.form(person_type__legs=[car]))
    (event,) = declaration.events("declaration.submitted")
    assert event.legs[0].number is None


def test_nothing_personal_leaves_the_sealed_fields(declaration: Pump) -> None:
    t.submit(declaration, t.form())
    t.load(declaration, t.row(2))
    secrets = [
        t.number(1), t.number(2), "申报人1", "住户2", "13800000001", "13800000002", "13900001111",
        "联系人甲", "黄山", "某科技有限公司", "粤B12345",
    ]  # fmt: skip
    documents = declaration.documents("declaration")
    text = "".join(
        str(document)
        for name in documents.database.list_collection_names()
        for document in documents.database[name].find()
    )
    wire = "".join(str(envelope.data) for envelope in declaration.envelopes())
    for secret in secrets:
        assert secret not in text
        assert secret not in wire


def test_a_correction_is_asked_for_and_settled_by_the_next_form(declaration: Pump) -> None:
    (taken,) = t.submit(declaration, t.form())
    key = {"declaration_id": taken["declaration_id"]}
    declaration.call("declaration.request_correction", reason="航班号看不清", **key)
    asked = declaration.call("declaration.get_declaration", **key)
    assert asked["correction_asked_at"] is not None
    assert asked["document_number_masked"].startswith("9****")
    t.submit(declaration, t.form())
    assert declaration.call("declaration.get_declaration", **key)["correction_asked_at"] is None


def test_declarations_are_found_by_place_and_page(declaration: Pump) -> None:
    t.submit(declaration, *[t.form(n, residence__room=f"r01{n:02d}") for n in range(1, 6)])
    first = declaration.call("declaration.find_declarations", place=t.BUILDING, limit=3)
    rest = declaration.call(
        "declaration.find_declarations", place=t.BUILDING, limit=3, after=first["next"]
    )
    assert (len(first["declarations"]), len(rest["declarations"]), rest["next"]) == (3, 2, None)
    assert declaration.call("declaration.find_declarations", place=t.OTHER)["declarations"] == []
    one = declaration.call(
        "declaration.find_declarations", person_id=first["declarations"][0]["person_id"]
    )
    assert len(one["declarations"]) == 1


def test_coverage_counts_who_declared_and_where_they_are(declaration: Pump) -> None:
    t.load(declaration, t.row(1), t.row(2, presence="away", household="h2", room="r0102"))
    t.submit(declaration, t.form(1))
    assert declaration.call("declaration.get_coverage", place=t.COMMUNITY) == {
        "residents": 2,
        "households": 2,
        "declared": 1,
        "present": 1,
        "away": 1,
        "unknown": 0,
    }
