from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from lianfang.runtime import engine as engine_module
from lianfang.runtime import outbox as outbox_module
from lianfang.runtime import work as work_module
from lianfang.runtime.engine import Engine
from lianfang.runtime.publisher import Publisher
from tests.component.runtime.conftest import rig, session_rig  # noqa: F401 - fixtures
from tests.component.runtime.rig import Rig

NIGHT = "nightly"
DAY_SECONDS, NIGHT_SECONDS = 600, 3 * 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Many examples take their time, above all on a machine that has more to do."""
    night = settings.get_current_profile_name() == NIGHT
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(NIGHT_SECONDS if night else DAY_SECONDS))


@pytest.fixture
def replicas(
    rig: Rig,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Engine, Engine]]:
    """Two replicas with connections of their own, for which no time runs out by itself.

    On a machine that has more to do a claim would, or a confirm; an example has to say so.
    """
    monkeypatch.setattr(engine_module, "PATIENCE", 300.0)
    monkeypatch.setattr(outbox_module, "_CLAIM", timedelta(hours=1))
    monkeypatch.setattr(work_module, "OWN_CLAIM", timedelta(hours=1))
    both = Engine(rig.settings, "journal"), Engine(rig.settings, "journal")
    for engine in both:
        patient = Publisher(rig.engine.settings.amqp_uri, "test", confirm_timeout=300.0)
        engine.publisher = engine.outbox._publisher = patient
    yield both
    for engine in both:
        engine.close()
