"""A wire that is silent and open: nobody says goodbye, so somebody has to look at the clock."""

from __future__ import annotations

import threading
import time
from urllib.parse import urlsplit

from lianfang.runtime.documents import connect
from lianfang.runtime.engine import Engine
from lianfang.settings import Settings
from tests.component.runtime.rig import Rig, until
from tests.faults.proxy import Proxies
from tests.faults.wire import BLACK_HOLE, GOOD

#: Less than the ten seconds that a goodbye may wait for its answer.
_SOON = 7.0


def test_a_silent_broker_is_left_without_waiting_for_its_goodbye(rig: Rig) -> None:
    broker = urlsplit(rig.settings.amqp_uri)
    with Proxies() as proxies:
        proxy = proxies.before(f"{broker.hostname}:{broker.port}")
        uri = rig.settings.amqp_uri.replace(f"{broker.hostname}:{broker.port}", proxy.address)
        process = rig.start(AMQP_URI=f"{uri}?heartbeat=1")
        rig.say("a")
        until(lambda: rig.seen("a"))
        proxy.wire = BLACK_HOLE
        process.line("subscription_interrupted", detail="Too many heartbeats missed")
        process.line("rpc_interrupted", detail="Too many heartbeats missed")
        proxy.wire = GOOD
        rig.say("b")
        until(lambda: rig.seen("b"), seconds=_SOON)
        assert process.alive


def test_a_decision_whose_connection_was_forgotten_is_made_over_another(
    session_settings: Settings,
) -> None:
    with Proxies() as proxies:
        direct = connect(session_settings.mongo_uri, "test")
        direct.admin.command("ping")
        host, port = direct.primary or ("", 0)
        proxy = proxies.before(f"{host}:{port}")
        client = connect(f"mongodb://{proxy.address}/?directConnection=true", "test", silence=2)
        engine = Engine(session_settings, "journal", client=client)
        name = engine.database_name
        client[name].probe.insert_one({"_id": 1})
        proxy.wire = BLACK_HOLE
        started = time.monotonic()
        mending = threading.Timer(0.5, setattr, (proxy, "wire", GOOD))
        mending.start()
        found, _ = engine.run(
            lambda work: work.raw("probe").count_documents({}, session=work.session)
        )
        assert found == 1
        assert time.monotonic() - started < _SOON
        engine.close()
        direct.drop_database(name)
        direct.close()
