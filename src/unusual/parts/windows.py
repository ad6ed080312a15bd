"""Windows of a series: cut out, and their scores spread back over the steps they cover."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def windows(X: Matrix, m: int) -> NDArray[Any]:
    """All windows of m steps of a series X (T, C), a read-only view (T - m + 1, C, m)."""
    return np.lib.stride_tricks.sliding_window_view(X, m, axis=0)


def rows_of(X: Matrix, m: int) -> Matrix:
    """All windows of m steps of a series X (T, C) as rows (T - m + 1, C m), channels one after the other."""
    return np.ascontiguousarray(windows(X, m).reshape(len(X) - m + 1, -1))


def spread_back(scores: Vector, m: int) -> Vector:
    """Scores (n,) of all windows of m steps as scores of n + m - 1 steps: the mean of the windows that cover each."""
    step = np.arange(len(scores) + m - 1)
    return _means(scores, step - m + 1, step + 1)


def smoothed(scores: Vector, m: int) -> Vector:
    """Mean (n,) of scores (n,) over the m steps around each, fewer at the ends."""
    step = np.arange(len(scores))
    return _means(scores, step - m // 2, step + (m - 1) // 2 + 1)


def _means(scores: Vector, first: NDArray[np.int64], last: NDArray[np.int64]) -> Vector:
    """Mean of the scores from `first` to before `last`, both cut to what there is."""
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    first, last = np.maximum(first, 0), np.minimum(last, len(scores))
    return np.asarray((sums[last] - sums[first]) / (last - first))


def at_last_step(scores: Vector, m: int) -> Vector:
    """Scores (n,) of all windows of m steps, each given to its last step: what a stream can know (n + m - 1,).

    The first m - 1 steps, before any window is full, get the lowest score.
    """
    return np.concatenate([np.full(m - 1, scores.min()), scores])


def block_maxima(scores: Vector, length: int) -> Vector:
    """The highest score of each stretch of `length` steps (T // length,), the rest joining the last one."""
    count = max(1, len(scores) // length)
    starts = np.arange(count) * length
    return np.asarray(np.maximum.reduceat(scores, starts))


def held(rows: Matrix, last: Vector | None = None) -> Matrix:
    """Missing values of rows (n, C) replaced by the last one of their channel, if any; `last` came before."""
    if not np.isnan(rows).any():
        return rows
    above = rows if last is None else np.concatenate([last[None], rows])
    there = np.where(np.isnan(above), 0, np.arange(len(above))[:, None])
    filled = np.take_along_axis(above, np.maximum.accumulate(there, axis=0), axis=0)
    return np.asarray(filled[len(filled) - len(rows) :])
