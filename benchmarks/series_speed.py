"""Speed per thread of the search for nearest windows beside stumpy, on a random walk, one row a length.

CPU time of one thread, both sides in turn in one run on the same series; the peer has compiled before. --only takes
rows: the keys of ROWS below.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import facts
from benchmarks.peers import Peer
from benchmarks.results import keep, table
from unusual import kernels

NAME = "series_speed"
REPEATS = 3
CLEAR = 1e-3  # distances above which both must name the same neighbour

Vector = NDArray[np.float64]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One comparison: the nearest of the windows of m steps in a series of `steps`, in shape or in value."""

    steps: int
    m: int
    normalised: bool = True
    levels: tuple[str, ...] = ("avx512", "avx2", "plain")

    @property
    def task(self) -> str:
        return "stumpy_profile" if self.normalised else "stumpy_raw_profile"


ROWS = {
    "shapes": Row(20_000, 100),
    "shapes_long": Row(100_000, 100, levels=("avx512", "avx2")),
    "shapes_wide": Row(20_000, 1_000),
    "values": Row(20_000, 100, normalised=False),
    "numpy_shapes": Row(5_000, 100, levels=("numpy",)),
    "numpy_values": Row(5_000, 100, normalised=False, levels=("numpy",)),
}


def run(only: list[str]) -> None:
    """Measure the rows named in `only`, or all."""
    if unknown := set(only) - set(ROWS):
        raise SystemExit(f"there is no row {sorted(unknown)[0]}; choose from {', '.join(ROWS)}")
    with Peer() as ask, tempfile.TemporaryDirectory() as folder:
        machine = {**facts(), "peers": ask(do="versions")}
        for key, row in ROWS.items():
            if not only or key in only:
                found = {"machine": machine, **compared(row, ask, Path(folder))}
                keep(NAME, key, found)
                print(key, {name: value for name, value in found.items() if name != "machine"}, flush=True)


def compared(row: Row, ask: Callable[..., Answer], folder: Path) -> Answer:
    """CPU seconds of both sides, one after the other in each repeat, and how far the results are apart."""
    x = np.random.default_rng(0).normal(size=row.steps).cumsum()
    few, data, out = (str(folder / f"{row.steps}-{name}.npy") for name in ("few", "all", "out"))
    np.save(few, x[: 4 * row.m])
    np.save(data, x)
    levels = [level for level in row.levels if level in kernels.available()]
    start = ask(do="time", task=row.task, parameters={"m": row.m}, data=few)  # compiled, imported
    mine: dict[str, list[float]] = {level: [] for level in levels}
    theirs, distance, index = [], np.empty(0), np.empty(0)
    for _ in range(REPEATS):
        answer = ask(do="time", task=row.task, parameters={"m": row.m}, data=data, out=out)
        if "failed" in answer:
            return {"failed": answer["failed"]}
        theirs.append(round(answer["cpu"], 3))
        for level in levels:
            seconds, distance, index = _timed(row, x, level)
            mine[level].append(round(seconds, 3))
    other = np.load(out, allow_pickle=False)  # (n, 2): distance, index
    clear = other[:, 0] > CLEAR
    return {
        "size": [row.steps, row.m],
        "normalised": row.normalised,
        "compiling": round(start.get("cpu", 0.0), 1),
        "theirs": theirs,
        "ours": mine,
        "ratio": {level: round(statistics.median(theirs) / statistics.median(mine[level]), 2) for level in levels},
        "apart": float(np.abs(distance - other[:, 0]).max()),
        "other_neighbours": int((index != other[:, 1])[clear].sum()),
    }


def _timed(row: Row, x: Vector, level: str) -> tuple[float, Vector, NDArray[np.int64]]:
    with kernels.at_level(level):
        start = time.process_time()
        squared, index = kernels.nearest_windows(x, row.m, normalised=row.normalised)
        return time.process_time() - start, np.sqrt(squared[:, 0]), index[:, 0]


def markdown(kept: dict[str, Any]) -> str:
    """The section on the search for nearest windows, from the results kept."""
    lines = [
        [f"{row['size'][0]:,}, {row['size'][1]:,}", "shape" if row["normalised"] else "value",
         f"{statistics.median(row['theirs']):.2f}", level, f"{statistics.median(seconds):.3f}",
         f"{row['ratio'][level]:.1f}x", f"{row['apart']:.0e}", str(row["other_neighbours"])]
        for row in kept.values() if "ratio" in row for level, seconds in row["ours"].items()
    ]  # fmt: skip
    heads = ["steps, window", "nearest in", "stumpy s", "level", "ours s", "faster", "apart", "other neighbours"]
    compiling = max((row.get("compiling", 0.0) for row in kept.values()), default=0.0)
    return (
        "## Nearest windows of a series\n\nCPU seconds of one thread (median of three, both sides in turn) for the "
        "nearest other window of every window of a random walk, beside stumpy after it has compiled, which took up "
        f"to {compiling:.0f} s of CPU time at its first call. `apart` is the largest difference of the distances, the "
        "last column counts windows for which the two name different neighbours.\n\n" + table(heads, lines)
    )
