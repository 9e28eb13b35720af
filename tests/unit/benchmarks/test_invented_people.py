"""What the benchmark sends is what the services take, so that it measures work and not refusals."""

from __future__ import annotations

from datetime import UTC, date, datetime

from benchmarks import forms, report
from benchmarks.town import HOUSEHOLDS, RESIDENTS, Town
from lianfang.places import check
from lianfang.schemas.compiled import load
from services.declaration.domain.form import check as check_form
from services.declaration.schemas.forms import SubmitDeclarationsRequest

NOW = datetime(2020, 2, 14, tzinfo=UTC)


def test_every_form_of_a_call_is_full_and_true() -> None:
    (call,) = forms.calls("bench", forms.CALL, 2_000_000)
    taken = load(SubmitDeclarationsRequest(), {"forms": call})["forms"]
    numbers = {check_form(form, NOW, date(2020, 2, 14), "form.").number for form in taken}
    assert len(numbers) == forms.CALL
    assert all(len(form.person_type.legs) == 3 for form in taken)


def test_every_place_is_well_formed_and_stands_on_one_that_comes_before() -> None:
    for places in (forms.places("bench"), Town("bench", 11).places()):
        known = {"4403.bench"}
        for place in places:
            assert check(place["path"]).rpartition(".")[0] in known
            known.add(place["path"])


def test_a_building_has_two_thousand_residents_in_seven_hundred_households() -> None:
    rows = list(Town("bench", 1).rows(0))
    assert len({row["document_number"] for row in rows}) == RESIDENTS
    assert len({row["household"] for row in rows}) == HOUSEHOLDS


def test_no_two_runs_invent_the_same_person() -> None:
    assert len({forms.document_number(n) for n in range(0, 3_000_000, 1_009)}) == 2_974


def test_the_table_says_which_bars_are_met() -> None:
    met = {bar.key: bar.met(bar.bar) for bar in report.BARS}
    assert set(met.values()) == {True}
    assert not report.BARS[0].met(report.BARS[0].bar - 0.01)
