"""The windows of a series as the search for nearest windows wants them: values in lines, mean and spread of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Running = tuple[Matrix, Matrix]

LAGS = 64  # spare places at the end of each line; as in csrc/windows.h


@dataclass(frozen=True)
class Laid:
    """A series of `windows` windows of m steps, channel by channel, each line followed by LAGS spare places.

    values (C, T + LAGS), shapes (4, C, windows + LAGS) and bonus (windows + LAGS,) are what csrc/windows.h says; the
    last two are empty unless windows are normalised.
    """

    values: Matrix
    shapes: Matrix
    bonus: Vector
    windows: int
    m: int

    @property
    def channels(self) -> int:
        return len(self.values)


def laid_out(X: Matrix, m: int, normalised: bool) -> Laid:
    """Lay out a series X (T, C); a window that holds a NaN is nobody's neighbour."""
    n = len(X) - m + 1
    values = np.full((X.shape[1], len(X) + LAGS), np.nan)
    if not normalised:
        values[:, : len(X)] = X.T
        return Laid(values, np.empty(0), np.empty(0), n, m)
    missing = np.asarray(np.isnan(X).any(axis=1))
    Z = _moderate(np.where(missing[:, None], 0.0, X))
    values[:] = 0.0
    values[:, : len(X)] = Z.T
    mean, squares = window_moments(Z, m)
    shapes = np.zeros((4, X.shape[1], n + LAGS))
    shapes[0, :, :n] = mean.T
    entering, leaving = Z[m:] - mean[1:], Z[: n - 1] - mean[:-1]
    shapes[1, :, 1:n] = (Z[m:] - Z[: n - 1]).T / 2
    shapes[2, :, 1:n] = (entering + leaving).T
    with np.errstate(divide="ignore"):
        shapes[3, :, :n] = np.where(squares > 0, 1 / np.sqrt(squares), 0.0).T
    bonus = np.full(n + LAGS, -np.inf)
    gone = np.concatenate([[0], np.cumsum(missing)])
    bonus[:n] = np.where(gone[m:] == gone[:-m], 0.5 * (squares == 0).sum(axis=1), -np.inf)
    return Laid(values, shapes, bonus, n, m)


def _moderate(X: Matrix) -> Matrix:
    """Each channel within [-1, 1] by a power of two, which rounds nothing, so that no square is too large or small."""
    return np.asarray(np.ldexp(X, -np.frexp(np.abs(X).max(axis=0))[1]))


def window_moments(X: Matrix, m: int) -> tuple[Matrix, Matrix]:
    """Mean (n, C) and sum of squares about it (n, C) of all windows of m steps of a series X (T, C).

    A window is the end of one stretch of m steps and the start of the next, whose running moments are put together:
    nothing is subtracted, so what a window does not hold leaves no trace in it, and a constant one has exactly 0.

    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
    """
    n = len(X) - m + 1
    count = (n - 1) // m + 2
    padded = np.zeros((count * m, X.shape[1]))
    padded[: len(X)] = X
    blocks = np.ascontiguousarray(padded.reshape(count, m, -1).swapaxes(0, 1))  # (m, count, C)
    mean, squares = (_running(blocks[::-1])[i][::-1][:, :-1] for i in range(2))  # of steps t.. of a stretch
    after = tuple(part[:-1, 1:] for part in _running(blocks))  # of steps ..t - 1 of the next; none for t = 0
    t = np.arange(1, m)[:, None, None]
    gap = after[0] - mean[1:]
    squares[1:] += after[1] + gap * gap * (t * (m - t) / m)
    mean[1:] += gap * (t / m)
    return mean.swapaxes(0, 1).reshape(-1, X.shape[1])[:n], squares.swapaxes(0, 1).reshape(-1, X.shape[1])[:n]


def _running(blocks: Matrix) -> Running:
    """Mean and sum of squares (m, count, C) of the first 1, 2, ... m steps of blocks (m, count, C)."""
    mean, squares = np.empty_like(blocks), np.empty_like(blocks)
    mean[0], squares[0] = blocks[0], 0.0
    for t in range(1, len(blocks)):
        gap = blocks[t] - mean[t - 1]
        mean[t] = mean[t - 1] + gap / (t + 1)
        squares[t] = squares[t - 1] + gap * (blocks[t] - mean[t])
    return mean, squares
