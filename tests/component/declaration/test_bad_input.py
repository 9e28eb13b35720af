"""What cannot be true is refused by field and reason at the RPC door, and nothing is stored."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from lianfang.errors import Conflict, InvalidPayload, LianfangError, NotFound
from lianfang.runtime.commands import answer
from lianfang.testing.pump import Pump
from tests.component.declaration import town as t


def stored(pump: Pump) -> int:
    database = pump.documents("declaration").database
    names = ("persons", "households", "residences", "declarations", "places", "outbox", "commands")
    return sum(database[name].count_documents({}) for name in names)


def refused(pump: Pump, form: Any) -> LianfangError:
    """The refusal of one form, which left nothing behind."""
    before = stored(pump)
    with pytest.raises(LianfangError) as found:
        pump.call("declaration.submit_declarations", forms=[t.form(77), form])
    assert stored(pump) == before
    assert pump.events("declaration.submitted") == []
    return found.value


_WRONG_CHECK = t.number(1)[:-1] + ("1" if t.number(1)[-1] != "1" else "2")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("basic__document_number", _WRONG_CHECK),
        ("basic__document_number", t.number(1, "19801301")),
        ("basic__document_number", t.number(1, "20300101")),
        ("basic__document_number", "123"),
        ("basic__birth_on", "1980-01-02"),
        ("basic__birth_on", "2020-02-04"),
        ("basic__gender", "male" if int(t.number(1)[16]) % 2 == 0 else "female"),
        ("basic__name", ""),
        ("basic__name", 5),
        ("basic__name", "长" * (1024 * 1024 // 3)),
        ("basic__name", "a\0b"),
        ("basic__document_type", "library_card"),
        ("health__in_home_quarantine_since", "2020-02-04"),
        ("health__temperature", "36.5"),
        ("health__temperature", 99),
        ("health__symptoms", "fever"),
        ("health__symptoms", ["boredom"]),
        ("residence__since_on", "2020-02-04"),
        ("residence__building", "4403.nanshan"),
        ("residence__building", "../etc"),
        ("residence__room", "!!"),
        ("residence__floor", True),
        ("other__statement_agreed", False),
        ("other__statement_agreed", "yes"),
        ("other__$where", "1"),
        ("other__shoe_size", 42),
    ],
)
def test_an_impossible_field_is_named(declaration: Pump, field: str, value: Any) -> None:
    error = refused(declaration, t.form(**{field: value}))
    assert isinstance(error, InvalidPayload)
    assert next(iter(error.context["fields"])).startswith("forms.1." + field.replace("__", "."))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"arrive_at": "2020-01-29T00:00:00+08:00"}, "arrive_at"),
        ({"depart_at": "2020-02-05T00:00:00+08:00", "arrive_at": None}, "depart_at"),
        ({"arrive_at": "2020-02-05T00:00:00+08:00"}, "arrive_at"),
        ({"depart_at": "2020-01-30T08:00:00"}, "depart_at"),
        ({"depart_at": "yesterday"}, "depart_at"),
        ({"mode": "dragon"}, "mode"),
        ({"row": 1.5}, "row"),
    ],
)
def test_an_impossible_leg_is_named(declaration: Pump, changes: Any, field: str) -> None:
    error = refused(declaration, t.form(person_type__legs=[t.leg(), t.leg(**changes)]))
    assert list(error.context["fields"]) == [f"forms.1.person_type.legs.1.{field}"]


def test_a_planned_leg_may_lie_in_the_future(declaration: Pump) -> None:
    later = t.leg(
        depart_at="2020-02-05T00:00:00+08:00", arrive_at="2020-02-05T02:00:00+08:00", planned=True
    )
    t.submit(declaration, t.form(person_type__legs=[later]))
    (event,) = declaration.events("resident.registered")
    assert event.residents[0].presence == "away"


def test_a_form_from_the_future_is_refused(declaration: Pump) -> None:
    error = refused(declaration, t.form(declared_at="2020-02-04T00:00:00+08:00"))
    assert list(error.context["fields"]) == ["forms.1.declared_at"]


def test_unknown_places_persons_and_households_are_not_found(declaration: Pump) -> None:
    for form, field in (
        (t.form(residence__building=f"{t.ENCLOSURE}.b99"), "residence.building"),
        (t.form(residence__household_id="nobody"), "residence.household_id"),
        (t.form(basic__person_id="nobody", basic__document_number=None), "basic.person_id"),
        (
            t.form(basic__proxy={"person_id": "nobody", "relationship": "son"}),
            "basic.proxy",
        ),
    ):
        error = refused(declaration, form)
        assert isinstance(error, NotFound)
        assert list(error.context["fields"]) == [f"forms.1.{field}"]


def test_a_place_stands_on_known_ground_behind_known_gates(declaration: Pump) -> None:
    before = stored(declaration)
    for place in (
        {"path": f"{t.COMMUNITY}.e77.b01", "name": "x"},
        {"path": f"{t.ENCLOSURE}.b03", "name": "x", "exits": [f"{t.ENCLOSURE}.g9"]},
    ):
        with pytest.raises(NotFound):
            declaration.call("declaration.register_place", places=[place])
    for place in ({"path": "x", "name": "x"}, {"path": f"{t.ENCLOSURE}.b03", "name": "x", "$a": 1}):
        with pytest.raises(InvalidPayload):
            declaration.call("declaration.register_place", places=[place])
    assert stored(declaration) == before


def test_a_lone_surrogate_is_named_by_its_field(declaration: Pump) -> None:
    driven = declaration.used["declaration"]
    form = json.loads(json.dumps(t.form(1)).replace("粤B12345", "ok"))
    form["other"]["workplace"] = "\ud800"
    document = {"forms": [copy.deepcopy(form)], "request_id": "r1"}
    with pytest.raises(InvalidPayload) as found:
        answer(
            driven.engine,
            driven.calls["submit_declarations"],
            driven.instance,
            document,
            "pump",
        )
    assert found.value.context["fields"] == {"forms.0.other.workplace": ["holds a lone surrogate"]}
    rows = {"import_id": "x", "first_row": 1, "rows": [t.row(name="\ud800")], "request_id": "r2"}
    with pytest.raises(InvalidPayload) as found:
        answer(driven.engine, driven.calls["import_residents"], driven.instance, rows, "pump")
    assert found.value.context["fields"] == {"rows.0": ["a cell holds a lone surrogate"]}


def test_more_forms_or_rows_than_a_call_may_carry_are_refused(declaration: Pump) -> None:
    with pytest.raises(InvalidPayload):
        t.submit(declaration, *[t.form(n) for n in range(201)])
    with pytest.raises(InvalidPayload):
        t.load(declaration, *[t.row(n) for n in range(1001)])
    for rows in ("text", [["a"]], [{"name": 5}], [{"name": "x" * 501}]):
        with pytest.raises(InvalidPayload):
            declaration.call("declaration.import_residents", import_id="x", first_row=1, rows=rows)


def test_the_same_request_gets_the_same_answer_and_another_is_a_conflict(
    declaration: Pump,
) -> None:
    def send(form: Any) -> Any:
        return declaration.call("declaration.submit_declaration", form=form, request_id="r1")

    assert send(t.form()) == send(t.form())
    assert len(declaration.events("declaration.submitted")) == 1
    with pytest.raises(Conflict):
        send(t.form(2))


def test_a_resident_from_the_future_or_of_no_guardian_is_refused(declaration: Pump) -> None:
    before = stored(declaration)
    good = {"room": "0101", "name": "住户"}
    for wrong, kind in (
        ({"stays_since": "2020-02-04T00:00:00+08:00"}, InvalidPayload),
        ({"guardian_id": "nobody"}, NotFound),
        ({"household_id": "nobody"}, NotFound),
        ({"document_number": "123"}, InvalidPayload),
    ):
        with pytest.raises(kind):
            declaration.call(
                "declaration.register_residents",
                building=t.BUILDING,
                residents=[good, good | wrong],
            )
    with pytest.raises(NotFound):
        declaration.call(
            "declaration.register_residents", building=f"{t.ENCLOSURE}.b99", residents=[good]
        )
    assert stored(declaration) == before


def test_what_nobody_stored_is_not_found(declaration: Pump) -> None:
    for method, key in (
        ("get_declaration", {"declaration_id": "x"}),
        ("get_import", {"import_id": "x"}),
        ("get_roll", {"building": f"{t.ENCLOSURE}.b99"}),
        ("request_correction", {"declaration_id": "x", "reason": "x"}),
    ):
        with pytest.raises(NotFound):
            declaration.call(f"declaration.{method}", **key)
    with pytest.raises(InvalidPayload):
        declaration.call("declaration.find_residents")
