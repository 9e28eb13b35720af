"""What may be recorded at a door, when, and what of it may still change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload
from lianfang.events.dispatch import StopPerson
from lianfang.vocabulary import StopOutcome
from services.dispatch.domain.rounds import Round, open_rounds
from services.dispatch.domain.stops import Entry, Stop, check_entry, record
from tests.unit.dispatch.builders import BUILDING, NOW, RULES, SEAL, TODAY, household, order

ROUNDS = open_rounds(SEAL, RULES, NOW, TODAY, opened_by="e")
LUNCH = next(r for r in ROUNDS if r.slot == "lunch")
HEAD_COUNT = ROUNDS[0]
DONE, PARTLY, MISSED = StopOutcome.DONE, StopOutcome.PARTLY_DONE, StopOutcome.MISSED
TOMORROW = NOW + timedelta(days=1)


def entry(outcome: StopOutcome = DONE, **facts: Any) -> Entry:
    known: dict[str, Any] = {"household_id": "h1", "recorded_at": NOW, "reason": "no_access"}
    return Entry(**{**known, "outcome": outcome, **facts})


def recorded(before: Stop | None, said: Entry, round_: Round = LUNCH, now: Any = TOMORROW) -> Stop:
    return record(before, said, round_, BUILDING, "w", now)


@pytest.mark.parametrize("first", StopOutcome)
@pytest.mark.parametrize("second", StopOutcome)
def test_within_the_round_a_stop_only_gets_better(first: StopOutcome, second: StopOutcome) -> None:
    before = recorded(None, entry(first), now=NOW)
    if first == second:
        assert recorded(before, entry(second), now=NOW) is before
    elif (first, second) in {(MISSED, DONE), (MISSED, PARTLY), (PARTLY, DONE)}:
        assert recorded(before, entry(second), now=NOW).revision == 2
    else:
        with pytest.raises(IllegalTransition):
            recorded(before, entry(second), now=NOW)


def test_after_the_round_a_change_names_the_revision_it_corrects() -> None:
    before = recorded(None, entry(MISSED), now=NOW)
    with pytest.raises(IllegalTransition):
        recorded(before, entry(DONE))
    with pytest.raises(Conflict):
        recorded(before, entry(DONE, revision=2))
    assert recorded(before, entry(DONE, revision=1)).revision == 2


def test_the_time_of_the_record_decides_whether_it_came_in_time() -> None:
    assert recorded(None, entry()).outcome == DONE
    with pytest.raises(IllegalTransition):
        recorded(None, entry(recorded_at=TOMORROW))
    with pytest.raises(InvalidPayload):
        recorded(None, entry(recorded_at=TOMORROW + timedelta(seconds=1)))


def test_a_round_that_lasts_takes_records_on_any_day() -> None:
    before = recorded(None, entry(MISSED, recorded_at=NOW), HEAD_COUNT)
    assert recorded(before, entry(DONE, recorded_at=TOMORROW), HEAD_COUNT).revision == 2


def test_only_known_households_and_persons_are_recorded() -> None:
    known = household(order("p1"))
    check_entry(entry(persons=(StopPerson(person_id="p1"),)), known, LUNCH, "stops.0")
    for door, said in (
        (None, entry()),
        (household(order("p1", seal_id="another")), entry()),
        (known, entry(persons=(StopPerson(person_id="p2"),))),
        (known, entry(MISSED, reason=None)),
    ):
        with pytest.raises(InvalidPayload):
            check_entry(said, door, LUNCH, "stops.0")
