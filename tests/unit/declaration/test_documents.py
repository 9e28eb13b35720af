"""Document numbers: one way of writing each, and the impossible ones refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import InvalidPayload
from services.declaration.domain.documents import (
    DocumentType,
    Gender,
    born_on,
    check,
    gender_of,
    mask_name,
    mask_number,
    mask_phone,
    normalise,
)

TODAY = date(2020, 2, 3)
#: The standard's own example.
EXAMPLE = "11010519491231002X"


def checked(number: str, kind: DocumentType = DocumentType.RESIDENT_ID) -> str:
    return check(kind, number, TODAY, "document_number")


def test_the_standards_example_is_right() -> None:
    assert checked(EXAMPLE) == EXAMPLE
    assert born_on(EXAMPLE) == date(1949, 12, 31)
    assert gender_of(EXAMPLE) is Gender.FEMALE


@pytest.mark.parametrize(
    "written",
    [
        "11010519491231002x",
        " 110105 19491231 002X ",
        "110105-19491231-002X",
        "１１０１０５19491231002Ｘ",
    ],
)
def test_a_number_has_one_way_of_being_written(written: str) -> None:
    assert checked(written) == EXAMPLE


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("110105194912310021", "check digit"),
        ("11010519491231002", "form"),
        ("A10105194912310021", "form"),
        ("110105194902300025", "birth date"),
    ],
)
def test_an_impossible_number_is_refused_without_repeating_it(number: str, reason: str) -> None:
    if reason == "birth date":
        weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
        total = sum(w * int(d) for w, d in zip(weights, number[:17], strict=True))
        number = number[:17] + "10X98765432"[total % 11]
    with pytest.raises(InvalidPayload) as refused:
        checked(number)
    assert reason in refused.value.message
    assert number not in str(refused.value.context)


@given(st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(position: int, shift: int) -> None:
    digit = str((int(EXAMPLE[position]) + shift) % 10)
    wrong = EXAMPLE[:position] + digit + EXAMPLE[position + 1 :]
    with pytest.raises(InvalidPayload):
        checked(wrong)


@given(st.text(max_size=40))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once or not once.isascii()


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (DocumentType.PASSPORT, "e12345678", "E1"),
        (DocumentType.HK_MACAO_PERMIT, "H12345678", "X12345678"),
        (DocumentType.TAIWAN_PERMIT, "12345678", "1234"),
        (DocumentType.OTHER, "军字12345", "$x"),
    ],
)
def test_other_documents_have_a_form(kind: DocumentType, right: str, wrong: str) -> None:
    assert checked(right, kind) == right.upper()
    with pytest.raises(InvalidPayload):
        checked(wrong, kind)


def test_masks_show_what_a_list_may_show() -> None:
    assert mask_name("张三丰") == "张*"
    assert mask_phone("13800001234") == "138****1234"
    assert mask_phone("110") == "****"
    assert mask_number(EXAMPLE) == "1" + "*" * 16 + "X"
