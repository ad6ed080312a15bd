"""Equal-width histograms of every column, and the sum of a table of values over the bins a row falls into."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import FLOATS, Array, array
from unusual.kernels.dispatch import compiled
from unusual.kernels.threads import blocks

ROWS = 16384  # rows of a block that stays in cache
NO_WIDTH = 1e300  # bins per unit where a column is constant: its value is bin 0, any other lies outside


def histogram_fit(X: Array, low: Array, width: Array, n_bins: int, n_jobs: int | None = None) -> NDArray[np.int64]:
    """Count the values of each column in `n_bins` bins; bin b covers low + b width <= x < low + (b + 1) width.

    The upper end of the range, give or take rounding, belongs to the last bin. Values outside the range are not
    counted. A column whose width is 0 has all values equal to `low` in bin 0.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    low, width : float64 (d,)
    n_bins : int
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    int64 (d, n_bins)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit.
    """
    X, low, scale = _checked(X, low, width)
    if n_bins < 1:
        raise InputError(f"a histogram of {n_bins} bins was asked for; use at least one bin")
    parts: list[Array] = []
    found = compiled()

    def _block(start: int, stop: int) -> None:
        counts = np.zeros((X.shape[1], n_bins + 2), np.int64)
        if found is None:
            for at in range(start, stop, ROWS):
                cells = _cells(X[at : min(at + ROWS, stop)], low, scale, n_bins)
                for j in range(X.shape[1]):
                    counts[j] += np.bincount(cells[j], minlength=n_bins + 2)
        else:
            found[0].histogram_fit(X[start:stop], low, scale, counts, X.shape[1], n_bins, X.itemsize, found[1])
        parts.append(counts)

    blocks(len(X), n_jobs, _block, smallest=ROWS)
    counts: NDArray[np.int64] = np.sum(parts, axis=0)
    return np.ascontiguousarray(counts[:, 1:-1])


def histogram_score(X: Array, low: Array, width: Array, table: Array, n_jobs: int | None = None) -> NDArray[np.float64]:
    """Sum over columns of table[j, bin + 1], where column 0 of the table is for values below the range and the last
    one for values above it.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    low, width : float64 (d,)
        As in `histogram_fit`.
    table : float64 (d, n_bins + 2)
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit.
    """
    X, low, scale = _checked(X, low, width)
    table = array(table, "table", (X.shape[1], None), (np.float64,))
    n_bins = table.shape[1] - 2
    if n_bins < 1:
        raise InputError(f"table has shape {table.shape}; it must have one column per bin and two more")
    out = np.empty(len(X))
    found = compiled()

    def _block(start: int, stop: int) -> None:
        if found is not None:
            sizes = X.shape[1], n_bins, X.itemsize
            found[0].histogram_score(X[start:stop], low, scale, table, out[start:stop], *sizes, found[1])
            return
        for at in range(start, stop, ROWS):
            end = min(at + ROWS, stop)
            score = np.zeros(end - at)
            for j, cell in enumerate(_cells(X[at:end], low, scale, n_bins)):
                score += table[j][cell]
            out[at:end] = score

    blocks(len(X), n_jobs, _block, smallest=ROWS)
    return out


def _cells(X: Array, low: Array, scale: Array, n_bins: int) -> NDArray[np.int64]:
    """Table column of each value (d, n): 0 below the range, 1 + bin inside, n_bins + 1 above."""
    place = (X.T - low[:, None]) * scale[:, None]  # float64 (d, n)
    cells: NDArray[np.int64] = np.clip(place, 0, n_bins - 1).astype(np.int64) + 1
    cells[place < 0] = 0
    cells[place > n_bins * (1 + 1e-12)] = n_bins + 1
    return cells


def _checked(X: Array, low: Array, width: Array) -> tuple[Array, Array, Array]:
    X = array(X, "X", (None, None), FLOATS)
    low = array(low, "low", (X.shape[1],), (np.float64,))
    width = array(width, "width", (X.shape[1],), (np.float64,))
    with np.errstate(divide="ignore", over="ignore"):
        scale = np.minimum(np.where(width > 0, 1.0 / width, NO_WIDTH), NO_WIDTH)
    return X, low, np.ascontiguousarray(scale)
