"""Twin of the kernel of nearest windows: matrix products of normalised windows, sums along diagonals of raw ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.kernels.checks import Array
from unusual.kernels.shapes import Laid, laid_out

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]
Answer = tuple[Matrix, Index]

CELLS = 1 << 21  # numbers in a block


def search(X: Array, reference: Array, m: int, k: int, looked_at: NDArray[np.bool_], normalised: bool) -> Answer:
    """Likeness (n, k), highest first, and index (n, k); `looked_at` says which lags count, by lag + n."""
    if normalised:
        return _by_products(laid_out(X, m, True), laid_out(reference, m, True), k, looked_at)
    return _by_diagonals(X, reference, m, k, looked_at)


def measure(a: Laid, b: Laid, index: Index) -> Matrix:
    """Squared distances (n, k) of normalised windows to those named in index; infinite for -1."""
    distance = np.full(index.shape, np.inf)
    step = max(1, CELLS // (a.channels * a.m))
    for at in range(0, a.windows, step):
        rows = np.arange(at, min(at + step, a.windows))
        own = _unit(a, rows)
        for p in range(index.shape[1]):
            some = index[rows, p] >= 0
            if not some.any():
                continue
            gap = own[some] - _unit(b, index[rows[some], p])
            distance[rows[some], p] = a.m * np.einsum("ij,ij->i", gap, gap)
    return distance


def _unit(laid: Laid, rows: Index) -> Matrix:
    """Windows (len(rows), C m) with mean 0 and sum of squares 1, constant ones 0."""
    windows = np.lib.stride_tricks.sliding_window_view(laid.values, laid.m, axis=1)[:, rows]  # (C, rows, m)
    mean, inverse = laid.shapes[0][:, rows], laid.shapes[3][:, rows]
    scaled: Matrix = (windows - mean[..., None]) * inverse[..., None]
    return scaled.swapaxes(0, 1).reshape(len(rows), -1)


def _by_products(a: Laid, b: Laid, k: int, looked_at: NDArray[np.bool_]) -> Answer:
    likeness, index = np.full((a.windows, k), -np.inf), np.full((a.windows, k), -1, np.int64)
    step = max(1, min(1024, CELLS // (a.channels * a.m)))
    for left in range(0, b.windows, step):
        others = np.arange(left, min(left + step, b.windows))
        unit = _unit(b, others)
        for top in range(0, a.windows, step):
            rows = np.arange(top, min(top + step, a.windows))
            near = _unit(a, rows) @ unit.T + a.bonus[rows, None] + b.bonus[others]
            near[~looked_at[others - rows[:, None] + a.windows]] = -np.inf
            some = min(k, len(others))
            best = np.argpartition(-near, some - 1, axis=1)[:, :some]
            found = np.take_along_axis(near, best, 1)
            _keep(likeness, index, rows, found, np.where(found > -np.inf, others[best], -1))
    return likeness, index


def _keep(likeness: Matrix, index: Index, rows: Index, found: Matrix, where: Index) -> None:
    """Put what was found (rows, any) into the lists of `rows`, highest first."""
    both, which = np.hstack([likeness[rows], found]), np.hstack([index[rows], where])
    order = np.argsort(-both, axis=1, kind="stable")[:, : likeness.shape[1]]
    likeness[rows], index[rows] = np.take_along_axis(both, order, 1), np.take_along_axis(which, order, 1)


def _by_diagonals(X: Array, R: Array, m: int, k: int, looked_at: NDArray[np.bool_]) -> Answer:
    n, r = len(X) - m + 1, len(R) - m + 1
    likeness, index = np.full((n, k), -np.inf), np.full((n, k), -1, np.int64)
    for lag in (np.flatnonzero(looked_at) - n).tolist():
        first, last = max(0, -lag), min(n, r - lag)
        if first >= last:
            continue
        gap = X[first : last + m - 1] - R[first + lag : last + m - 1 + lag]
        near = -_window_sums(np.einsum("ij,ij->i", gap, gap), m)
        rows = first + np.flatnonzero(near > likeness[first:last, -1])
        _keep(likeness, index, rows, near[rows - first, None], (rows + lag)[:, None])
    return likeness, index


def _window_sums(steps: Matrix, m: int) -> Matrix:
    """Sums of all windows of m steps, from the running sums of stretches of m steps: nothing is subtracted."""
    n = len(steps) - m + 1
    padded = np.zeros(((n - 1) // m + 2) * m)
    padded[: len(steps)] = steps
    blocks = padded.reshape(-1, m)
    sums = np.cumsum(blocks[:-1, ::-1], axis=1)[:, ::-1]
    sums[:, 1:] += np.cumsum(blocks[1:, :-1], axis=1)
    return sums.ravel()[:n]
