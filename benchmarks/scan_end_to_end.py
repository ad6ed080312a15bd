"""`unusual scan` on CSV files of 1 and 10 million rows, and what it costs to start.

--only takes rows: million, ten_million, start.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import facts
from benchmarks.results import keep

NAME = "scan_end_to_end"
COLUMNS = 10
CHUNK = 250_000
SIZES = {"million": 1_000_000, "ten_million": 10_000_000}
STARTS = 11
METHODS = ("AutoTable", "IsolationForest", "ECOD")  # the default first
HEAVY = ("numpy", "scipy", "sklearn", "torch", "pandas", "polars", "pyarrow", "duckdb", "narwhals")
WRITE = "import sys; from benchmarks.scan_end_to_end import write; write(sys.argv[1], int(sys.argv[2]))"
LIST = "import json, sys; old = set(sys.modules); import unusual; print(json.dumps(sorted(set(sys.modules) - old)))"
COMMAND = [sys.executable, "-c", "from unusual._cli import main; main()"]


def run(only: list[str]) -> None:
    """Measure the rows named in `only`, or all."""
    machine = facts()
    for key, n in SIZES.items():
        if not only or key in only:
            _keep(key, {"machine": machine, **_scanned(n)})
    if not only or "start" in only:
        _keep("start", {"machine": machine, **_started()})


def _keep(key: str, found: dict[str, Any]) -> None:
    keep(NAME, key, found)
    print(key, {name: value for name, value in found.items() if name != "machine"}, flush=True)


def write(path: str, n: int, d: int = COLUMNS, chunk: int = CHUNK) -> None:
    """A CSV of n rows, d columns of normal values with 4 decimals, one row in a thousand four times as far out."""
    import numpy as np
    import pyarrow as pa
    from pyarrow.csv import CSVWriter

    rng = np.random.default_rng(0)
    schema = pa.schema([(f"c{i}", pa.float64()) for i in range(d)])
    with CSVWriter(path, schema) as writer:
        for start in range(0, n, chunk):
            X = rng.standard_normal((min(chunk, n - start), d))
            X[::1000] *= 4
            writer.write_table(pa.table(list(X.round(4).T), schema=schema))


def _scanned(n: int) -> dict[str, Any]:
    """Wall and CPU seconds and peak memory of the command, with each method."""
    from unusual.catalogue import cards

    runs = {}
    with tempfile.TemporaryDirectory() as folder:
        source, small, page = (Path(folder, name) for name in ("table.csv", "small.csv", "report.html"))
        # written elsewhere, since a child starts with the peak of the process that starts it
        for path, rows in ((source, n), (small, 1000)):
            subprocess.run([sys.executable, "-c", WRITE, str(path), str(rows)], check=True)
        environment = as_installed(Path(folder))
        for method in [method for method in METHODS if method in cards()]:
            options = ["--method", method, "--html", str(page)]
            spent([*COMMAND, "scan", str(small), *options], environment)
            runs[method] = spent([*COMMAND, "scan", str(source), *options], environment)
        size = source.stat().st_size
    return {"rows": n, "columns": COLUMNS, "file_mb": round(size / 2**20, 1), "runs": runs}


def as_installed(folder: Path) -> dict[str, str]:
    """The environment of a user: nothing said about threads, and Python keeps what it compiles (here in `folder`)."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def spent(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """What a command used until it ended: wall and CPU seconds, peak memory, last lines of what it said."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        said.seek(0)
        last = said.read().strip().splitlines()[-3:] if process.returncode else []
    return {
        "wall_s": round(wall, 4),
        "cpu_s": round(used.ru_utime + used.ru_stime, 4),
        "peak_mb": round(used.ru_maxrss / 1024, 1),
        "exit": process.returncode,
        "said": last,
    }


def _started() -> dict[str, Any]:
    """Wall and CPU milliseconds of `import unusual` and of `unusual --help`, and what the import loads."""
    answer = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    loaded = json.loads(answer.stdout)
    with tempfile.TemporaryDirectory() as folder:
        environment = as_installed(Path(folder))
        return {
            "python_ms": _median([sys.executable, "-c", "pass"], environment),
            "import_ms": _median([sys.executable, "-c", "import unusual"], environment),
            "help_ms": _median([*COMMAND, "--help"], environment),
            "modules": loaded,
            "heavy": [name for name in HEAVY if name in loaded],
        }


def _median(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Median wall and CPU milliseconds over fresh processes, after one that warms the disk cache."""
    found = [spent(command, environment) for _ in range(STARTS)][1:]
    return {what: round(1000 * statistics.median(one[f"{what}_s"] for one in found), 0) for what in ("wall", "cpu")}
