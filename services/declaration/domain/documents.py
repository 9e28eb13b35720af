"""Identity documents: how a number is normalised and which numbers are impossible.

Resident ID: GB 11643-1999, 18 characters with a check digit; foreign permanent residents' cards
use the same check. Of other documents only the form is checked.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from enum import StrEnum

from lianfang.errors import InvalidPayload

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SEPARATORS = re.compile(r"[\s\-·.]+")


class DocumentType(StrEnum):
    """The documents that the form lists."""

    RESIDENT_ID = "resident_id"
    PASSPORT = "passport"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    OTHER = "other"


class Gender(StrEnum):
    """As written on the document."""

    FEMALE = "female"
    MALE = "male"
    OTHER = "other"


_FORMS = {
    DocumentType.RESIDENT_ID: re.compile(r"[1-9]\d{16}[\dX]"),
    DocumentType.PASSPORT: re.compile(r"[A-Z0-9]{5,17}"),
    DocumentType.HK_MACAO_PERMIT: re.compile(r"[HMC]\d{8,10}"),
    DocumentType.TAIWAN_PERMIT: re.compile(r"[A-Z]?\d{7,10}"),
    DocumentType.OTHER: re.compile(r"[\w]{3,30}"),
}


def normalise(number: str) -> str:
    """Half-width capitals without separators: the one way of writing a number."""
    if not number.isascii():
        number = unicodedata.normalize("NFKC", number)
    if not number.isalnum():
        number = _SEPARATORS.sub("", number)
    return number.upper()


def check(document_type: DocumentType, number: str, today: date, field: str) -> str:
    """The normalised number, when such a document can exist on `today`.

    Raises:
        InvalidPayload: naming `field` and what is impossible; the number itself is not repeated.
    """
    normal = normalise(number)
    if not _FORMS[document_type].fullmatch(normal):
        raise InvalidPayload.of(field, f"has not the form of a {document_type}")
    if document_type is DocumentType.RESIDENT_ID:
        total = sum(w * int(d) for w, d in zip(_WEIGHTS, normal, strict=False))
        if _CHECK[total % 11] != normal[-1]:
            raise InvalidPayload.of(field, "has a wrong check digit")
        born = born_on(normal)
        if born is None or born > today:
            raise InvalidPayload.of(field, "has an impossible birth date")
    return normal


def born_on(resident_id: str) -> date | None:
    """The birth date in a resident ID number, or None when there is no such day."""
    try:
        return date(int(resident_id[6:10]), int(resident_id[10:12]), int(resident_id[12:14]))
    except ValueError:
        return None


def gender_of(resident_id: str) -> Gender:
    """Odd sequence numbers are men's."""
    return Gender.MALE if int(resident_id[16]) % 2 else Gender.FEMALE


def mask_name(name: str) -> str:
    """The family name only."""
    return f"{name[:1]}*"


def mask_number(number: str) -> str:
    """The first and the last character."""
    return f"{number[:1]}{'*' * max(0, len(number) - 2)}{number[-1:]}"


def mask_phone(phone: str) -> str:
    """Three digits, four stars, four digits."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 7 else "****"  # noqa: PLR2004
