"""The stack under test: a virtual host and databases of this session's own on the real servers."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

import pytest
from hypothesis import Phase, settings

from lianfang.runtime import logs
from lianfang.runtime.administration import BrokerAdministration
from lianfang.runtime.vault import make_key_file
from lianfang.settings import Settings
from lianfang.testing.pump import Pump

ROOT = Path(__file__).parent.parent
logs.configure("tests", logging.ERROR)

# The same examples on every run; the night looks further (`--hypothesis-profile nightly`) and says
# how to see a failure again. Explaining one takes minutes on Python 3.11.
_SAME = {"deadline": None, "stateful_step_count": 20, "phases": set(Phase) - {Phase.explain}}
settings.register_profile("default", max_examples=150, derandomize=True, **_SAME)
settings.register_profile("nightly", max_examples=5000, print_blob=True, **_SAME)
settings.load_profile("default")


@pytest.fixture(scope="session")
def administration() -> BrokerAdministration:
    """The administrator of the broker that `make test` started (or was given)."""
    return BrokerAdministration(os.environ["AMQP_MANAGEMENT_URI"])


@pytest.fixture(scope="session")
def session_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a database prefix, a virtual host and secrets of this session's own."""
    name = f"lftest_{uuid4().hex[:8]}"
    admin = urlsplit(os.environ["AMQP_MANAGEMENT_URI"])
    vhost = quote(name, safe="")
    secrets_dir = tmp_path_factory.mktemp("secrets")
    make_key_file(secrets_dir)
    return replace(
        Settings.read(),
        profile="test",
        database_prefix=name,
        amqp_uri=f"amqp://{admin.username}:{admin.password}@{os.environ['AMQP_HOST']}/{vhost}",
        secrets_dir=secrets_dir,
        policy_dir=ROOT / "deploy" / "policy",
    )


@pytest.fixture(scope="session")
def session_pump(
    session_settings: Settings, administration: BrokerAdministration
) -> Iterator[Pump]:
    """One pump for the session; tests take it empty through `pump`."""
    driven = Pump(session_settings, administration, session_settings.database_prefix)
    yield driven
    driven.close()


@pytest.fixture
def pump(session_pump: Pump) -> Iterator[Pump]:
    """The pump with empty queues and databases."""
    session_pump.reset()
    yield session_pump
    session_pump.reset()
