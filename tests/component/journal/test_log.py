from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from lianfang.errors import InvalidPayload, NotFound
from lianfang.events.declaration import ResidentRegistered, ResidentSnapshot
from lianfang.events.journal import MessageDiscarded
from lianfang.testing.pump import Pump
from services.journal.domain.masking import MASK
from services.journal.store import EVENTS

START = datetime(2020, 2, 3, 1, tzinfo=UTC)
COMMUNITY = "4403.nanshan.440305001.440305001012"
BUILDING = f"{COMMUNITY}.e03.b07"


@pytest.fixture
def journal(pump: Pump) -> Pump:
    pump.use("journal")
    pump.now = START
    return pump


def discarded(n: int, **changes: Any) -> MessageDiscarded:
    fields = {"origin": "q.isolation.cases", "by": "李队长", "reason": "test", "at": START}
    return MessageDiscarded(parked_id=f"parked-{n}", **{**fields, **changes})


def ids(answer: dict[str, Any]) -> list[str]:
    return [event["event_id"] for event in answer["events"]]


def test_an_event_delivered_three_times_is_kept_once(journal: Pump) -> None:
    said = [journal.publish(discarded(n), BUILDING) for n in range(5)]
    journal.settle(seed=1, copies=3)
    assert journal.documents("journal").count(EVENTS, {}) == 5
    (kept,) = journal.call("journal.find_events", subject="parked-3")["events"]
    assert kept["event_id"] == said[3].id
    assert kept["data"]["reason"] == "test"
    assert kept["place"] == BUILDING


def test_a_trace_tells_what_one_beginning_started_in_the_order_of_time(journal: Pump) -> None:
    said = []
    for n in range(3):
        journal.now = START + timedelta(minutes=n)
        said.append(journal.publish(discarded(n), BUILDING, correlation_id="case-1").id)
    journal.publish(discarded(9), BUILDING, correlation_id="case-2")
    journal.settle(seed=4)
    assert ids(journal.call("journal.get_trace", correlation_id="case-1")) == said


def test_a_chain_leads_from_the_first_cause_to_the_event(journal: Pump) -> None:
    first = journal.publish(discarded(1), BUILDING, causation_id="some-command")
    second = journal.publish(discarded(2), BUILDING, causation_id=first.id)
    third = journal.publish(discarded(3), BUILDING, causation_id=second.id)
    journal.settle()
    chain = journal.call("journal.get_chain", event_id=third.id)
    assert ids(chain) == [first.id, second.id, third.id]
    looked = journal.call("journal.get_event", event_id=first.id)
    assert ids({"events": looked["led_to"]}) == [second.id]


def test_a_circle_of_causes_ends(journal: Pump) -> None:
    one = journal.publish(discarded(1), BUILDING, causation_id="itself")
    journal.settle()
    row = journal.documents("journal").raw("events")
    row.update_one({"_id": one.id}, {"$set": {"causation_id": one.id}})
    assert ids(journal.call("journal.get_chain", event_id=one.id)) == [one.id]


def test_pages_go_from_the_newest_to_the_oldest_without_gap_or_repeat(journal: Pump) -> None:
    said = []
    for n in range(7):
        journal.now = START + timedelta(minutes=n // 2)
        said.append(journal.publish(discarded(n), BUILDING).id)
    journal.settle()
    seen, after = [], None
    while True:
        page = journal.call("journal.find_events", place=COMMUNITY, limit=3, after=after)
        seen += ids(page)
        after = page["next"]
        if after is None:
            break
    assert sorted(seen) == sorted(said)
    times = [said.index(event_id) // 2 for event_id in seen]
    assert times == sorted(times, reverse=True)


def test_a_place_finds_what_lies_below_it_and_no_neighbour(journal: Pump) -> None:
    here = journal.publish(discarded(1), BUILDING).id
    journal.publish(discarded(2), f"{COMMUNITY}.e03.b071")
    journal.settle()
    assert ids(journal.call("journal.find_events", place=BUILDING)) == [here]
    assert len(journal.call("journal.find_events", place=COMMUNITY)["events"]) == 2


def test_types_and_spans_of_time_select(journal: Pump) -> None:
    journal.publish(discarded(1), BUILDING)
    journal.now = START + timedelta(hours=2)
    late = journal.publish(discarded(2), BUILDING).id
    journal.settle()
    since = (START + timedelta(hours=1)).isoformat()
    found = journal.call("journal.find_events", type="message.discarded", from_at=since)
    assert ids(found) == [late]
    assert ids(journal.call("journal.find_events", type="case.confirmed")) == []


def test_the_flow_counts_types_and_minutes_of_the_last_busy_hour(journal: Pump) -> None:
    journal.publish(discarded(0), BUILDING)
    for n in range(1, 4):
        journal.now = START + timedelta(hours=3, minutes=n // 2)
        journal.publish(discarded(n), BUILDING)
    journal.settle()
    flow = journal.call("journal.get_flow", place=COMMUNITY)
    assert flow["types"] == [{"type": "message.discarded", "count": 3}]
    assert [minute["count"] for minute in flow["minutes"]] == [1, 2]
    assert journal.call("journal.get_flow", place="4403.luohu") == {"types": [], "minutes": []}


def test_the_log_keeps_no_room(journal: Pump) -> None:
    resident = ResidentSnapshot(
        residence_id="r1",
        person_id="p1",
        household_id="h1",
        building=BUILDING,
        room=f"{BUILDING}.u2.r1203",
        unit=f"{BUILDING}.u2",
        floor=12,
        revision=1,
    )
    event = ResidentRegistered(batch_id="b1", building=BUILDING, residents=(resident,))
    journal.publish(event, BUILDING)
    journal.settle()
    (kept,) = journal.call("journal.find_events", type="resident.registered")["events"]
    (shown,) = kept["data"]["residents"]
    assert [shown["room"], shown["unit"], shown["floor"]] == [MASK] * 3
    assert shown["person_id"] == "p1"
    (document,) = journal.documents("journal").raw("events").find()
    assert b"r1203" not in bytes(document["data"])


def test_an_event_of_an_unknown_type_is_kept_with_its_shape_only(journal: Pump) -> None:
    journal.publish(discarded(1), BUILDING)
    body = orjson.dumps(
        {
            "specversion": "1.0",
            "id": "later-1",
            "source": "/4403/nanshan/gateway",
            "type": "visitor.admitted",
            "dataschema": "urn:lianfang:visitor.admitted/v1",
            "subject": "v1",
            "time": START.isoformat(),
            "correlationid": "v1",
            "causationid": "v1",
            "place": BUILDING,
            "data": {"visitor": "张三", "count": 2},
        }
    )
    journal.send(body, f"visitor.admitted.{BUILDING}")
    journal.settle()
    (kept,) = journal.call("journal.find_events", type="visitor.admitted")["events"]
    assert kept["data"] == {"visitor": MASK, "count": 2}
    assert journal.parked() == []


def test_a_wrong_cursor_is_refused_by_name(journal: Pump) -> None:
    operators = "W2ZhbHNlLHsiJGd0IjoxfSx7IiRndCI6MX1d"  # [false,{"$gt":1},{"$gt":1}]
    for after in ("nonsense", "e30=", operators):
        with pytest.raises(InvalidPayload) as caught:
            journal.call("journal.find_events", after=after)
        assert "after" in caught.value.context["fields"]


def test_what_is_not_there_is_not_found(journal: Pump) -> None:
    with pytest.raises(NotFound):
        journal.call("journal.get_chain", event_id="nothing")


def test_the_data_of_large_events_is_left_out_of_a_list_and_shown_alone(journal: Pump) -> None:
    for n in range(4):
        journal.publish(discarded(n, reason="长" * 60_000), BUILDING)
    journal.settle()
    events = journal.call("journal.get_trace", correlation_id="parked-0")["events"]
    assert events[0]["data"] is not None
    found = journal.call("journal.find_events")["events"]
    assert [event["data"] is None for event in found] == [False, False, True, True]
    last = found[-1]
    alone = journal.call("journal.get_event", event_id=last["event_id"])["event"]
    assert len(orjson.dumps(alone["data"])) == last["data_bytes"]


def test_the_first_page_of_a_large_log_comes_at_once(journal: Pump) -> None:
    stored = journal.documents("journal").raw("events")
    place = [f"4403.nanshan.440305001.44030500101{n}.e03.b0{n}" for n in range(8)]
    stored.insert_many(
        [
            {
                "_id": f"e{n}",
                "type": "message.discarded" if n % 3 else "message.replayed",
                "dataschema": "urn:lianfang:message.discarded/v1",
                "source": "/4403/nanshan/journal",
                "subject": f"s{n // 4}",
                "at": START + timedelta(seconds=n),
                "recorded_at": START,
                "correlation_id": f"c{n // 100}",
                "causation_id": f"e{n - 1}",
                "place": place[n % 8],
                "data": b"{}",
                "traceparent": None,
            }
            for n in range(30_000)
        ],
        ordered=False,
    )
    started = time.monotonic()
    journal.call("journal.find_events", place="4403.nanshan", limit=50)
    journal.call("journal.find_events", place=place[3], type="message.replayed", limit=50)
    journal.call("journal.find_events", subject="s77")
    journal.call("journal.get_trace", correlation_id="c7")
    assert time.monotonic() - started < 0.5
