"""Plans: the same words about a cause, in any order and again, ask for the same tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lianfang.events import Event
from lianfang.events.isolation import ReleaseDue, RollEntry, SealExtended, SealSnapshot
from lianfang.events.screening import CaseAmended, CaseDiscarded, Stay, SymptomReported
from lianfang.events.screening import DeclarationAssessed as Assessed
from lianfang.vocabulary import (
    Classification,
    Custody,
    Measure,
    Need,
    OrderState,
    Outcome,
    RollStatus,
    SealState,
)
from services.dispatch.domain import alarms, causes
from services.dispatch.domain.difference import Moment, Wanted, difference
from services.dispatch.domain.households import (
    Household,
    learn_checks,
    learn_orders,
    plan_checks,
    plan_orders,
)
from services.dispatch.domain.task import Task, TaskState
from tests.properties.walks import deliveries
from tests.unit.dispatch.builders import BUILDING, RULES, order

NOW = datetime(2020, 2, 3, 1, tzinfo=UTC)
MOMENT = Moment(now=NOW, opened_by="e", correlation_id="c")
HOUSES = (BUILDING, f"{BUILDING[:-3]}b02")
revisions = st.integers(1, 6)


def follow(
    start: Any,
    words: Iterable[Any],
    learn: Callable[[Any, Any], Any],
    plan: Callable[[Any], list[Wanted]],
) -> tuple[Any, dict[str, Task]]:
    """What is known after these words, and the tasks that followed them word by word."""
    facts, tasks = start, {}
    for word in words:
        facts = learn(facts, word)
        assert learn(facts, word) == facts, "the same word again adds nothing"
        wanted = plan(facts)
        for task in difference(wanted, tasks, RULES, MOMENT).saved:
            tasks[task.task_id] = task
        assert difference(wanted, tasks, RULES, MOMENT).saved == ()
        active = {want.task_id for want in wanted if want.active}
        assert active == {key for key, task in tasks.items() if task.state is TaskState.OPEN}
    return facts, {key: plain(task) for key, task in tasks.items()}


def plain(task: Task) -> tuple[Any, ...]:
    return task.kind, task.place, task.state, task.due_at, task.household_ids, task.person_ids


def agree(
    sent: tuple[list[Any], list[Any]],
    start: Any,
    learn: Callable[[Any, Any], Any],
    plan: Callable[[Any], list[Wanted]],
) -> None:
    facts, tasks = follow(start, sent[0], learn, plan)
    others, other_tasks = follow(start, sent[1], learn, plan)
    assert facts == others
    assert tasks == other_tasks


def by_revision(word: Event) -> int:
    return word.revision


# -- cases ------------------------------------------------------------------------------------

amended = st.builds(
    lambda person, homes, custody, hours, revision: CaseAmended(
        case_id="c",
        person_id=person,
        household_id=f"h-{person}",
        classification=Classification.CONFIRMED,
        basis="b",
        decided_by="x",
        decided_at=NOW + timedelta(hours=hours),
        infectious_from_on=date(2020, 2, 1),
        stays=tuple(Stay(place=home, last_present_at=NOW) for home in sorted(homes)),
        reporting_district="nanshan",
        owning_district="nanshan",
        policy_version="p",
        custody=custody,
        former_person_id="p0",
        reason="r",
        amended_by="x",
        revision=revision,
    ),
    st.sampled_from(["p1", "p2"]),
    st.sets(st.sampled_from(HOUSES)),
    st.sampled_from([Custody.AT_HOME, Custody.IN_HOSPITAL]),
    st.integers(0, 3),
    revisions,
)
discarded = st.builds(
    CaseDiscarded,
    case_id=st.just("c"),
    person_id=st.just("p1"),
    reason=st.just("r"),
    decided_by=st.just("x"),
    decided_at=st.just(NOW),
    revision=st.just(7),
)


def learn_case(facts: causes.CaseFacts, word: Any) -> causes.CaseFacts:
    if isinstance(word, CaseDiscarded):
        return replace(facts, discarded=True)
    return causes.learn_case(facts, word, BUILDING)


@given(deliveries(st.lists(amended | discarded, unique_by=by_revision)))
def test_a_case_asks_for_the_same_tasks_in_any_order(sent: tuple[list[Any], list[Any]]) -> None:
    agree(sent, causes.CaseFacts(case_id="c"), learn_case, causes.plan_case)


# -- seals ------------------------------------------------------------------------------------


def seal_word(state: SealState, exits: set[str], due: int, revision: int) -> SealExtended:
    """A seal is proposed at first or never, and takes effect when it is imposed."""
    proposed = state is SealState.PROPOSED
    revision = 1 if proposed else revision + 1
    snapshot = SealSnapshot(
        seal_id="s",
        state=state,
        scope=(BUILDING,),
        exits=tuple(sorted(exits)),
        causes=("c",),
        imposed_at=NOW - timedelta(hours=proposed),
        day_one_on=date(2020, 2, 3),
        due_on=date(2020, 2, due),
        order_due_at=NOW,
        lapses_at=NOW,
        households=1,
        persons=1,
        policy_version="p",
    )
    return SealExtended(seal_id="s", building=BUILDING, seal=snapshot, revision=revision)


seal_words = st.builds(
    seal_word,
    st.sampled_from(SealState),
    st.sets(st.sampled_from(["g1", "g2"])),
    st.integers(16, 18),
    revisions,
)
release_words = st.builds(
    lambda day, revision: ReleaseDue(
        seal_id="s",
        building=BUILDING,
        due_on=date(2020, 2, day),
        conditions=(),
        revision=revision,
    ),
    st.integers(16, 18),
    st.integers(10, 12),
)


def learn_seal(facts: causes.SealFacts, word: Any) -> causes.SealFacts:
    if isinstance(word, ReleaseDue):
        return causes.learn_release_due(facts, word)
    return causes.learn_seal(facts, word)


@given(deliveries(st.lists(seal_words | release_words, unique_by=by_revision)))
def test_a_seal_asks_for_the_same_tasks_in_any_order(sent: tuple[list[Any], list[Any]]) -> None:
    agree(sent, causes.SealFacts(seal_id="s"), learn_seal, causes.plan_seal)


# -- alarms -----------------------------------------------------------------------------------

reports = st.builds(
    lambda n: SymptomReported(
        report_id=f"r{n}",
        person_id="p",
        household_id="h",
        building=BUILDING,
        reported_at=NOW + timedelta(hours=11 * n),
        revision=100 + n,
    ),
    st.integers(1, 5),
)
verdicts = st.builds(
    lambda outcome, revision: Assessed(
        assessment_id="a",
        declaration_id="d",
        person_id="p",
        household_id="h",
        building=BUILDING,
        outcome=outcome,
        reasons=(),
        assessed_at=NOW + timedelta(hours=7 * revision),
        policy_version="p",
        revision=revision,
    ),
    st.sampled_from(Outcome),
    revisions,
)


def learn_alarm(facts: alarms.AlarmFacts, word: Any) -> alarms.AlarmFacts:
    if isinstance(word, Assessed):
        return alarms.learn_verdict(facts, word)
    return alarms.learn_report(facts, word)


@given(deliveries(st.lists(reports | verdicts, unique_by=by_revision)))
def test_an_alarm_asks_for_the_same_escorts_in_any_order(
    sent: tuple[list[Any], list[Any]],
) -> None:
    agree(sent, alarms.AlarmFacts(person_id="p"), learn_alarm, alarms.plan_alarm)


# -- households -------------------------------------------------------------------------------

orders = st.builds(
    lambda person, measure, state, at_home, pet, revision: order(
        person,
        measure=measure,
        state=state,
        at_home=at_home,
        seal_id="seal-1" if measure is Measure.SEALED else None,
        needs=(Need.PET,) if pet else (),
        revision=revision,
    ),
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(Measure),
    st.sampled_from(OrderState),
    st.booleans(),
    st.booleans(),
    revisions,
)
checks = st.builds(
    lambda person, status, revision: RollEntry(
        person_id=person, household_id="h1", status=status, reason="r", revision=revision
    ),
    st.sampled_from(["p1", "p2"]),
    st.sampled_from(RollStatus),
    revisions,
)


def learn_household(door: Household, word: Any) -> Household:
    if isinstance(word, RollEntry):
        return learn_checks(door, "seal-1", [word])
    return learn_orders(door, [word])


def plan_household(door: Household) -> list[Wanted]:
    checked = plan_checks(door, "seal-1", ["p1", "p2"], frozenset(), NOW)
    return [*plan_orders(door, NOW), *checked]


def by_person(word: Any) -> tuple[str, str, int]:
    return type(word).__name__, word.person_id, word.revision


@given(deliveries(st.lists(orders | checks, max_size=8, unique_by=by_person)))
def test_a_household_asks_for_the_same_visits_in_any_order(
    sent: tuple[list[Any], list[Any]],
) -> None:
    start = Household(household_id="h1", building=BUILDING)
    agree(sent, start, learn_household, partial(plan_household))
