"""Means, sums of squares about them and extremes of columns, in one walk over the rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.checks import FLOATS, Array, array
from unusual.kernels.dispatch import compiled

SIDE = 256  # values of the rows that are taken side by side: sums down short rows cost several times those down long
BLOCK = 1 << 17  # values of a block, which stays in cache

Vector = NDArray[np.float64]


def column_spread(X: Array) -> tuple[Vector, Vector, Vector, Vector]:
    """Mean, sum of squared deviations from it, smallest and largest value of every column.

    Sums are taken in float64 and in the same order at every level, so that all levels give the same bits.

    Parameters
    ----------
    X : float32 or float64 (n, d), at least one row

    Returns
    -------
    mean, squares, low, high : float64 (d,)

    Raises
    ------
    InputError
        If shape or dtype do not fit.

    Source: Chan, Golub and LeVeque, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances, 1979.
    """
    X, side, lines = _laid_out(X)
    out = np.empty((4, X.shape[1]))
    found = compiled()
    if found is None:
        _twin(X, side, lines, out)
    else:
        found[0].column_spread(X, out, X.shape[1], X.itemsize, side, lines, found[1])
    mean, squares, low, high = out
    return mean, squares, low, high


def column_cubes(X: Array, centre: Vector) -> tuple[Vector, Vector]:
    """Sums of the deviations (d,) of every column from `centre` (d,), and of their cubes (d,); see `column_spread`."""
    X, side, lines = _laid_out(X)
    centre = array(centre, "centre", (X.shape[1],), (np.float64,))
    out = np.zeros((2, X.shape[1]))
    found = compiled()
    if found is not None:
        found[0].column_cubes(X, centre, out, X.shape[1], X.itemsize, side, lines, found[1])
        return out[0], out[1]
    for block in _blocks(X, side, lines):
        Z = block - np.tile(centre, block.shape[1] // X.shape[1])  # float64
        out[0] += _down(_down(Z).reshape(-1, X.shape[1]))
        out[1] += _down(_down(Z * Z * Z).reshape(-1, X.shape[1]))
    return out[0], out[1]


def _laid_out(X: Array) -> tuple[Array, int, int]:
    """X checked, the rows side by side in a line, and the lines of a block."""
    X = array(X, "X", (None, None), FLOATS)
    if 0 in X.shape:
        raise InputError(f"X has shape {X.shape}; give at least one row and one column")
    side = max(1, SIDE // X.shape[1])
    return X, side, max(1, BLOCK // (side * X.shape[1]))


def _blocks(X: Array, side: int, lines: int) -> list[Array]:
    """Blocks (lines, side d), and what is left as (m, d)."""
    whole = len(X) // side * side
    wide = X[:whole].reshape(-1, side * X.shape[1])
    parts = [wide[start : start + lines] for start in range(0, len(wide), lines)]
    return [*parts, X[whole:]] if whole < len(X) else parts


def _twin(X: Array, side: int, lines: int, out: Vector) -> None:
    mean, squares, low, high = out
    mean[:], squares[:], low[:], high[:] = 0.0, 0.0, X[0], X[0]
    count = 0
    for block in _blocks(X, side, lines):
        Z = block.astype(np.float64)  # (m, k d), k rows side by side
        size = Z.size // X.shape[1]
        np.minimum(low, Z.min(axis=0).reshape(-1, X.shape[1]).min(axis=0), out=low)
        np.maximum(high, Z.max(axis=0).reshape(-1, X.shape[1]).max(axis=0), out=high)
        own = _down(_down(Z).reshape(-1, X.shape[1])) / size
        Z -= np.tile(own, Z.shape[1] // X.shape[1])
        np.multiply(Z, Z, out=Z)
        gap = own - mean
        squares += _down(_down(Z).reshape(-1, X.shape[1]))
        squares += gap * gap * (count * size / (count + size))
        mean += gap * (size / (count + size))
        count += size


def _down(Z: Vector) -> Vector:
    """Sum over rows, from the first to the last; a single column NumPy would otherwise sum in pairs."""
    total: Vector = np.cumsum(Z, axis=0)[-1] if Z.shape[1] == 1 else Z.sum(axis=0)
    return total
