"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from lianfang.testing.servers import ROOT, Servers

_MEGABYTE = 1024 * 1024


def facts(servers: Servers) -> dict[str, Any]:
    """Processor, memory, versions, and how busy the machine was before the first run."""
    client = servers.client()
    mongo = client.server_info()["version"]
    client.close()
    page = os.sysconf("SC_PAGE_SIZE")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_mb": page * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE,
        "system": platform.platform(),
        "python": platform.python_version(),
        "rabbitmq_major": servers.administration.broker_major(),
        "mongodb": mongo,
        "load_average": os.getloadavg(),
        "commit": _commit(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
