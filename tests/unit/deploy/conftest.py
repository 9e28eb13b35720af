"""Keeps the checkout's own stack out of sight of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import state


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `.local` of the test's own, so that the checkout's stack is never seen or touched."""
    monkeypatch.setattr(state, "LOCAL", tmp_path)
    monkeypatch.setattr(state, "SETTINGS", tmp_path / "settings.json")
    monkeypatch.setattr(state, "LOGS", tmp_path / "logs")
    return tmp_path
