"""The unit of work: inbox, batches, rejections, conflicts and commits that nobody heard of."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from lianfang.errors import Unavailable, VersionConflict
from lianfang.events.dispatch import TaskAccepted
from lianfang.runtime import engine as engine_module
from lianfang.runtime.door import Message
from lianfang.runtime.replays import Word, read_word
from lianfang.runtime.work import Work
from lianfang.topology import PARKING
from tests.component.runtime.probe import SEEN, Seen
from tests.component.runtime.rig import MANY, ONE, START, Rig, discarded, raw_of, replayed, until


def outcomes(messages: list[Message]) -> list[str]:
    return [message.outcome for message in messages]


# -- batches ----------------------------------------------------------------------------------


def test_a_message_that_comes_again_is_not_handled_again(rig: Rig) -> None:
    assert outcomes(rig.handle("one", discarded("a"))) == ["done"]
    assert outcomes(rig.handle("one", discarded("a"))) == ["duplicate"]
    assert rig.seen("a").times == 1


def test_repeated_ids_in_one_batch_are_handled_once(rig: Rig) -> None:
    batch = [replayed("a"), replayed("b"), replayed("a"), replayed("a")]
    assert outcomes(rig.handle("many", *batch)) == ["done", "done", "duplicate", "duplicate"]
    assert rig.seen("a").times == 1


def test_two_subscriptions_each_handle_the_same_id(rig: Rig) -> None:
    rig.handle("one", discarded("a"))
    rig.database.inbox.update_many({}, {"$set": {"at": None}})
    (row,) = rig.database.inbox.find()
    assert row["_id"]["sub"] == "one"
    assert outcomes(rig.handle("many", replayed("a"))) == ["done"]


def test_one_rejected_message_leaves_its_batch_alone(rig: Rig) -> None:
    done = rig.handle("many", replayed("a"), replayed("b", "reject"), replayed("c"))
    assert outcomes(done) == ["done", "parked", "done"]
    assert rig.seen("b") is None
    (parked,) = rig.take(PARKING)
    assert (parked.headers["x-reason"], parked.headers["x-origin"]) == ("rejected", MANY)


def test_what_a_rejected_message_changed_before_is_not_kept(rig: Rig) -> None:
    done = rig.handle("many", replayed("a"), replayed("b", "taint"), replayed("c"))
    assert outcomes(done) == ["done", "parked", "done"]
    assert rig.seen("b") is None
    assert rig.seen("c").times == 1


def test_many_spoilers_do_not_hold_up_the_rest(rig: Rig) -> None:
    batch = [replayed(f"m{n}", "taint" if n % 2 else "ok") for n in range(20)]
    assert outcomes(rig.handle("many", *batch)) == ["done", "parked"] * 10
    assert len(rig.take(PARKING)) == 10
    assert rig.database.seen.count_documents({}) == 10


def test_a_bug_in_a_batch_is_found_one_by_one(rig: Rig) -> None:
    done = rig.handle("many", replayed("a"), replayed("b", "bug"), replayed("c"))
    assert outcomes(done) == ["done", "retried", "done"]
    assert rig.seen("a").times == 1


def test_a_rejected_message_is_heard_again_when_it_is_replayed(rig: Rig) -> None:
    event = replayed("a", "reject")
    assert outcomes(rig.handle("many", event)) == ["parked"]
    assert outcomes(rig.handle("many", event)) == ["parked"]


def test_a_rejection_of_a_run_that_was_thrown_away_is_forgotten(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first run rejects, loses a conflict, and the second has no reason to reject."""
    reasons = iter(["reject", "ok"])
    do, flush = type(rig.probe)._do, Work.flush

    def once(probe: Any, work: Any, key: str, _what: str) -> None:
        do(probe, work, key, next(reasons))

    conflicts = iter([True])

    def conflict_first(work: Work) -> None:
        if next(conflicts, False):
            raise OperationFailure("WriteConflict", 112)
        flush(work)

    monkeypatch.setattr(type(rig.probe), "_do", once)
    monkeypatch.setattr(Work, "flush", conflict_first)
    assert outcomes(rig.handle("one", discarded("a"))) == ["done"]
    assert rig.take(PARKING) == []


# -- the ladder -------------------------------------------------------------------------------


def test_what_may_help_later_climbs_the_ladder_and_is_parked_at_its_end(rig: Rig) -> None:
    event = discarded("a", "early")
    for attempt in range(3):
        (message,) = rig.handle("one", event, **{"x-attempt": attempt})
        assert message.outcome == "retried"
        (back,) = until(lambda: rig.take(ONE))
        assert back.headers["x-attempt"] == attempt + 1
        assert back.body == raw_of(event).body
    assert outcomes(rig.handle("one", event, **{"x-attempt": 3})) == ["parked"]
    (parked,) = rig.take(PARKING)
    assert (parked.headers["x-reason"], parked.headers["x-attempt"]) == ("not_yet_known", 3)


def test_copies_carry_the_first_id_and_nothing_that_the_broker_wrote(rig: Rig) -> None:
    first = raw_of(discarded("a", "early"))
    intake_headers = {"x-death": [{"count": 1, "queue": "retry.1"}], "x-first-death-queue": "r"}
    rig.handle("one", discarded("a", "early"), own="kept", **intake_headers)
    (once,) = until(lambda: rig.take(ONE))
    assert once.headers["own"] == "kept"
    assert once.headers["x-death"][0]["queue"] == "retry.1", "written anew by the broker"
    assert len(once.headers["x-death"]) == 1
    again = {**once.headers, "x-attempt": 3}
    rig.handle("one", discarded("a", "reject"), **again)
    (parked,) = rig.take(PARKING)
    assert parked.headers["x-message-id"] == first.properties["message_id"]
    assert "x-death" not in parked.headers
    assert "user_id" not in parked.properties


def test_what_became_of_a_replay_is_said_after_the_ladder_too_and_only_when_it_is_done(
    rig: Rig,
) -> None:
    rig.handle("one", discarded("a", "early"), **{"x-replay": "p1"})
    (back,) = until(lambda: rig.take(ONE))
    assert rig.take(PARKING) == []
    rig.handle("one", discarded("a"), **{**back.headers, "x-death": []})
    (said,) = rig.take(PARKING)
    assert read_word(said) == Word(replay_id="p1", origin=ONE)
    rig.handle("one", discarded("a"), **{"x-replay": "p1"})
    assert len(rig.take(PARKING)) == 1, "a duplicate is done too"
    rig.handle("one", discarded("b", "reject"), **{"x-replay": "p2"})
    (parked,) = rig.take(PARKING)
    assert (read_word(parked), parked.headers["x-reason"]) == (None, "rejected")


def test_copies_that_nobody_confirmed_hold_the_batch(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.engine.publisher, "publish", lambda *_: set())
    with pytest.raises(Unavailable):
        rig.handle("many", replayed("a"), replayed("b", "reject"))
    monkeypatch.undo()
    assert outcomes(rig.handle("many", replayed("a"), replayed("b", "reject"))) == [
        "duplicate",
        "parked",
    ]


# -- conflicts and commits --------------------------------------------------------------------


def test_two_who_write_the_same_document_both_have_their_effect(rig: Rig) -> None:
    rig.handle("one", discarded("a"))
    barrier, runs = threading.Barrier(2, timeout=10), []

    def decide(work: Work) -> None:
        runs.append(1)
        seen = work.get(SEEN, "a")
        if len(runs) <= 2:
            barrier.wait()
        work.save(SEEN, Seen(key="a", times=seen.times + 1))

    threads = [threading.Thread(target=rig.engine.run, args=(decide,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rig.seen("a").times == 3
    assert len(runs) >= 3, "one of them was run again"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "PATIENCE", 0.3)


@pytest.mark.usefixtures("impatient")
def test_whoever_loses_every_time_is_told_to_come_again(rig: Rig) -> None:
    def decide(_work: Work) -> None:
        raise OperationFailure("WriteConflict", 112)

    with pytest.raises(VersionConflict):
        rig.engine.run(decide)


def test_an_equal_unique_key_is_no_reason_to_wait_for_long(rig: Rig) -> None:
    runs: list[int] = []

    def decide(work: Work) -> None:
        runs.append(1)
        work.raw("seen").insert_one({"_id": "a"}, session=work.session)

    rig.database.seen.insert_one({"_id": "a"})
    with pytest.raises(VersionConflict):
        rig.engine.run(decide)
    assert len(runs) == 6


@pytest.mark.usefixtures("impatient")
def test_a_database_that_stays_away_is_no_conflict(rig: Rig) -> None:
    def decide(_work: Work) -> None:
        raise AutoReconnect("away", errors={"errorLabels": ["TransientTransactionError"]})

    with pytest.raises(Unavailable):
        rig.engine.run(decide)


def test_an_unknown_commit_is_redone_and_the_inbox_decides(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, lost = engine_module._commit, iter([True])

    def commit_and_lose_the_answer(session: Any) -> None:
        commit(session)
        if next(lost, False):
            raise AutoReconnect("after the commit")

    monkeypatch.setattr(engine_module, "_commit", commit_and_lose_the_answer)
    with pytest.raises(Unavailable):
        rig.handle("one", discarded("a"))
    assert outcomes(rig.handle("one", discarded("a"))) == ["duplicate"]
    assert rig.seen("a").times == 1


def test_the_driver_is_asked_again_when_it_does_not_know_whether_it_committed() -> None:
    class Session:
        tries = 0

        def commit_transaction(self) -> None:
            self.tries += 1
            if self.tries < 3:
                labels = {"errorLabels": ["UnknownTransactionCommitResult"]}
                raise AutoReconnect("?", errors=labels)

    session = Session()
    engine_module._commit(session)
    assert session.tries == 3


# -- guards -----------------------------------------------------------------------------------


def crossing(rig: Rig, *, guarded: bool) -> None:
    """Two decisions, each reading the other's collection and writing its own, at once."""
    barrier, first = threading.Barrier(2, timeout=10), set()

    def decide(work: Work, mine: str, other: str) -> None:
        if guarded:
            work.guard("building", "b1")
        found = work.raw(other).find_one({"_id": "b1"}, session=work.session)
        if mine not in first and not guarded:
            first.add(mine)
            barrier.wait()
        work.raw(mine).insert_one({"_id": "b1", "saw": found is not None}, session=work.session)

    pairs = [("rolls", "seals"), ("seals", "rolls")]
    threads = [
        threading.Thread(target=rig.engine.run, args=(lambda w, p=pair: decide(w, *p),))
        for pair in pairs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.fixture
def collections(rig: Rig) -> Rig:
    for name in ("rolls", "seals"):
        if name not in rig.database.list_collection_names():
            rig.database.create_collection(name)
    return rig


def saw(rig: Rig) -> list[bool]:
    return sorted(rig.database[name].find_one({"_id": "b1"})["saw"] for name in ("rolls", "seals"))


def test_snapshot_isolation_alone_lets_two_decisions_miss_each_other(collections: Rig) -> None:
    crossing(collections, guarded=False)
    assert saw(collections) == [False, False]


def test_a_guard_lets_the_second_see_the_first(collections: Rig) -> None:
    for _ in range(3):
        crossing(collections, guarded=True)
        assert saw(collections) == [False, True]
        for name in ("rolls", "seals", "guards"):
            collections.database[name].delete_many({})


# -- what a unit sees and says ----------------------------------------------------------------


def test_a_unit_sees_its_own_changes_however_it_looks(rig: Rig) -> None:
    def decide(work: Work) -> tuple[Any, ...]:
        work.save(SEEN, Seen(key="a", note="x"))
        return (
            work.get(SEEN, "a").note,
            [s.key for s in work.find(SEEN, {"note": "x"})],
            work.count(SEEN, {"note": "x"}),
            [s.key for s in work.page(SEEN, {}, "key").items],
            work.aggregate(SEEN, [{"$count": "n"}]),
        )

    assert rig.engine.run(decide)[0] == ("x", ["a"], 1, ["a"], [{"n": 1}])


@pytest.mark.parametrize("order", ["at", "-at", "note", "-key"])
def test_pages_leave_nobody_out_who_lacks_what_they_are_sorted_by(rig: Rig, order: str) -> None:
    states = [Seen(key=f"k{n}", at=None if n % 3 else START, note=f"n{n % 2}") for n in range(11)]
    rig.engine.run(lambda work: [work.save(SEEN, state) for state in states])
    found, after = [], None
    while True:
        page = rig.engine.documents.page(SEEN, {}, order, after, 2)
        found += [state.key for state in page.items]
        after = page.next
        if after is None:
            break
    assert len(found) == 11
    assert {*found} == {state.key for state in states}


def test_the_same_event_said_twice_in_a_unit_is_said_once_and_another_under_its_id_is_a_bug(
    rig: Rig,
) -> None:
    def decide(work: Work) -> None:
        work.publish(discarded("a"), place="4403.nanshan")
        work.publish(discarded("a"), place="4403.nanshan")
        with pytest.raises(ValueError, match="twice"):
            work.publish(discarded("a", "other"), place="4403.nanshan")

    assert len(rig.engine.run(decide)[1]) == 1


def test_a_service_may_not_say_what_is_anothers(rig: Rig) -> None:
    event = TaskAccepted(task_id="t", revision=1, **_others(TaskAccepted))
    with pytest.raises(ValueError, match="not journal's to say"):
        rig.engine.run(lambda work: work.publish(event, place="4403.nanshan"))


def _others(kind: type) -> dict[str, Any]:
    import dataclasses

    missing = dataclasses.MISSING
    given = ("task_id", "revision")
    return {
        field.name: None
        for field in dataclasses.fields(kind)
        if field.name not in given and field.default is missing
    }
