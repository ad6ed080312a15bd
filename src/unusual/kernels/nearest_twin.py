"""Twin of the neighbour kernel: a tree or float32 matrix products for candidates, then exact distances and ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.kernels.checks import Array
from unusual.kernels.threads import blocks, workers

SPARE = 3  # candidates beyond k, in which ties can be seen
TREE_COLUMNS = 12  # up to here a tree beats measuring every row
CELLS = 1 << 18  # numbers in a block of differences
PRODUCTS = 1 << 21  # numbers in a block of products
FOLD = 16  # rows of which only the nearest is looked at when the reach of a query is sought

Answer = tuple[NDArray[np.float64], NDArray[np.int64]]


def search(Q: Array, X: Array, k: int, without: Array, n_jobs: int | None) -> Answer:
    """See `nearest`; `without` holds -1 where nothing is excluded."""
    Q, X = Q.astype(np.float64), X.astype(np.float64)
    if X.shape[1] <= TREE_COLUMNS and len(X) > 1000:
        return _by_tree(Q, X, k, without, n_jobs)
    return _by_products(Q, X, k, without, n_jobs)


def _by_products(Q: Array, X: Array, k: int, without: Array, n_jobs: int | None) -> Answer:
    """The same for many columns: every distance in float32, by a matrix product, and those within reach exactly."""
    centre = X.mean(axis=0)
    reach = np.abs(X - centre).max()
    scale = float(np.ldexp(1.0, int(np.clip(-np.frexp(reach)[1], -1000, 1000)))) if reach > 0 else 1.0
    rows = ((X - centre) * scale).astype(np.float32)  # within [-1, 1]
    norm = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    slack = (2 * X.shape[1] + 16) * 2.0**-24  # of |x|^2 + |q|^2: float32 rounding of values, products and sums
    wanted = k + bool((without >= 0).any())
    distance, index = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    step = max(1, PRODUCTS // len(X))

    def _block(start: int, stop: int) -> None:
        for at in range(start, stop, step):
            part = slice(at, min(at + step, stop))
            with np.errstate(over="ignore", invalid="ignore"):  # far outside nothing is known: every row is measured
                asked = ((Q[part] - centre) * scale).astype(np.float32)
                own = np.einsum("ij,ij->i", asked, asked, dtype=np.float64)
                near = (-2 * asked) @ rows.T  # (m, n)
                near += norm.astype(np.float32)
                limit = _kth(near, wanted) + 2 * slack * (own + norm.max())
                beyond = near > np.nextafter(limit.astype(np.float32), np.float32(np.inf))[:, None]
            pairs = np.divmod(np.flatnonzero(~beyond), len(X))  # several times as fast as nonzero of two axes
            distance[part], index[part] = _best(Q[part], X, *pairs, without[part], k)

    blocks(len(Q), n_jobs, _block, smallest=64)
    return distance, index


def _kth(near: Array, k: int) -> NDArray[np.float64]:
    """A number (m,) that at least k values of each row of `near` (m, n) do not exceed, and hardly more do."""
    width = near.shape[1] // FOLD
    if width >= 2 * k:
        near = near[:, : width * FOLD].reshape(len(near), FOLD, width).min(axis=1)
    return np.asarray(np.partition(near, k - 1, axis=1)[:, k - 1], dtype=np.float64)


def _best(Q: Array, X: Array, query: Array, row: Array, without: Array, k: int) -> tuple[Array, Array]:
    """The k nearest of the candidate pairs of each query, which come query by query; ties to the lower row number."""
    allowed = row != without[query]
    query, row = query[allowed], row[allowed]
    squared = np.empty(len(query))
    step = max(1, CELLS // X.shape[1])
    for start in range(0, len(query), step):
        part = slice(start, start + step)
        gap = X[row[part]] - Q[query[part]]
        squared[part] = np.einsum("ij,ij->i", gap, gap)
    order = np.lexsort((row, squared, query))
    first = np.searchsorted(query, np.arange(len(Q)))
    chosen = order[first[:, None] + np.arange(k)]  # (m, k)
    return squared[chosen], row[chosen]


def _by_tree(Q: Array, X: Array, k: int, without: Array, n_jobs: int | None) -> Answer:
    from scipy.spatial import cKDTree

    centre = X.mean(axis=0)
    some = min(len(X), k + SPARE + 1)
    tree = cKDTree(X - centre, balanced_tree=False)
    near = tree.query(Q - centre, np.arange(1, some + 1), workers=workers(n_jobs))[1]  # (m, some)
    distance, index = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    step = max(1, CELLS // (some * X.shape[1]))
    for start in range(0, len(Q), step):
        part = slice(start, start + step)
        full = _nearest_of(Q[part], X, near[part], without[part], some)
        distance[part], index[part] = full[0][:, :k], full[1][:, :k]
        if some < len(X):
            size = np.abs(Q[part] - centre).max(axis=1) + np.abs(X - centre).max()
            slack = 1e-12 * (Q.shape[1] + 4) * size * size * Q.shape[1]
            last = np.where(np.isinf(full[0][:, -1]), full[0][:, -2], full[0][:, -1])
            unsure = np.flatnonzero(~(distance[part][:, -1] + slack < last))
            if len(unsure):
                rows = unsure + start
                distance[rows], index[rows] = _by_products(Q[rows], X, k, without[rows], n_jobs)
    return distance, index


def _nearest_of(Q: Array, X: Array, candidates: Array, without: Array, keep: int) -> tuple[Array, Array]:
    """Candidates sorted by exact squared distance, then row number; the excluded row comes last, at infinity."""
    step = X[candidates] - Q[:, None]  # (m, candidates, d)
    squared = np.einsum("ijk,ijk->ij", step, step)
    squared[candidates == without[:, None]] = np.inf
    order = np.lexsort((candidates, squared), axis=1)[:, :keep]
    return np.take_along_axis(squared, order, 1), np.take_along_axis(candidates, order, 1)
