"""The demo: one confirmed case in an invented Nanshan, played on a running district.

Everything goes through the same doors that a real district uses. The clock of the services is moved
through February 2020, so the district must run in the profile `demo` or `test`.
"""

from __future__ import annotations

from lianfang.demo.play import main

__all__ = ["main"]
