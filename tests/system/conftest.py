"""One town per test, on the session's broker and database."""

from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from tests.system.town import Town


@pytest.fixture
def town(pump: Pump) -> Town:
    """A town that has organisations and teams, and nobody living in it yet."""
    return Town(pump)
