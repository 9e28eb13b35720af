from __future__ import annotations

import pytest

from lianfang.testing.pump import Pump
from tests.component.screening.house import House


@pytest.fixture
def house(pump: Pump) -> House:
    """A building of ten households with two persons each, screening alone on the pump."""
    return House(pump)
