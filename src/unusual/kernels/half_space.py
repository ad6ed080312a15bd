"""Half-space trees: rows walk down trees that halve a box, to where few rows have been.

A tree of depth h is a heap: 2^h - 1 inner nodes with a column and a cut, and a mass for all 2^(h + 1) - 1 nodes; a row
goes right where its column is above the cut. Tan, Ting, Liu, Fast Anomaly Detection for Streaming Data, 2011.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import Array, array, rows_in_range
from unusual.kernels.dispatch import compiled

DEEPEST = 16
AT_ONCE = 2048  # rows that the twin walks down together


def half_space_mass(
    X: Array, column: Array, cut: Array, mass: Array, few: float, latest: Array | None = None
) -> NDArray[np.float64]:
    """Sum over trees of mass times 2^level at the first node of a row's way that holds at most `few`, or at its leaf.

    Parameters
    ----------
    X : float64 (n, d)
    column : int32 (trees, 2**h - 1)
    cut : float64 (trees, 2**h - 1)
    mass : int32 (trees, 2**(h + 1) - 1)
    few : float
    latest : int32 (trees, 2**(h + 1) - 1) or None
        Where given, counts in place the rows that pass each node; C-contiguous.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit, or a column number is outside 0..d-1.
    """
    X = array(X, "X", (None, None), (np.float64,))
    column = array(column, "column", (None, None), (np.int32,))
    trees, inner = column.shape
    depth = (inner + 1).bit_length() - 1
    if trees == 0 or inner + 1 != 2**depth or not 1 <= depth <= DEEPEST:
        raise InputError(f"column has shape {column.shape}; it must be (trees, 2**depth - 1), depth 1 to {DEEPEST}")
    rows_in_range(column, X.shape[1], "column")
    cut = array(cut, "cut", (trees, inner), (np.float64,))
    mass = array(mass, "mass", (trees, 2 * inner + 1), (np.int32,))
    if latest is not None and array(latest, "latest", mass.shape, (np.int32,)) is not latest:
        raise InputError("latest is not contiguous; it is counted in place, so give a whole array")
    out = np.zeros(len(X))
    found = compiled()
    if found is None:
        for i in range(0, len(X), AT_ONCE):
            out[i : i + AT_ONCE] = _twin(X[i : i + AT_ONCE], column, cut, mass, few, latest)
    else:
        counted = np.zeros((trees, mass.shape[1]), np.int32) if latest is None else latest
        sizes = X.shape[1], trees, depth
        found[0].half_space(X, column, cut, mass, counted, out, sizes, few, latest is not None)
    return out


def _twin(X: Array, column: Array, cut: Array, mass: Array, few: float, latest: Array | None) -> NDArray[np.float64]:
    """All rows and trees one level after the other."""
    trees, inner = cut.shape
    depth = (inner + 1).bit_length() - 1
    tree, rows = np.arange(trees)[:, None], np.arange(len(X))
    node: NDArray[np.int64] = np.zeros((trees, len(X)), np.int64)
    total, walking = np.zeros(node.shape), np.ones(node.shape, dtype=bool)
    for level in range(depth + 1):
        if latest is not None:
            at = node + tree * mass.shape[1]
            latest += np.bincount(at.ravel(), minlength=mass.size).reshape(mass.shape).astype(np.int32)
        here = mass[tree, node]
        stops = walking & ((here <= few) | (level == depth))
        total += np.where(stops, here * 2.0**level, 0.0)
        walking &= ~stops
        if level == depth or not (latest is not None or walking.any()):
            break
        node = 2 * node + 1 + (X[rows, column[tree, node]] > cut[tree, node])
    return np.asarray(total.sum(axis=0))
