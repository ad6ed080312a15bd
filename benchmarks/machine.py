"""What a figure was measured on: processor, versions, day."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PREFIXES = ("sse4", "avx", "fma", "f16c", "bmi")
PACKAGES = ("unusual", "numpy", "scipy", "scikit-learn", "duckdb")


def facts() -> dict[str, Any]:
    """Processor with the flags that matter, cores, memory, day, versions, level of the kernels, load before the run."""
    from unusual import kernels

    text = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"flags\s*: (.*)", text)
    return {
        "processor": model[1] if model else platform.processor(),
        "flags": sorted(flag for flag in (flags[1].split() if flags else []) if flag.startswith(PREFIXES)),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.platform(terse=True),
        "day": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "kernels": kernels.level(),
        "load": round(os.getloadavg()[0], 1),
        "commit": _commit(),
    }


def _commit() -> str:
    answer = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=Path(__file__).parent, check=False
    )
    return answer.stdout.strip()
