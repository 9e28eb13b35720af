"""The dispatch service at nine in the morning, with one team in the enclosure."""

from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from tests.component.dispatch import district


@pytest.fixture
def dispatch(pump: Pump) -> Pump:
    """The service alone, with an organisation and a team that can do everything."""
    pump.use("dispatch")
    pump.now = district.START
    district.staff(pump, "enclosure")
    return pump
