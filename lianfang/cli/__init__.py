"""The `lianfang` command: run a service, prepare a district, show the demo."""

from __future__ import annotations

import sys
import warnings


def main() -> None:
    """Read the command line and do what it says.

    A process that becomes a service is patched before anything else is imported: what was imported
    before keeps sockets and locks that block all greenthreads.
    """
    # Known, and why all of eventlet stays inside `lianfang.runtime`.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    if sys.argv[1:2] == ["run"]:
        from lianfang.runtime.runner import patch

        patch()
    from lianfang.cli.app import app

    app()
