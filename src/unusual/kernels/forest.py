"""Isolation trees as implicit heaps: growing them and scoring rows with them.

A tree of depth D is three arrays: for its 2**D - 1 inner nodes a feature and a threshold, for its 2**D leaves a value.
Node i has the children 2i + 1 and 2i + 2; a row goes right when its feature is above the threshold. Where a branch ends
early, the nodes below have the threshold +inf and all leaves below hold the same value, so no row needs to stop early.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import forest_twin
from unusual.kernels.bags import mean_outside_bags
from unusual.kernels.checks import Array, array, rows_in_range
from unusual.kernels.dispatch import compiled
from unusual.kernels.threads import blocks

Forest = tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]
DEEPEST = 16


def average_path_length(size: Array) -> NDArray[np.float64]:
    """Mean depth of an unsuccessful search in a binary search tree of `size` items: c(n) of Liu et al. (2008).

    c(1) = 0, c(2) = 1, c(n) = 2 (ln(n - 1) + gamma) - 2 (n - 1) / n.
    """
    n = np.maximum(np.asarray(size, np.float64), 2.0)
    c = 2.0 * (np.log(np.maximum(n - 1.0, 1.0)) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(np.asarray(size) <= 1, 0.0, np.where(np.asarray(size) == 2, 1.0, c))


def forest_fit(X: Array, sample: Array, depth: int, generator: np.random.Generator) -> Forest:
    """Grow one isolation tree on each sample of rows (Liu, Ting and Zhou, Isolation Forest, 2008).

    A node draws a feature among those that vary inside it and a threshold uniformly between its extremes there.
    A leaf that holds s rows at depth e has the value e + c(s), see `average_path_length`.

    Parameters
    ----------
    X : float32 (n, d)
    sample : int64 (T, psi)
        Rows of X that tree t is grown on.
    depth : int, 1 to 16
        Depth D of the heap; usually ceil(log2(psi)).
    generator : numpy.random.Generator
        Gives all randomness, before anything is grown.

    Returns
    -------
    feature int32 (T, 2**D - 1), threshold float32 (T, 2**D - 1), leaf float32 (T, 2**D)

    Raises
    ------
    InputError
        If shapes, dtypes, row numbers or the depth do not fit.
    """
    X = array(X, "X", (None, None), (np.float32,))
    sample = array(sample, "sample", (None, None), (np.int64,))
    if not 1 <= depth <= DEEPEST:
        raise InputError(f"a tree of depth {depth} was asked for; use a depth from 1 to {DEEPEST}")
    if X.shape[1] == 0 or sample.shape[1] == 0:
        raise InputError("a tree needs at least one row and one column; give a larger X and sample")
    rows_in_range(sample, len(X), "sample")
    trees, inner = len(sample), 2**depth - 1
    uniform = generator.random((trees, inner, 2))  # which feature, where between its extremes
    path = average_path_length(np.arange(sample.shape[1] + 1))  # (psi + 1,)
    found = compiled()
    if found is None:
        return forest_twin.grow(X, sample, depth, uniform, path)
    feature = np.empty((trees, inner), np.int32)
    threshold = np.empty((trees, inner), np.float32)
    leaf = np.empty((trees, inner + 1), np.float32)
    found[0].forest_fit(X, sample, uniform, path, feature, threshold, leaf, X.shape[1], sample.shape[1], depth)
    return feature, threshold, leaf


def forest_sum(X: Array, feature: Array, threshold: Array, leaf: Array, n_jobs: int | None = None) -> Array:
    """Sum over trees of the leaf value each row of X falls into, float64 (n,); parameters as in `forest_score`."""
    X, feature, threshold, leaf = _checked(X, feature, threshold, leaf)
    out = np.empty(len(X))
    found = compiled()

    def _block(start: int, stop: int) -> None:
        if found is None:
            out[start:stop] = forest_twin.total(X[start:stop], feature, threshold, leaf)
        else:
            sizes = X.shape[1], len(feature), leaf.shape[1].bit_length() - 1
            found[0].forest_sum(X[start:stop], feature, threshold, leaf, out[start:stop], *sizes, found[1])

    blocks(len(X), n_jobs, _block, smallest=1024)
    return out


def forest_score(
    X: Array, feature: Array, threshold: Array, leaf: Array, n_jobs: int | None = None
) -> NDArray[np.float64]:
    """Mean over trees of the leaf value each row falls into; the same bits whatever rows it is scored with.

    Parameters
    ----------
    X : float32 (n, d)
    feature : int32 (T, 2**D - 1)
    threshold : float32 (T, 2**D - 1)
    leaf : float32 (T, 2**D)
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit, or a feature number is outside 0..d-1.
    """
    return forest_sum(X, feature, threshold, leaf, n_jobs) / len(feature)


def forest_score_oob(
    X: Array,
    feature: Array,
    threshold: Array,
    leaf: Array,
    inbag: Array,
    rows: Array,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """Mean leaf value of the rows X[rows] over those trees whose sample does not hold the row.

    Parameters
    ----------
    X : float32 (n, d)
        The matrix the forest was grown on.
    feature, threshold, leaf
        As in `forest_score`.
    inbag : int64 (T, psi)
        Rows of X that each tree was grown on, each at most once.
    rows : int64 (m,)
        Rows to score.
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (m,); a row that is in every sample gets the mean over all trees.

    Raises
    ------
    InputError
        If shapes, dtypes or row numbers do not fit.
    """
    X, feature, threshold, leaf = _checked(X, feature, threshold, leaf)
    inbag = array(inbag, "inbag", (len(feature), None), (np.int64,))
    rows = array(rows, "rows", (None,), (np.int64,))
    rows_in_range(inbag, len(X), "inbag")
    rows_in_range(rows, len(X), "rows")
    total = forest_sum(X[rows], feature, threshold, leaf, n_jobs)
    tree, place = np.nonzero(np.isin(inbag, rows))  # pairs of a tree and a row inside its bag
    wanted = inbag[tree, place]
    own = forest_twin.walk(X, wanted, tree, feature, threshold, leaf)
    return mean_outside_bags(total, rows, wanted, own, len(feature))


def _checked(X: Array, feature: Array, threshold: Array, leaf: Array) -> tuple[Array, Array, Array, Array]:
    X = array(X, "X", (None, None), (np.float32,))
    leaf = array(leaf, "leaf", (None, None), (np.float32,))
    trees, leaves = leaf.shape
    depth = leaves.bit_length() - 1
    if leaves != 2**depth or not 1 <= depth <= DEEPEST or trees == 0:
        raise InputError(f"leaf has shape {leaf.shape}; it must be (trees, 2**depth) with a depth from 1 to {DEEPEST}")
    feature = array(feature, "feature", (trees, leaves - 1), (np.int32,))
    threshold = array(threshold, "threshold", (trees, leaves - 1), (np.float32,))
    rows_in_range(feature, X.shape[1], "feature")
    return X, feature, threshold, leaf
