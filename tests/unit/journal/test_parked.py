from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import IllegalTransition
from services.journal.domain.masking import MASK, masked_log, masked_parked
from services.journal.domain.parked import (
    DELIVERY_LIMIT,
    ORIGIN_GONE,
    Arrival,
    ParkedMessage,
    ParkedState,
    arrival_of,
    discard,
    is_victim,
    park,
    refuse,
    replay,
    settle,
)

START = datetime(2020, 2, 3, 1, tzinfo=UTC)
ARRIVAL = Arrival(
    origin="q.isolation.cases",
    reason="bug",
    error="KeyError",
    stack="abc",
    tries=1,
    type="case.confirmed",
    message_id="m1",
)


def arrive(known: ParkedMessage | None = None, at: datetime = START) -> ParkedMessage:
    return park(known, ARRIVAL, parked_id="p", sealed=b"x", size=1, at=at)


def test_the_way_of_a_replayed_message_that_comes_back() -> None:
    first = arrive()
    replaying, said = replay(first, by="medic", at=START)
    back = arrive(replaying, START + timedelta(minutes=1))
    assert [first.state, replaying.state, back.state] == ["parked", "replaying", "parked"]
    assert back.attempt == 2
    assert back.sealed == first.sealed
    assert said[0].revision == replaying.revision


def test_one_that_comes_back_after_all_is_parked_all_the_same() -> None:
    replaying, _ = replay(arrive(), by="medic", at=START)
    replayed = settle(replaying)
    assert replayed.state is ParkedState.REPLAYED
    assert arrive(replayed).attempt == 2


def test_a_word_ends_what_is_parked_or_under_way_and_nothing_else() -> None:
    parked = arrive()
    gone, _ = discard(parked, by="medic", reason="a test", at=START)
    replaying, _ = replay(parked, by="medic", at=START)
    assert [settle(m).state for m in (parked, replaying, gone)] == [
        "replayed",
        "replayed",
        "discarded",
    ]
    assert settle(gone) is gone


def test_a_replay_without_a_queue_is_parked_as_it_was_and_says_so() -> None:
    replaying, _ = replay(arrive(), by="medic", at=START)
    back = refuse(replaying, "there is no queue q.isolation.cases")
    assert (back.state, back.reason, back.attempt) == ("parked", ORIGIN_GONE, 1)
    assert "no queue" in back.error
    assert back.sealed == replaying.sealed
    replayed = settle(replaying)
    assert refuse(replayed, "late") is replayed


def test_a_victim_is_replayed_by_itself_once() -> None:
    first = replace(arrive(), reason=DELIVERY_LIMIT)
    assert is_victim(first)
    replaying, _ = replay(first, by="journal", at=START)
    assert not is_victim(replaying)
    again = park(
        replaying,
        replace(ARRIVAL, reason=DELIVERY_LIMIT),
        parked_id="p",
        sealed=b"x",
        size=1,
        at=START,
    )
    assert (again.state, again.attempt) == ("parked", 2)
    assert not is_victim(again), "from here on it is a person's"
    assert not is_victim(arrive()), "it was not the broker who gave up"
    assert not is_victim(replace(first, origin="unknown"))


def test_what_is_done_or_discarded_can_be_neither_replayed_nor_discarded() -> None:
    gone, _ = discard(arrive(), by="medic", reason="a test", at=START)
    done = settle(replay(arrive(), by="medic", at=START)[0])
    for message in (gone, done):
        with pytest.raises(IllegalTransition):
            replay(message, by="medic", at=START)
        with pytest.raises(IllegalTransition):
            discard(message, by="medic", reason="a test", at=START)
    assert arrive(gone) is gone


def test_a_replay_that_seems_lost_may_be_sent_again_and_not_discarded() -> None:
    replaying, _ = replay(arrive(), by="medic", at=START)
    again, said = replay(replaying, by="another", at=START)
    assert (again.state, again.replayed_by, again.attempt) == ("replaying", "another", 1)
    assert said[0].revision == again.revision == replaying.revision + 1
    with pytest.raises(IllegalTransition):
        discard(replaying, by="medic", reason="a test", at=START)


def test_the_brokers_own_words_tell_the_origin_of_a_delivery_limit_death() -> None:
    death = {"x-death": [{"queue": "q.dispatch.causes", "reason": "delivery_limit", "count": 1}]}
    arrival = arrival_of(death, "bytes-id")
    assert (arrival.origin, arrival.reason) == ("q.dispatch.causes", "delivery_limit")
    assert arrival.message_id == "bytes-id"


@given(
    st.dictionaries(
        st.sampled_from(["x-origin", "x-death", "x-attempt", "x-error", "x-type", "other"]),
        st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.binary(),
    )
)
def test_whatever_the_headers_hold_the_message_is_taken(headers: dict) -> None:
    arrival = arrival_of(headers, "m")
    assert arrival.origin
    assert arrival.reason


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "zhangsan"),
        ("note", "张三"),
        ("person_id", "440301199001011234"),
        ("phone", 13800138000),
        ("phone", "13800138000"),
        ("address", "南山区星海名城"),
        ("type", "Zhang San"),
        ("parts", [1, "张三"]),
    ],
)
def test_a_parked_message_shows_nothing_that_may_tell_a_person(key: str, value: object) -> None:
    shown = masked_parked({key: value})[key]
    assert shown == ([1, MASK] if isinstance(value, list) else MASK)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("id", "9d3ec2c7-6a8e-4f2e-8a53-0a4f0e1c7d11"),
        ("type", "case.confirmed"),
        ("time", "2020-02-03T01:00:00.123Z"),
        ("onset_on", "2020-02-03"),
        ("place", "4403.nanshan.440305001.440305001012.e03.b07"),
        ("dataschema", "urn:lianfang:case.confirmed/v1"),
        ("temperature", 38.2),
        ("planned", True),
        ("unit", None),
    ],
)
def test_a_parked_message_shows_what_can_tell_nobody(key: str, value: object) -> None:
    assert masked_parked({key: value}) == {key: value}


def test_a_room_is_cut_from_a_place() -> None:
    room = "4403.nanshan.440305001.440305001012.e03.b07.u2.r1203"
    assert masked_parked({"place": room})["place"].endswith(".b07")


def test_keys_are_masked_too() -> None:
    assert masked_parked({"张三": 1, "440301199001011234": 1, "fine": 1}) == {MASK: 1, "fine": 1}


def test_the_log_hides_rooms_of_residents_and_leaves_other_events_alone() -> None:
    data = {"residents": [{"room": "x.r1", "floor": 3, "unit": None, "person_id": "p"}]}
    masked = {"residents": [{"room": MASK, "floor": MASK, "unit": None, "person_id": "p"}]}
    assert masked_log("resident.registered", data) == masked
    assert masked_log("case.confirmed", data) is data
    assert masked_log("never.heard", {"name": "张三"}) == {"name": MASK}


@given(
    st.recursive(st.text() | st.integers(), lambda i: st.lists(i) | st.dictionaries(st.text(), i))
)
def test_no_text_of_a_person_survives_masking(document: object) -> None:
    shown = str(masked_parked({"a": document}))
    assert not any("一" <= letter <= "鿿" for letter in shown)
