"""How a service begins, breaks, stops and comes back: nothing lost, nothing twice."""

from __future__ import annotations

import threading

from lianfang.client import District
from lianfang.topology import PARKING, rpc_queue
from tests.component.runtime.rig import ONE, Rig, until
from tests.component.runtime.wire import Wire


def test_a_reset_in_the_middle_of_an_acknowledgement_is_survived(rig: Rig) -> None:
    process = rig.start("reset_first_ack")
    try:
        rig.say("a")
        process.line("ack_failed")
        until(lambda: rig.depth(ONE) == 0)
        rig.say("b")
        until(lambda: rig.seen("b"))
        assert process.alive
        assert rig.seen("a").times == 1
    finally:
        assert process.stop() == 0
    assert rig.depth(ONE) == 0


def test_a_call_in_hand_is_answered_before_the_process_stops(rig: Rig) -> None:
    process = rig.start()
    answers: list[dict] = []
    with District(rig.settings.amqp_uri) as caller:
        caller.query("journal.find", key="warm")
        asking = threading.Thread(
            target=lambda: answers.append(caller.command("journal.add", key="a", what="slow"))
        )
        asking.start()
        process.line("probe_is_asked", key="a")
        assert process.stop() == 0
        asking.join()
    assert answers[0]["times"] == 1
    assert rig.depth(rpc_queue("journal")) == 0
    assert rig.depth(ONE) == 1, "what the command said went out before the end"


def test_a_process_told_to_stop_twice_still_drains(rig: Rig) -> None:
    process = rig.start()
    rig.say("a", "slow")
    process.line("probe_at_work", key="a")
    process.popen.terminate()
    assert process.stop() == 0
    assert (rig.depth(ONE), rig.seen("a").times) == (0, 1)


def test_a_broker_that_is_down_at_the_start_is_waited_for(rig: Rig) -> None:
    wire = Wire(rig.settings.amqp_uri)
    process = rig.start(wait=False, AMQP_URI=wire.uri)
    try:
        told = process.line("subscription_interrupted")
        assert told["error"] == "ConnectionRefusedError"
        rig.say("a")
        wire.plug_in()
        until(lambda: rig.seen("a"))
    finally:
        assert process.stop() == 0
        wire.close()


def test_a_connection_that_is_cut_is_made_again(rig: Rig) -> None:
    wire = Wire(rig.settings.amqp_uri)
    wire.plug_in()
    process = rig.start(AMQP_URI=wire.uri)
    try:
        rig.say("a")
        until(lambda: rig.seen("a"))
        wire.cut()
        rig.say("b")
        until(lambda: rig.seen("b"))
    finally:
        assert process.stop() == 0
        wire.close()


def test_a_database_that_is_down_at_the_start_is_waited_for_and_a_stop_is_heard(rig: Rig) -> None:
    nobody = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"
    process = rig.start(wait=False, MONGO_URI=nobody)
    process.line("waiting_for_database")
    assert process.stop() == 0


def test_a_wrong_setting_ends_the_process_with_its_own_code(rig: Rig) -> None:
    process = rig.start(wait=False, LIANFANG_PROFILE="holiday", LIANFANG_RPC_WORKERS="many")
    assert process.wait() == 78
    (told,) = [line for line in process.told if line["event"] == "misconfigured"]
    assert "PROFILE" in told["detail"]
    assert "RPC_WORKERS" in told["detail"]


def test_a_killed_process_loses_nothing_and_repeats_nothing(rig: Rig) -> None:
    process = rig.start()
    rig.say("a", "slow")
    process.line("probe_at_work", key="a")
    process.kill()
    again = rig.start()
    try:
        until(lambda: rig.seen("a"))
        assert rig.seen("a").times == 1
        assert rig.seen("a").redelivered
    finally:
        assert again.stop() == 0
    assert rig.take(PARKING) == []
