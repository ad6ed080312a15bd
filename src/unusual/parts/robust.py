"""Location and scale of columns that a minority of arbitrary values cannot move far."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

REJECT = 4.5  # values further than this many deviations do not count for the location
CLIP = 3.0  # and count as this many for the scale
_NORMAL_MAD = 0.6744897501960817  # median absolute deviation of a standard normal variable


def _consistency() -> float:
    """Expectation of min(z^2, a^2) for a standard normal z, where a is CLIP deviations of its median deviation."""
    a = CLIP * _NORMAL_MAD
    inside = math.erf(a / math.sqrt(2))
    density = math.exp(-a * a / 2) / math.sqrt(2 * math.pi)
    return inside - 2 * a * density + a * a * (1 - inside)


_AT_NORMAL = _consistency()


def medians(Y: Matrix) -> Matrix:
    """Upper median (d,) of each row of Y (d, n), by selection."""
    middle = Y.shape[1] // 2
    return np.asarray(np.partition(Y, middle, axis=1)[:, middle])


def tau(Y: Matrix) -> tuple[Matrix, Matrix]:
    """Tau location and scale of each row of Y (d, n): two arrays (d,), the scale as for a normal variable.

    A variable whose median deviation is 0 takes its mean absolute deviation instead; one that is constant has scale 0.
    Source: Maronna and Zamar, Robust Estimates of Location and Dispersion for High-Dimensional Datasets, 2002.
    """
    middle = medians(Y)
    Z = Y - middle[:, None]  # (d, n)
    far = np.abs(Z)
    spread = medians(far)  # (d,)
    spread = np.where(spread > 0, spread, far.mean(axis=1) * _NORMAL_MAD)
    unit = np.where(spread > 0, spread, 1.0)[:, None]
    weight = np.square(np.maximum(1 - np.square(far / (REJECT * unit)), 0))  # (d, n)
    shift = (weight * Z).sum(axis=1) / weight.sum(axis=1)
    Z -= shift[:, None]
    np.clip(Z, -CLIP * unit, CLIP * unit, out=Z)
    squared = np.einsum("ij,ij->i", Z, Z) / Y.shape[1]
    return middle + shift, np.sqrt(squared / _AT_NORMAL)
