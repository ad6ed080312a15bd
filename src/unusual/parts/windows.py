"""Windows of a series: cut out, described by their period, and their scores spread back over the steps they cover."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SHORTEST, LONGEST, FALLBACK = 4, 300, 100  # steps of a period
READ = 20_000  # steps from which the period is told
TOLD = 0.1  # autocorrelation below which a peak is no period
ALIKE = 0.95  # of the highest peak: what comes so close to it first is the period, and that one a multiple


def windows(X: Matrix, m: int) -> NDArray[Any]:
    """All windows of m steps of a series X (T, C), a read-only view (T - m + 1, C, m)."""
    return np.lib.stride_tricks.sliding_window_view(X, m, axis=0)


def period(X: Matrix, fallback: int = FALLBACK) -> int:
    """The period of a series X (T, C): the lag at which the autocorrelation, summed over channels, peaks highest.

    Lags from 4 to 300 steps are looked at, up to a quarter of the series; of peaks about as high the first. Where no
    peak is told from noise: `fallback`, at most a tenth of the steps.
    """
    Z = X[:READ] - X[:READ].mean(axis=0)
    T = len(Z)
    most, fallback = min(LONGEST, T // 4), max(1, min(fallback, T // 10))
    if most < SHORTEST:
        return fallback
    spectrum = np.fft.rfft(Z, 2 * T, axis=0)
    power = (spectrum * spectrum.conj()).real
    total = (Z**2).sum(axis=0)
    moving = total > 0
    if not moving.any():
        return fallback
    r = (np.fft.irfft(power[:, moving], axis=0)[: most + 2] / total[moving]).mean(axis=1)
    r = r[: most + 2] * T / np.arange(T, T - len(r), -1)  # each lag by the number of pairs it has
    inner = np.arange(SHORTEST, len(r) - 1)
    peaks = inner[(r[inner] > r[inner - 1]) & (r[inner] >= r[inner + 1]) & (r[inner] > TOLD)]
    return int(peaks[r[peaks] >= ALIKE * r[peaks].max()][0]) if len(peaks) else fallback


def spread_back(scores: Vector, m: int) -> Vector:
    """Scores (n,) of all windows of m steps as scores of n + m - 1 steps: the mean of the windows that cover each."""
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    step = np.arange(len(scores) + m - 1)
    first, last = np.maximum(step - m + 1, 0), np.minimum(step, len(scores) - 1) + 1
    return np.asarray((sums[last] - sums[first]) / (last - first))


def smoothed(scores: Vector, m: int) -> Vector:
    """Mean (n,) of scores (n,) over the m steps around each, fewer at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    step = np.arange(len(scores))
    first, last = np.maximum(step - m // 2, 0), np.minimum(step + (m - 1) // 2 + 1, len(scores))
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
