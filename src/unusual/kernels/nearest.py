"""Exact nearest neighbours by an exhaustive search that skips what cannot matter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import nearest_twin
from unusual.kernels.checks import FLOATS, Array, array, rows_in_range
from unusual.kernels.dispatch import compiled
from unusual.kernels.packed import PackedRows
from unusual.kernels.threads import blocks

Neighbours = tuple[NDArray[np.float64], NDArray[np.int64]]


def nearest(
    Q: Array,
    X: Array | PackedRows,
    k: int,
    exclude: Array | None = None,
    n_jobs: int | None = None,
    exact: tuple[Array, Array] | None = None,
) -> Neighbours:
    """The k rows of X nearest to each row of Q, by Euclidean distance; exact, ties go to the lower row number.

    The search computes in float32, with a bound on its rounding error, which rows could be among the k nearest; those
    are measured in float64 from the differences of the values as given.

    Parameters
    ----------
    Q : float32 or float64 (m, d)
    X : float32 or float64 (n, d), or PackedRows
        `PackedRows(X)` saves the preparation when X is searched more than once.
    k : int, 1 to n (n - 1 with `exclude`)
    exclude : int64 (m,), optional
        A row of X that is no neighbour of query i (itself, to leave it out), -1 for none.
    n_jobs : int or None
        Threads, as in scikit-learn.
    exact : (float64 (m, d), float64 (n, d)), optional
        The same rows before they were rounded to float32; takes the place of Q and X.

    Returns
    -------
    squared distances float64 (m, k), ascending, and row numbers int64 (m, k)

    Raises
    ------
    InputError
        If shapes, dtypes, row numbers or k do not fit.
    """
    if exact is not None:
        Q, X = exact
    packed = X if isinstance(X, PackedRows) else PackedRows(X)
    Q = array(Q, "Q", (None, packed.shape[1]), FLOATS)
    n = packed.shape[0]
    most = n if exclude is None else n - 1
    if not 1 <= k <= most:
        raise InputError(f"k is {k}, but each query has {most} possible neighbours; use 1 to {most}")
    without = np.full(len(Q), -1, np.int64) if exclude is None else array(exclude, "exclude", (len(Q),), (np.int64,))
    rows_in_range(without, n, "exclude", lowest=-1)
    found = compiled()
    if found is None:
        return nearest_twin.search(Q, packed.rows, k, without, n_jobs)
    distance, index = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    moved, order = packed.move(Q, found[0])  # queries near each other are answered together and share what they skip

    def _block(start: int, stop: int) -> None:
        packed.search(Q, order[start:stop], without, (distance, index), moved, found)

    blocks(len(Q), n_jobs, _block, smallest=64)
    return distance, index
