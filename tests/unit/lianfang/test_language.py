"""Envelope, days, errors and the catalogue of events."""

from __future__ import annotations

import inspect
import re
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang import errors, vocabulary
from lianfang.days import at, day_of, end_of, to_milliseconds
from lianfang.envelope import natural_id, routing_key
from lianfang.errors import BY_CODE, InvalidPayload, LianfangError, Rejected, Retryable
from lianfang.events import BY_TYPE, event_id
from lianfang.events.journal import MessageDiscarded

START = datetime(2020, 2, 3, 1, tzinfo=UTC)


def discarded(**changes: object) -> MessageDiscarded:
    fields = {"parked_id": "p", "origin": "q", "by": "x", "reason": "y", "at": START}
    return MessageDiscarded(**{**fields, **changes})


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_the_same_parts_always_give_the_same_id(parts: list[str]) -> None:
    assert natural_id(*parts) == natural_id(*parts)
    assert natural_id(*parts) != natural_id(*parts, "more")


def test_an_id_is_a_function_of_subject_and_revision_and_of_nothing_else() -> None:
    assert event_id(discarded()) == event_id(discarded(reason="another", by="somebody"))
    assert event_id(discarded()) != event_id(discarded(revision=2))
    assert event_id(discarded()) != event_id(discarded(parked_id="other"))


def test_a_routing_key_stops_at_the_building() -> None:
    room = "4403.nanshan.440305001.440305001012.e03.b07.u2.r1203"
    assert routing_key("case.confirmed", room) == f"case.confirmed.{room[: -len('.u2.r1203')]}"


def test_a_day_begins_at_midnight_in_shanghai() -> None:
    assert day_of(datetime(2020, 2, 2, 15, 59, tzinfo=UTC)) == date(2020, 2, 2)
    assert day_of(datetime(2020, 2, 2, 16, 0, tzinfo=UTC)) == date(2020, 2, 3)
    assert end_of(date(2020, 2, 16)) == datetime(2020, 2, 16, 16, tzinfo=UTC)
    assert at(date(2020, 2, 3), 9) == START


@given(st.datetimes(timezones=st.just(timezone(timedelta(hours=8)))))
def test_instants_are_cut_to_whole_milliseconds_in_utc(instant: datetime) -> None:
    try:
        cut = to_milliseconds(instant)
    except OverflowError:
        return
    assert cut.tzinfo is UTC
    assert timedelta(0) <= instant - cut < timedelta(milliseconds=1)
    assert to_milliseconds(cut) == cut


def test_every_error_has_a_stable_code_of_its_own_and_says_whether_to_try_again() -> None:
    classes = [
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, LianfangError) and cls is not LianfangError
    ]
    assert {cls.code for cls in classes} == set(BY_CODE)
    assert len({cls.code for cls in classes}) == len(classes)
    assert not any(issubclass(cls, Rejected) and issubclass(cls, Retryable) for cls in classes)


def test_an_invalid_payload_names_its_field() -> None:
    error = InvalidPayload.of("onset_on", "lies in the future")
    assert error.context == {"fields": {"onset_on": ["lies in the future"]}}
    assert "onset_on" in error.message


def test_an_error_is_rebuilt_from_what_the_wire_carries() -> None:
    error = InvalidPayload.of("a", "b")
    again = BY_CODE[error.code](error.message, error.context)
    assert (type(again), str(again), again.context) == (type(error), str(error), error.context)


@pytest.mark.parametrize("event", BY_TYPE.values(), ids=lambda event: event.TYPE)
def test_an_event_is_named_by_two_words_and_knows_its_subject(event: type) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", event.TYPE)
    assert event.SUBJECT in event.__dataclass_fields__
    assert event.__doc__


def test_words_of_the_language_are_lower_case_on_the_wire() -> None:
    for _, kind in inspect.getmembers(vocabulary, inspect.isclass):
        if kind.__module__ == vocabulary.__name__:
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", member.value) for member in kind), kind
