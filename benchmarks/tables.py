"""The 21 labelled tables, and how one is judged: every row once, or the rest after a clean half of the normals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

DATA = Path(os.environ.get("UNUSUAL_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "tabular"
MOST_ROWS = 20_000
FAMILIES = {"31_satimage-2": "30_satellite"}  # cut from the same pictures: no independent evidence

Matrix = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """One way to judge a detector on a table: fit on X, score `new` (X itself where that is None), labels y."""

    name: str
    X: Matrix
    new: Matrix | None
    y: Labels

    def judge(self, scores: NDArray[np.float64]) -> tuple[float, float]:
        """Area under the ROC curve and average precision of scores (n,)."""
        return float(roc_auc_score(self.y, scores)), float(average_precision_score(self.y, scores))


def names(folder: Path = DATA) -> list[str]:
    """Names of the tables, the smallest file of values first."""
    if not folder.is_dir():
        raise SystemExit(f"no labelled tables at {folder}; set UNUSUAL_TEST_DATA to the folder that holds tabular/")
    return sorted((path.stem for path in folder.glob("*.npz")), key=lambda name: _read(folder, name)[0].size)


def family(name: str) -> str:
    """Tables of one source share it."""
    return FAMILIES.get(name, name)


def whole(name: str, folder: Path = DATA) -> Split:
    """All rows, z-scored: they are fitted and scored."""
    X, y = _read(folder, name)
    return Split(name, z_scored(X, X), None, y)


def clean_halves(name: str, seeds: int, folder: Path = DATA) -> Iterator[Split]:
    """A random half of the normal rows to fit on, z-scored by that half, and all other rows to score."""
    X, y = _read(folder, name)
    normal = np.flatnonzero(y == 0)
    for seed in range(seeds):
        half = np.random.default_rng(seed).permutation(normal)[: len(normal) // 2]
        rest = np.setdiff1d(np.arange(len(X)), half)
        yield Split(name, z_scored(X[half], X[half]), z_scored(X[rest], X[half]), y[rest])


def z_scored(X: Matrix, reference: Matrix) -> Matrix:
    """X in units of the reference's standard deviation; columns that are constant in the reference are left out."""
    mean, spread = reference.mean(axis=0), reference.std(axis=0)
    kept = spread > 0
    return np.ascontiguousarray((X[:, kept] - mean[kept]) / spread[kept])


def _read(folder: Path, name: str) -> tuple[Matrix, Labels]:
    with np.load(folder / f"{name}.npz", allow_pickle=False) as archive:
        X, y = archive["X"].astype(np.float64), archive["y"].astype(np.int64)
    if len(X) > MOST_ROWS:
        rows = np.random.default_rng(0).choice(len(X), MOST_ROWS, replace=False)
        X, y = X[rows], y[rows]
    return X, y
