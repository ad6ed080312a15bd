"""Rows by their content: hashes, folds that keep equal rows together, and small fixed samples."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Index = NDArray[np.int64]


def row_hash(X: NDArray[np.floating[Any]]) -> NDArray[np.uint64]:
    """A 64-bit hash of each row of X (n, d), the same wherever the row stands."""
    state = np.full(len(X), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for j in range(X.shape[1]):
        bits = (X[:, j].astype(np.float64) + 0.0).view(np.uint64)  # + 0.0 makes -0.0 and 0.0 equal
        state = _mix(state ^ bits)
    return state


def _mix(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele et al., Fast Splittable Pseudorandom Number Generators, 2014)."""
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))


def some_rows(count: int, most: int) -> Index:
    """At most `most` of `count` row numbers, ascending, spread without a period and always the same."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(count).choice(count, most, replace=False))


def folds(X: NDArray[np.floating[Any]], groups: ArrayLike | None, n_folds: int) -> Index:
    """The fold (n,) of each row: whole groups stay together, and equal rows where no groups are given.

    Where everything would fall into one fold (one group only, or equal rows only) rows are dealt out one by one.
    """
    if groups is None:
        _, keys = np.unique(row_hash(X), return_inverse=True)
    else:
        _, keys = np.unique(np.asarray(groups), return_inverse=True)
    sizes = np.bincount(keys)
    if len(sizes) < 2:
        return np.arange(len(X)) % n_folds
    fold_of_key = np.empty(len(sizes), dtype=np.int64)
    load = np.zeros(min(n_folds, len(sizes)), dtype=np.int64)
    if len(sizes) > 1000:  # many small groups: dealing them out is even enough
        fold_of_key[:] = np.arange(len(sizes)) % len(load)
    else:
        for key in np.argsort(-sizes, kind="stable"):  # largest groups first, each to the emptiest fold
            fold_of_key[key] = int(np.argmin(load))
            load[fold_of_key[key]] += sizes[key]
    return fold_of_key[keys]


def fingerprint(X: NDArray[np.floating[Any]]) -> str:
    """A short name of the data: its shape and the contents of a fixed sample of rows."""
    rows = X[some_rows(len(X), 10_000)]
    digest = hashlib.sha256(np.sort(row_hash(rows)).tobytes())
    return f"{len(X)}x{X.shape[1]}-{digest.hexdigest()[:16]}"
