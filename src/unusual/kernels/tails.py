"""Empirical tails: how many reference values lie at or beyond a value, and what ECOD and COPOD make of that."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import FLOATS, Array, array
from unusual.kernels.dispatch import compiled
from unusual.kernels.spread import column_cubes, column_spread
from unusual.kernels.threads import blocks

Combine = Literal["ecod", "copod"]
ROWS = 8192  # rows of a block that stays in cache
RADIX_PAYS = 10_000  # from here on sorting by digits beats comparing


def tails_fit(X: Array, n_jobs: int | None = None) -> Array:
    """Sort every column.

    Parameters
    ----------
    X : float32 or float64 (n, d)
    n_jobs : int or None
        Threads over columns, as in scikit-learn.

    Returns
    -------
    sorted columns (d, n), dtype of X
    """
    X = array(X, "X", (None, None), FLOATS)
    n, d = X.shape
    columns = np.empty((d, n), X.dtype)
    found = compiled() if X.dtype == np.float32 and n > RADIX_PAYS else None

    def _block(start: int, stop: int) -> None:
        if found is not None:
            found[0].columns_sort(X, columns[start:stop], d, start, stop - start)
            return
        for row in range(0, n, ROWS):  # in blocks, a transposition stays in cache
            columns[start:stop, row : row + ROWS] = X[row : row + ROWS, start:stop].T
        columns[start:stop].sort(axis=1)

    blocks(d, n_jobs, _block)
    return columns


def tails_counts(X: Array, columns: Array, n_jobs: int | None = None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For every value the number of reference values <= it, and the number < it.

    Parameters
    ----------
    X : float32 or float64 (m, d)
    columns : (d, n), dtype of X
        From `tails_fit`.
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    at_most int64 (m, d), below int64 (m, d)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit.
    """
    X, columns = _checked(X, columns)
    at_most, below = np.empty(X.shape, np.int64), np.empty(X.shape, np.int64)
    found = compiled()

    def _block(start: int, stop: int) -> None:
        if found is None:
            at_most[start:stop], below[start:stop] = _counts(X[start:stop], columns)
        else:
            sizes = columns.shape[0], columns.shape[1], X.itemsize, found[1]
            found[0].tails_counts(X[start:stop], columns, at_most[start:stop], below[start:stop], *sizes)

    blocks(len(X), n_jobs, _block, smallest=1024)
    return at_most, below


def tails_terms(
    X: Array, columns: Array, skew: Array, combine: Combine, leave_out: bool = False, n_jobs: int | None = None
) -> NDArray[np.float64]:
    """What each column adds to the score of `tails_score`; same parameters.

    Returns
    -------
    float64 (m, d), rows sum to the score (up to rounding)
    """
    X, columns, sign, size = _ready(X, columns, skew, combine, leave_out)
    at_most, below = tails_counts(X, columns, n_jobs)
    return _terms(at_most, below, sign, combine, size, leave_out)


def tails_score(
    X: Array, columns: Array, skew: Array, combine: Combine, leave_out: bool = False, n_jobs: int | None = None
) -> NDArray[np.float64]:
    """Sum over columns of the surprise -log F of a value's tails under the empirical distribution of the reference.

    With L = -log(#{ref <= x} / n), R = -log(#{ref >= x} / n) and A the tail that the skewness points away from (L where
    it is negative, R where positive, L + R where 0), a column adds max(L, R, A) for "ecod" and max(A, (L + R) / 2) for
    "copod". A count of 0 is taken as 0.5: a value beyond all reference values is rarer than the rarest of them.

    Parameters
    ----------
    X : float32 or float64 (m, d)
    columns : (d, n), dtype of X
        From `tails_fit`.
    skew : float64 (d,)
        Skewness of each reference column, of which only the sign counts; see `column_skewness`.
    combine : "ecod" or "copod"
    leave_out : bool
        The rows of X are reference rows: count each against the n - 1 others.
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (m,)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit, or `leave_out` is asked for with a single reference row.

    Sources: Li et al., ECOD, 2022; Li et al., COPOD, 2020.
    """
    X, columns, sign, size = _ready(X, columns, skew, combine, leave_out)
    out = np.empty(len(X))
    found = compiled()

    def _block(start: int, stop: int) -> None:
        if found is not None:
            sizes = columns.shape[0], columns.shape[1], X.itemsize
            rule = int(combine == "copod"), int(leave_out)
            found[0].tails_score(X[start:stop], columns, sign, out[start:stop], *sizes, *rule, found[1])
            return
        out[start:stop] = 0.0
        for j in range(columns.shape[0]):
            counts = _counts(X[start:stop, j : j + 1], columns[j : j + 1])
            out[start:stop] += _terms(*counts, sign[j : j + 1], combine, size, leave_out)[:, 0]

    blocks(len(X), n_jobs, _block, smallest=4096)
    return out


def column_skewness(X: Array) -> NDArray[np.float64]:
    """Skewness m3 / m2**1.5 of every column (biased, as in ECOD), 0 where a column is constant; sums in float64.

    Parameters
    ----------
    X : float32 or float64 (n, d)

    Returns
    -------
    float64 (d,)
    """
    X = array(X, "X", (None, None), FLOATS)
    if len(X) == 0:
        return np.zeros(X.shape[1])
    mean, squares, low, high = column_spread(X)
    rest, cubes = column_cubes(X, mean)
    cubes -= 3 * rest / len(X) * squares  # what rounding left in the mean counts threefold
    spread = np.sqrt(squares / len(X))
    constant = (low == high) | (spread == 0)
    return np.where(constant, 0.0, cubes / len(X) / np.where(constant, 1.0, spread) ** 3)


def _counts(X: Array, columns: Array) -> tuple[Array, Array]:
    at_most, below = np.empty(X.shape, np.int64), np.empty(X.shape, np.int64)
    for j, reference in enumerate(columns):
        order = np.argsort(X[:, j])  # sorted questions walk through the reference in order, which caches like
        asked = X[order, j]
        below[order, j] = np.searchsorted(reference, asked, "left")
        at_most[order, j] = np.searchsorted(reference, asked, "right")
    return at_most, below


def _terms(at_most: Array, below: Array, sign: Array, combine: str, size: int, leave_out: bool) -> NDArray[np.float64]:
    n = size - leave_out
    left = -np.log(np.maximum(at_most - leave_out, 0.5) / n)  # (m, d)
    right = -np.log(np.maximum(size - below - leave_out, 0.5) / n)
    away = np.where(sign < 0, left, np.where(sign > 0, right, left + right))
    other = np.maximum(left, right) if combine == "ecod" else (left + right) / 2
    terms: NDArray[np.float64] = np.maximum(away, other)
    return terms


def _ready(
    X: Array, columns: Array, skew: Array, combine: str, leave_out: bool
) -> tuple[Array, Array, NDArray[np.float64], int]:
    X, columns = _checked(X, columns)
    if combine not in ("ecod", "copod"):
        raise InputError(f"combine is {combine!r}; use 'ecod' or 'copod'")
    size = columns.shape[1]
    if size <= leave_out:
        raise InputError(f"the reference has {size} rows, too few to leave one out; give at least two")
    return X, columns, array(skew, "skew", (columns.shape[0],), (np.float64,)), size


def _checked(X: Array, columns: Array) -> tuple[Array, Array]:
    X = array(X, "X", (None, None), FLOATS)
    columns = array(columns, "columns", (X.shape[1], None), (X.dtype.type,))
    if columns.shape[1] == 0:
        raise InputError("columns holds no reference values; fit on at least one row")
    return X, columns
