"""`python -m docs.generate`: write every reference page that is not as the code says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from docs.generate import audit, calls, district, events, topology

REFERENCE = Path(__file__).resolve().parents[1] / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "audit.md": audit.page,
    "calls.md": calls.page,
    "errors.md": district.errors_page,
    "events.md": events.page,
    "policy.md": district.policy_page,
    "settings.md": district.settings_page,
    "topology.md": topology.page,
}


def stale() -> dict[Path, str]:
    """What each page should say that says something else now."""
    wanted = {REFERENCE / name: page() for name, page in PAGES.items()}
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text("utf-8") != text
    }


def main() -> int:
    """Write the stale pages and name them."""
    REFERENCE.mkdir(exist_ok=True)
    for path, text in stale().items():
        path.write_text(text, "utf-8")
        print(f"wrote docs/reference/{path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
