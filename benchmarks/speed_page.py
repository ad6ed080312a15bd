"""What docs/benchmarks.md says about speed and memory of detectors, and about the scan from end to end."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.results import table

LEVELS = ("avx512", "avx2", "plain", "numpy")
AGAIN = "fit, score as new rows"
FITTED = "fit, score the fitted rows"


def markdown(kept: dict[str, Any]) -> str:
    """The section on speed, from the results kept."""
    compared = {key: row for key, row in kept.items() if "ratio" in row}
    with_compiler = {key: row for key, row in compared.items() if not key.startswith("numpy_")}
    without = {key: row for key, row in compared.items() if key.startswith("numpy_")}
    return "\n".join(
        [
            "## Speed of one thread\n",
            "CPU seconds (median of three, both sides in turn on the same data, one thread each). `plain` is what a "
            "portable build runs anywhere, `avx2` and `avx512` are chosen at run time where the processor has them. "
            "Agreement is the rank correlation of our scores with the peer's; forests draw, so theirs is below 1. "
            "Our times include the calibration of the threshold.\n",
            _times(with_compiler),
            "### Without a compiler\n",
            "The same with the NumPy twins of the kernels, which run where the package was built without a compiler.\n",
            _times(without),
            _one_row(kept.get("one_row", {})),
            _memory(kept.get("memory", {})),
        ]
    )


def _times(rows: dict[str, Any]) -> str:
    """One line for each comparison and level."""
    lines = []
    for row in rows.values():
        n, d, dtype = row["size"]
        theirs = statistics.median(row["theirs"])
        for level in [level for level in LEVELS if level in row["ours"]]:
            goal = row["goal"].get(level, 1.0 if level == "numpy" else None)
            ratio = row["ratio"][level]
            reached = "" if goal is None else "yes" if ratio >= goal else "no"
            lines.append(
                [row["method"], f"{n:,} x {d} {dtype}", AGAIN if row["again"] else FITTED, _peer(row), f"{theirs:.2f}",
                 level, f"{statistics.median(row['ours'][level]):.2f}", f"{ratio:.1f}x",
                 "" if goal is None else f"{goal:g}x", reached, f"{row['agreement']:.4f}"]
            )  # fmt: skip
    heads = ["method", "data", "what", "peer", "peer s", "level", "ours s", "faster", "goal", "reached", "agreement"]
    return table(heads, lines)


def _peer(row: dict[str, Any]) -> str:
    if row["task"].startswith("pyod"):
        return f"PyOD {row['peer']['method']}"
    return "scikit-learn" + (f" ({row['peer']['algorithm']})" if "algorithm" in row["peer"] else "")


def _one_row(row: dict[str, Any]) -> str:
    if not row:
        return ""
    sizes = sorted(next(iter(row["milliseconds"].values())), key=int)
    ours = {name: times for name, times in row["milliseconds"].items() if "." not in name}
    peers = {name: times for name, times in row["milliseconds"].items() if "." in name}
    lines = [[name, *(f"{times[size]:.3f}" for size in sizes)] for name, times in sorted(ours.items())]
    lines += [
        [f"PyOD {name[5:]}" if name.startswith("pyod.") else "scikit-learn IsolationForest"]
        + [f"{times[size]:.3f}" for size in sizes]
        for name, times in peers.items()
    ]
    intro = (
        f"### One row\n\nMedian wall milliseconds of {row['calls']:,} calls that score one float32 row of "
        f"{row['columns']} columns (peers: fewer calls, float32 too), by the number of rows fitted.\n\n"
    )
    return intro + table(["detector", *(f"{int(size):,} rows fitted" for size in sizes)], lines)


def _memory(row: dict[str, Any]) -> str:
    if not row:
        return ""
    lines = []
    for name, found in row["methods"].items():
        if "failed" in found:
            lines.append([name, "–", "–", found["failed"]])
            continue
        share = found["above"] / found["data"]
        lines.append([name, f"{found['above'] / 2**20:,.0f}", f"{share:.2f}x", "yes" if share < 3 else "no"])
    intro = (
        f"### Memory\n\nPeak of fit and score above the process that had imported and used the detector once, data "
        f"included, at {row['n']:,} x {row['d']} float32 ({row['n'] * row['d'] * 4 / 2**20:,.0f} MB).\n\n"
    )
    return intro + table(["detector", "peak MB", "times the data", "under 3x"], lines)


def end_to_end(kept: dict[str, Any]) -> str:
    """The section on the scan from CSV to report."""
    lines = []
    for key in ("million", "ten_million"):
        row = kept.get(key, {"runs": {}})
        for method, run in row["runs"].items():
            size = [f"{row['rows']:,} x {row['columns']}", f"{row['file_mb']:,.0f}"]
            failed = " ".join(run["said"]) if run["exit"] else ""
            figures = [f"{run['wall_s']:.1f}", f"{run['cpu_s']:.1f}", f"{run['peak_mb']:,.0f}"]
            lines.append([*size, method, *figures, failed])
    text = (
        "## From a CSV file to the report\n\n`unusual scan table.csv --method METHOD --html report.html`, all cores.\n"
    )
    text += "\n" + table(["rows x columns", "file MB", "method", "wall s", "CPU s", "peak MB", "failed"], lines)
    start = kept.get("start")
    if start:
        heavy = ", ".join(start["heavy"]) or "none of numpy, scipy, scikit-learn, torch, pandas"
        empty, imported, helped = (start[key]["wall"] for key in ("python_ms", "import_ms", "help_ms"))
        text += (
            f"\n`import unusual` takes {imported:.0f} ms (an empty Python {empty:.0f} ms) and loads "
            f"{len(start['modules'])} modules, {heavy}; `unusual --help` takes {helped:.0f} ms (wall, median of ten).\n"
        )
    return text
