"""The stretch of normal steps that is most like an event: what would have been usual there, channel by channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

Matrix = NDArray[np.float64]

LONGEST = 2000  # steps compared


@dataclass(frozen=True)
class NearestStretch:
    """Where the most similar normal stretch starts in its pool, its values (L, C), and the squared gaps (L, C)."""

    start: int
    values: Matrix
    gaps: Matrix


def nearest_stretch(Z: Matrix, begin: int, end: int, pool: Matrix, usable: NDArray[np.bool_]) -> NearestStretch | None:
    """The stretch of `pool` with the smallest Euclidean distance to Z[begin:end], over all channels together.

    Parameters
    ----------
    Z, pool : (T, C) and (R, C) in standard units; the same array where a series is compared with itself
    begin, end : the steps of Z to explain, `end` left out
    usable : (R,) bool, steps of the pool that may be part of a normal stretch

    Returns
    -------
    NearestStretch or None
        None where no stretch of that length is usable.
    """
    query = Z[begin:end]
    L = len(query)
    if len(pool) < L:
        return None
    blocked = np.concatenate([[0], np.cumsum(~usable)])
    free = blocked[L:] == blocked[:-L]  # (R - L + 1,)
    if not free.any():
        return None
    squares = np.concatenate([[0.0], np.cumsum((pool**2).sum(axis=1))])
    cross = sum(fftconvolve(pool[:, c], query[::-1, c], mode="valid") for c in range(pool.shape[1]))
    distance = squares[L:] - squares[:-L] - 2 * np.asarray(cross)
    start = int(np.argmin(np.where(free, distance, np.inf)))
    normal = pool[start : start + L]
    return NearestStretch(start, normal, (query - normal) ** 2)
