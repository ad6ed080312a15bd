"""How much memory a detector needs at its worst moment, above the process that has imported and used it once.

`python -m benchmarks.peak_memory METHOD ROWS COLUMNS` prints one JSON object; each measurement needs a fresh process.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import single_thread
from unusual import catalogue


def in_fresh_process(method: str, n: int, d: int) -> dict[str, Any]:
    """Bytes of the data (n, d) float32 and at the peak above the baseline, data included, over fit and score."""
    command = [sys.executable, "-m", "benchmarks.peak_memory", method, str(n), str(d)]
    answer = subprocess.run(command, env=single_thread(), capture_output=True, text=True, check=False)
    if answer.returncode:
        return {"failed": (answer.stderr.strip().splitlines() or [f"ended with {answer.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def measure(method: str, n: int, d: int) -> dict[str, Any]:
    """The same in this process, which should have done nothing before."""
    rng = np.random.default_rng(0)
    small = rng.standard_normal((300, d), dtype=np.float32)
    catalogue.make(method).fit(small).anomaly_score(small)
    baseline = _status("VmRSS")
    X = rng.standard_normal((n, d), dtype=np.float32)
    catalogue.make(method).fit(X).anomaly_score(X)
    return {"data": X.nbytes, "above": _status("VmHWM") - baseline, "baseline": baseline}


def _status(field: str) -> int:
    """Bytes this process holds (VmRSS) or held at most (VmHWM)."""
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    if match is None:
        raise SystemExit("this system does not tell the memory of a process in /proc/self/status")
    return int(match[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
