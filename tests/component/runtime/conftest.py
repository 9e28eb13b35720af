from __future__ import annotations

from collections.abc import Iterator

import pytest

from lianfang.runtime.administration import BrokerAdministration
from lianfang.settings import Settings
from tests.component.runtime.rig import Process, Rig


@pytest.fixture(scope="session")
def session_rig(session_settings: Settings, administration: BrokerAdministration) -> Iterator[Rig]:
    rig = Rig(session_settings, administration)
    yield rig
    rig.close()


@pytest.fixture
def rig(session_rig: Rig) -> Iterator[Rig]:
    """The rig with empty queues and an empty database, and no process on it."""
    session_rig.end_processes()
    session_rig.reset()
    yield session_rig
    session_rig.end_processes()


@pytest.fixture(scope="module")
def shared(session_rig: Rig) -> Iterator[Process]:
    """One process of the probe for all tests of a module that leave it alive."""
    session_rig.reset()
    process = session_rig.start()
    session_rig.processes.remove(process)  # it outlives single tests
    yield process
    assert process.stop() == 0, "".join(process.lines)
