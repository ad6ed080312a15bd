"""k-means: seeding by squared distance, then Lloyd's steps; the same numbers whatever the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating[Any]]
Index = NDArray[np.int64]
CELLS = 1 << 22  # distances held at a time
ENOUGH = 1e-5  # a step that lowers the sum of squared distances by less is the last


def nearest_centre(X: Rows, centres: Rows) -> tuple[Index, NDArray[np.float64]]:
    """Number of the nearest of the centres (k, d) to each row of X (n, d), and its squared distance: two (n,)."""
    nearest, squared = np.empty(len(X), np.int64), np.empty(len(X))
    lengths = np.einsum("ij,ij->i", centres, centres)
    step = max(1, CELLS // len(centres))
    for start in range(0, len(X), step):
        block = X[start : start + step]
        gap = lengths - 2 * (block @ centres.T)  # (b, k), short of the length of the row itself
        best = gap.argmin(axis=1)
        nearest[start : start + step] = best
        squared[start : start + step] = gap[np.arange(len(block)), best] + np.einsum("ij,ij->i", block, block)
    return nearest, np.maximum(squared, 0)


def kmeans(
    X: Rows, k: int, rng: np.random.Generator, iterations: int = 100, restarts: int = 1, seeds: Rows | None = None
) -> tuple[Rows, Index, float]:
    """Centres (k, d), the nearest centre of each row (n,), and the sum of squared distances; the best of `restarts`.

    `seeds` (k, d) are first centres, for where there are too many to choose them with care.

    Sources: Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding, 2007; Lloyd, Least Squares
    Quantization in PCM, 1982.
    """
    if seeds is not None:
        return _lloyd(X, seeds, iterations)
    k = min(k, len(X))
    runs = (_lloyd(X, _seeds(X, k, rng), iterations) for _ in range(restarts))
    return min(runs, key=lambda run: run[2])


def _seeds(X: Rows, k: int, rng: np.random.Generator) -> Rows:
    """k rows, each drawn by its squared distance to those before; the best of a few draws counts."""
    seeds = [int(rng.integers(len(X)))]
    squared = np.square(X - X[seeds[0]]).sum(axis=1)
    draws = 2 + int(np.log(k))
    for _ in range(1, k):
        total = np.cumsum(squared, dtype=np.float64)
        candidates = np.minimum(np.searchsorted(total, rng.random(draws) * total[-1], side="right"), len(X) - 1)
        left = [np.minimum(squared, np.square(X - X[c]).sum(axis=1)) for c in candidates]
        best = int(np.argmin([part.sum(dtype=np.float64) for part in left]))
        squared = left[best]
        seeds.append(int(candidates[best]))
    return X[seeds].copy()


def _lloyd(X: Rows, centres: Rows, iterations: int) -> tuple[Rows, Index, float]:
    nearest, squared = nearest_centre(X, centres)
    for _ in range(iterations):
        centres = _means(X, nearest, squared, centres)
        before = squared.sum()
        nearest, squared = nearest_centre(X, centres)
        if squared.sum() >= (1 - ENOUGH) * before:
            break
    return centres, nearest, float(squared.sum())


def _means(X: Rows, nearest: Index, squared: NDArray[np.float64], centres: Rows) -> Rows:
    """Means (k, d) of the rows of each cluster; an empty cluster moves to a row that is far from its own centre."""
    k = len(centres)
    sizes = np.bincount(nearest, minlength=k)
    sums = np.stack([np.bincount(nearest, weights=column, minlength=k) for column in X.T], axis=1)  # (k, d)
    means = (sums / np.maximum(sizes, 1)[:, None]).astype(X.dtype)
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        means[empty] = X[np.argsort(-squared, kind="stable")[: len(empty)]]
    return means
