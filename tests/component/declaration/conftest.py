"""The declaration service alone, with two buildings."""

from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from tests.component.declaration import town


@pytest.fixture
def declaration(pump: Pump) -> Pump:
    """The service at nine in the morning of 3 February 2020."""
    pump.use("declaration")
    pump.now = town.NOW
    town.found(pump)
    return pump
