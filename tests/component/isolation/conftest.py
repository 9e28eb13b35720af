"""One block per test, on the session's broker and database."""

from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from tests.component.isolation.block import Block


@pytest.fixture
def block(pump: Pump) -> Block:
    return Block(pump)
