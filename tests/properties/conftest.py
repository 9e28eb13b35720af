from __future__ import annotations

import pytest
from hypothesis import settings

from tests.component.runtime.conftest import rig, session_rig  # noqa: F401 - fixtures

NIGHT = "nightly"
NIGHT_SECONDS = 3 * 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The night takes its time."""
    if settings.get_current_profile_name() == NIGHT:
        for item in items:
            item.add_marker(pytest.mark.timeout(NIGHT_SECONDS))
