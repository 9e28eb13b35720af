"""Cases, samples, contacts and verdicts: a medic's and a laboratory's words in any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lianfang.errors import Conflict, IllegalTransition, InvalidPayload
from lianfang.events.declaration import ContactClaim, DeclarationSubmitted
from lianfang.runtime.resources import PolicyInForce, read_section
from lianfang.vocabulary import (
    Classification,
    ContactCategory,
    ContactKind,
    Custody,
    FoundBy,
    Outcome,
    PersonType,
    SampleResult,
    Symptom,
    Tube,
)
from services.screening.domain import cases, samples
from services.screening.domain.cases import Case
from services.screening.domain.contacts import Contact, ContactState, Ground, drawn, news
from services.screening.domain.dossiers import Dossier, assessed, outdated
from services.screening.domain.rules import ScreeningRules
from services.screening.domain.samples import Sample, SampleState
from tests.properties.walks import SAME, deliveries, paths, walk

SHOWN = {Classification, Custody, SampleState, SampleResult, Tube, ContactState, Outcome}
POLICY = Path(__file__).parents[2] / "deploy" / "policy" / "shenzhen-2020-02" / "screening.yml"
NOW = datetime(2020, 2, 20, 4, tzinfo=UTC)
RULES: ScreeningRules = PolicyInForce(read_section(POLICY), ScreeningRules).on(date(2020, 2, 20))

# -- cases ------------------------------------------------------------------------------------

REPORTED, SUSPECTED = Classification.REPORTED, Classification.SUSPECTED
CONFIRMED, ASYMPTOMATIC = Classification.CONFIRMED, Classification.ASYMPTOMATIC
DISCARDED, CLOSED = Classification.DISCARDED, Classification.CLOSED
CASE = Case(
    case_id="c",
    person_id="p",
    origin_person_id="p",
    state=REPORTED,
    building="b",
    household_id="h",
    basis="fever",
    reported_by="x",
    reported_at=NOW,
)


def confirm(wanted: Classification, case: Case, **facts: Any) -> Case:
    decided = {"classification": wanted, "basis": "pcr", "decided_by": "x", "decided_at": NOW}
    after, new = cases.confirm(case, {**decided, **facts})
    assert new == (after is not case)
    return after


def suspect(case: Case) -> Case:
    cases.check_move(case, SUSPECTED)
    return cases.suspect(case, case.revision + 1)[0]


def discard(case: Case, second: str | None = "y") -> Case:
    after, said = cases.discard(case, reason="r", decided_by="x", at=NOW, second_signature=second)
    assert said.revision == after.revision
    return after


def close(case: Case, outcome: str) -> Case:
    return cases.close(case, outcome=outcome, decided_by="x", at=NOW)[0]


CASE_ACTS = {
    "suspect": suspect,
    "confirm": partial(confirm, CONFIRMED),
    "find_no_symptoms": partial(confirm, ASYMPTOMATIC),
    "amend": lambda case: cases.amend(case, {"onset_on": date(2020, 2, 1)}),
    "discard": discard,
    "recover": lambda case: close(case, "recovered"),
    "die": lambda case: close(case, "died"),
}
_STARTED = {"confirm": CONFIRMED, "find_no_symptoms": ASYMPTOMATIC, "discard": DISCARDED}
_INFECTED = {"discard": DISCARDED, "recover": CLOSED, "die": CLOSED}
CASE_MOVES: dict[Any, dict[str, Any]] = {
    REPORTED: {"suspect": SUSPECTED, **_STARTED},
    SUSPECTED: _STARTED,
    CONFIRMED: {
        **_INFECTED,
        "confirm": SAME,
        "find_no_symptoms": ASYMPTOMATIC,
        "amend": CONFIRMED,
    },
    ASYMPTOMATIC: {
        **_INFECTED,
        "confirm": CONFIRMED,
        "find_no_symptoms": SAME,
        "amend": ASYMPTOMATIC,
    },
    DISCARDED: {},
    CLOSED: {},
}


def test_a_case_keeps_to_its_states() -> None:
    reached = set()

    @given(paths(CASE_ACTS, rarely=["discard", "recover", "die"]))
    def walks(path: list[str]) -> None:
        first = {"confirm", "find_no_symptoms"}  # the first decision is the case's first revision
        stages = walk(CASE, path, CASE_ACTS, CASE_MOVES, unnumbered=first)
        reached.update(stage.state for stage in stages)
        assert all(a.revision <= b.revision for a, b in pairwise(stages))
        infected = [stage for stage in stages if stage.state in cases.INFECTED]
        for before in infected[:1]:
            for second in (None, " ", "X"):
                with pytest.raises(InvalidPayload):
                    discard(before, second)

    walks()
    assert reached == set(Classification)


@given(st.lists(st.sampled_from([c for c in Custody if c is not Custody.DECEASED]), max_size=6))
def test_where_an_infected_person_is_follows_the_last_word(moves: list[Custody]) -> None:
    case = confirm(CONFIRMED, CASE)
    for custody in moves:
        moved = confirm(CONFIRMED, case, custody=custody)
        assert moved.custody is custody
        assert moved.revision == case.revision + (custody is not case.custody)
        assert confirm(CONFIRMED, moved, custody=custody) is moved
        case = moved
    with pytest.raises(Conflict):
        confirm(CONFIRMED, case, onset_on=date(2020, 2, 2))
    assert close(case, "died").custody is Custody.DECEASED


# -- samples ----------------------------------------------------------------------------------

COLLECTED, VOID = SampleState.COLLECTED, SampleState.VOID
NEGATIVE, INVALID = SampleState.NEGATIVE, SampleState.INVALID
PRELIMINARY = SampleState.POSITIVE_PRELIMINARY
POSITIVE = SampleState.POSITIVE_CONFIRMED
#: Words for requests and deliveries that no door sends yet.
NOT_REACHED = {SampleState.REQUESTED, SampleState.RECEIVED}


def collect(sample: Sample | None, persons: tuple[str, ...] = ("p1",)) -> Sample:
    tube = Tube.POOLED if len(persons) > 1 else Tube.SINGLE
    return samples.collected(sample, "s", persons, NOW, tube)


def results(result: SampleResult, sample: Sample, *, retest: bool = False) -> Sample:
    at = NOW + timedelta(hours=1)
    return samples.resulted(sample, result, at=at, laboratory_id="l", batch_id="b", retest=retest)


SAMPLE_ACTS = {
    "collect": collect,
    "void": lambda sample: samples.void(sample, "it leaked"),
    "reassign": lambda sample: samples.reassigned(sample, ["p2"], "swapped"),
    "retest": lambda sample: results(SampleResult.POSITIVE_CONFIRMED, sample, retest=True),
    **{str(result): partial(results, result) for result in SampleResult},
}
_OPEN = {
    "negative": NEGATIVE,
    "positive_preliminary": PRELIMINARY,
    "invalid": INVALID,
    "retest": POSITIVE,
}
SAMPLE_MOVES: dict[Any, dict[str, Any]] = {
    COLLECTED: {**_OPEN, "collect": SAME, "void": VOID},
    INVALID: {**_OPEN, "invalid": SAME, "reassign": INVALID},
    PRELIMINARY: {
        "positive_preliminary": SAME,
        "negative": NEGATIVE,
        "positive_confirmed": POSITIVE,
        "retest": POSITIVE,
        "reassign": PRELIMINARY,
    },
    NEGATIVE: {"negative": SAME, "reassign": NEGATIVE},
    POSITIVE: {"positive_confirmed": SAME, "retest": SAME, "reassign": POSITIVE},
    VOID: {},
}
#: A pool confirms nothing.
POOL_MOVES = {
    state: {name: to for name, to in moves.items() if to is not POSITIVE}
    for state, moves in SAMPLE_MOVES.items()
}


def test_a_sample_keeps_to_its_states() -> None:
    reached = set()

    @given(paths(SAMPLE_ACTS, rarely=["void", "negative"]), st.booleans())
    def walks(path: list[str], pooled: bool) -> None:
        start, moves = collect(None), SAMPLE_MOVES
        if pooled:
            start, moves = collect(None, ("p1", "p2")), POOL_MOVES
            path = [name for name in path if name not in ("collect", "reassign")]
        refusals = (IllegalTransition, Conflict)
        unnumbered = ["void"]  # revisions count the laboratory's words
        stages = walk(start, path, SAMPLE_ACTS, moves, refusals=refusals, unnumbered=unnumbered)
        reached.update(stage.state for stage in stages)

    walks()
    assert reached == set(SampleState) - NOT_REACHED


visits = st.tuples(st.sampled_from(["v1", "v2", "v3"]), st.sets(st.sampled_from(["p1", "p2"])))


@given(deliveries(st.lists(visits, unique_by=lambda visit: visit[0])))
def test_a_tube_holds_what_each_visit_last_put_into_it(sent: tuple[list[Any], list[Any]]) -> None:
    tubes: list[Sample | None] = []
    for order in sent:
        tube = None
        for visit, persons in order:
            tube = samples.taken_at_doors(tube, "s", visit, sorted(persons), NOW)
        tubes.append(tube)
    assert tubes[0] == tubes[1]
    inside = {person for _, persons in sent[0] for person in persons}
    assert set(tubes[0].person_ids if tubes[0] else ()) == inside
    if tubes[0]:
        assert tubes[0].tube is (Tube.POOLED if len(inside) > 1 else Tube.SINGLE)


# -- contacts ---------------------------------------------------------------------------------

grounds = st.builds(
    lambda ref, category, kind, day: Ground(
        source="claim",
        ref=ref,
        about="p0",
        category=category,
        kind=kind,
        found_by=FoundBy.DECLARATION,
        first_on=date(2020, 2, 1),
        last_on=date(2020, 2, day),
        building="4403.nanshan",
    ),
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(ContactCategory),
    st.sampled_from(ContactKind),
    st.integers(2, 9),
)


def test_a_contact_is_what_its_grounds_now_make_it() -> None:
    reached = set()

    @given(st.lists(st.lists(grounds, max_size=3), min_size=1, max_size=6), st.randoms())
    def follows(histories: list[list[Ground]], chance: Any) -> None:
        contact: Contact | None = None
        for found in histories:
            before = contact
            contact = drawn(before, "c", "p", found, "policy")
            mixed = [*found, *found]
            chance.shuffle(mixed)
            assert drawn(before, "c", "p", mixed, "policy") == contact
            if contact is None:
                assert before is None
                continue
            again = drawn(contact, "c", "p", found, "policy")
            assert again == contact
            assert not news(contact, again)
            reached.add(contact.state)
            if found:
                assert contact == replace(
                    drawn(None, "c", "p", found, "policy"), revision=contact.revision
                )

    follows()
    assert reached == {ContactState.IDENTIFIED, ContactState.DROPPED}


# -- verdicts ---------------------------------------------------------------------------------

declarations = st.builds(
    lambda revision, symptoms, kind, key_area, alone: DeclarationSubmitted(
        declaration_id="d",
        person_id="p",
        household_id="h",
        building="4403.nanshan",
        person_type=PersonType.RETURNING,
        declared_at=NOW + timedelta(minutes=revision),
        statement_version="1",
        stayed_in_key_area=key_area,
        has_separate_room=alone,
        symptoms=tuple(sorted(symptoms)),
        contact_claims=(ContactClaim(kind=kind, last_on=date(2020, 2, 15)),) if kind else (),
        revision=revision,
    ),
    st.integers(1, 5),
    st.sets(st.sampled_from(Symptom), max_size=1),
    st.none() | st.sampled_from(ContactKind),
    st.booleans(),
    st.booleans(),
)


def test_the_newest_declaration_has_its_verdict_whichever_came_last() -> None:
    reached = set()

    @given(deliveries(st.lists(declarations, unique_by=lambda d: d.revision)))
    def follows(sent: tuple[list[Any], list[Any]]) -> None:
        ends: list[Dossier | None] = []
        for order in sent:
            dossier: Dossier | None = None
            for declared in order:
                if not outdated(dossier, declared):
                    dossier = assessed(dossier, declared, RULES, NOW)
                    reached.add(dossier.outcome)
                assert outdated(dossier, declared), "heard again it changes nothing"
            ends.append(dossier)
        assert ends[0] == ends[1]
        if ends[0]:
            newest = max(sent[0], key=lambda d: d.revision)
            assert ends[0].outcome == assessed(None, newest, RULES, NOW).outcome

    follows()
    assert reached == set(Outcome)
