"""The `lianfang` command: run a service, prepare a district, show the demo."""

from __future__ import annotations

from lianfang.cli.app import app

__all__ = ["app"]
