"""Twin of the neighbour kernel: scikit-learn's search for candidates, then exact distances and ties."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.kernels.checks import Array

SPARE = 3  # candidates beyond k, in which ties can be seen
TREE_COLUMNS = 12  # up to here scikit-learn's tree beats its exhaustive search
CELLS = 1 << 18  # numbers in a block of differences


def search(
    Q: Array, X: Array, k: int, without: Array, n_jobs: int | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """See `nearest`; `without` holds -1 where nothing is excluded."""
    from sklearn.neighbors import NearestNeighbors

    Q, X = Q.astype(np.float64), X.astype(np.float64)
    centre = X.mean(axis=0)
    some = min(len(X), k + SPARE + 1)
    algorithm = "kd_tree" if X.shape[1] <= TREE_COLUMNS and len(X) > 1000 else "brute"
    model = NearestNeighbors(n_neighbors=some, algorithm=algorithm, n_jobs=n_jobs).fit(X - centre)
    distance, index = np.empty((len(Q), k)), np.empty((len(Q), k), np.int64)
    step = max(1, CELLS // (some * max(1, X.shape[1])))
    near = model.kneighbors(Q - centre, return_distance=False) if len(Q) else index
    for start in range(0, len(Q), step):
        part = slice(start, start + step)
        full = _nearest_of(Q[part], X, near[part], without[part], some)
        distance[part], index[part] = full[0][:, :k], full[1][:, :k]
        if some < len(X):
            size = np.abs(Q[part] - centre).max(axis=1) + np.abs(X - centre).max()
            slack = 1e-12 * (Q.shape[1] + 4) * size * size * Q.shape[1]
            last = np.where(np.isinf(full[0][:, -1]), full[0][:, -2], full[0][:, -1])
            unsure = np.flatnonzero(~(distance[part][:, -1] + slack < last))
            for i in unsure + start:
                one = slice(i, i + 1)
                everything = np.arange(len(X))[None]
                distance[one], index[one] = (a[:, :k] for a in _nearest_of(Q[one], X, everything, without[one], len(X)))
    return distance, index


def _nearest_of(Q: Array, X: Array, candidates: Array, without: Array, keep: int) -> tuple[Array, Array]:
    """Candidates sorted by exact squared distance, then row number; the excluded row comes last, at infinity."""
    step = X[candidates] - Q[:, None]  # (m, candidates, d)
    squared = np.einsum("ijk,ijk->ij", step, step)
    squared[candidates == without[:, None]] = np.inf
    order = np.lexsort((candidates, squared), axis=1)[:, :keep]
    return np.take_along_axis(squared, order, 1), np.take_along_axis(candidates, order, 1)
