"""Windows of a series looked up in others: how far the nearest are, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import nearest_windows
from unusual.parts.windows import windows

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Index = NDArray[np.int64]

MOST, FEWEST, VALUES = 50_000, 5_000, 200_000  # windows each is compared with; values of one step of all of these


def joined(parts: Sequence[Matrix]) -> Matrix:
    """Series (T_i, C) one after another, with a missing step between, over which no window reaches."""
    gap = np.full((1, parts[0].shape[1]), np.nan)
    return np.concatenate([piece for part in parts for piece in (part, gap)][:-1])


def most_compared(channels: int) -> int:
    """How many windows each is compared with, at most: 50,000, fewer with more than four channels, so that a search
    in long series stays short. Lags are left out evenly, so the nearest of the rest is hardly farther.
    """
    return min(MOST, max(FEWEST, VALUES // channels))


def look_up(
    Z: Matrix,
    m: int,
    k: int,
    normalised: bool,
    reference: Matrix | None = None,
    excluded: tuple[int, int] | None = None,
    n_jobs: int | None = None,
    thinned: bool = True,
) -> tuple[Vector, Index]:
    """How far the k-th nearest window is, the root of the mean squared difference per value, and which is the nearest.

    Parameters
    ----------
    Z : (T, C), the reference itself unless another is given
    m, k, normalised, excluded, n_jobs : see `nearest_windows`
    thinned : whether each window is compared with `most_compared` windows at most

    Returns
    -------
    distance float64 (n,) and index int64 (n,); where fewer than k windows are there, the farthest of them counts, and
    where none is: infinity and -1.
    """
    most = most_compared(Z.shape[1]) if thinned else None
    squared, index = nearest_windows(
        Z, m, k, reference, normalised=normalised, excluded=excluded, most=most, n_jobs=n_jobs
    )
    farthest = np.where(np.isfinite(squared), squared, -np.inf).max(axis=1)
    return np.sqrt(np.where(farthest < 0, np.inf, farthest) / (m * Z.shape[1])), index[:, 0]


def settled(distance: Vector) -> Vector:
    """Distances (n,) with the lowest in place of those of windows that have no neighbour to be measured by."""
    known = np.isfinite(distance)
    return np.where(known, distance, distance[known].min() if known.any() else 0.0)


def over_parts(
    distance: Vector, parts: Sequence[Matrix], m: int, spread: Callable[[Vector, int], Vector]
) -> list[Vector]:
    """Scores of the steps of each part from the distances (n,) of all windows of those that `joined` put together."""
    distance, scores, start = settled(distance), [], 0
    for part in parts:
        scores.append(spread(distance[start : start + len(part) - m + 1], m))
        start += len(part) + 1
    return scores


def shown(Z: Matrix, index: Index, reference: Matrix, m: int, levelled: bool) -> Matrix:
    """What the nearest windows show at each step of Z (T, C): the mean over the windows that cover it.

    Where `levelled`, a neighbour is lifted by the median difference of the window from it, channel by channel: the
    median, so that the few steps that stand out do not lift it. A window without neighbour shows itself.
    """
    own = windows(Z, m)  # (n, C, m)
    sums, step = np.zeros_like(Z), max(1, (1 << 20) // (m * Z.shape[1]))
    for start in range(0, len(own), step):
        part = slice(start, min(start + step, len(own)))
        there = index[part] >= 0
        near = windows(reference, m)[np.where(there, index[part], 0)]
        if levelled:
            near = near + np.median(own[part] - near, axis=2, keepdims=True)
        near = np.where(there[:, None, None], near, own[part])
        for t in range(m):
            sums[part.start + t : part.stop + t] += near[:, :, t]
    first = np.arange(len(Z))
    covering = np.minimum(first, len(own) - 1) - np.maximum(first - m + 1, 0) + 1
    return np.asarray(sums / covering[:, None])


def earlier(Z: Matrix, m: int, reference: Matrix | None, n_jobs: int | None = None, known: int = 0) -> Vector:
    """How far the nearest earlier window is (n,), of the shapes of `reference` and of Z itself; infinite without one.

    Windows of Z less than a quarter of a window before are no neighbours. The first `known` steps of Z are only looked
    in: n is len(Z) - known - m + 1.
    """
    zone = -(-m // 4)
    asked = Z[known:]
    if reference is None:
        before, offset = Z, known
    else:
        before, offset = joined([reference, Z]), len(reference) + 1 + known
    excluded = (offset - zone, len(before))
    return look_up(asked, m, 1, True, before, excluded, n_jobs, thinned=False)[0]


class WindowStream:
    """The distances that `earlier` gives for a whole series, as its steps come.

    reference: (R, C) that counts as earlier. keep: how many of the latest steps are kept beside it; all unless given.
    """

    def __init__(self, reference: Matrix, m: int, keep: int | None = None, n_jobs: int | None = None) -> None:
        if keep is not None and keep < 2 * m:
            raise InputError(f"keep is {keep}; give at least two windows, {2 * m} steps")
        self.reference, self.m, self.keep, self.n_jobs = reference, m, keep, n_jobs
        self.steps = np.empty((0, reference.shape[1]))

    @property
    def ready(self) -> bool:
        return len(self.steps) >= self.m - 1

    def append(self, Z: Matrix) -> Vector:
        """Distances (r,) of the windows that end in the new steps Z (t, C), r <= t."""
        known = max(0, len(self.steps) - self.m + 1)
        self.steps = np.concatenate([self.steps, Z])
        if len(self.steps) < self.m or not len(Z):
            return np.empty(0)
        distance = earlier(self.steps, self.m, self.reference, self.n_jobs, known)
        if self.keep is not None:
            self.steps = self.steps[-self.keep :]
        return distance
