"""Bootstrap intervals of a statistic and of a paired difference, over items or whole groups of items.

Sources: Efron, Better Bootstrap Confidence Intervals, 1987 (BCa); Davison, Hinkley, Bootstrap Methods and Their
Application, 1997.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from unusual.errors import InputError

Vector = NDArray[np.float64]
Index = NDArray[np.int64]
Statistic = Callable[..., Any]

BLOCK_VALUES = 4_000_000  # resampled values held at once: 32 MB in float64
METHODS = ("percentile", "bca")


@dataclass(frozen=True)
class Interval:
    """An estimate and the limits between which it lies at `level`."""

    estimate: float
    low: float
    high: float
    level: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def bootstrap_interval(
    values: ArrayLike,
    statistic: Statistic = np.mean,
    *,
    groups: ArrayLike | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    method: str = "bca",
    random_state: int = 0,
) -> Interval:
    """Interval of `statistic(values)` from resamples of the items, or of whole groups where items are related.

    Parameters
    ----------
    values : (n,) or (n, k) array
        One row per item; with k columns an item carries several values, such as its label and its score.
    statistic : callable, default np.mean
        Called as `statistic(sample, axis=...)` on many resamples at once if it takes `axis`, else one by one with an
        array shaped like `values`.
    groups : (n,) labels of related items, optional
    level : float in (0, 1)
    resamples : int
    method : "bca" (corrected for bias and skewness) or "percentile"
    random_state : int

    Returns
    -------
    Interval

    Raises
    ------
    InputError
        If there are fewer than two items or groups, values are NaN, or an option is unknown.
    """
    array = np.asarray(values, dtype=np.float64)
    members = _members(array, groups)
    if not 0 < level < 1 or resamples < 1:
        raise InputError(f"level is {level} and resamples {resamples}; give a level in (0, 1), at least one resample")
    if method not in METHODS:
        raise InputError(f"method is {method!r}; choose one of: {', '.join(METHODS)}")
    many = "axis" in inspect.signature(statistic).parameters
    estimate = float(statistic(array, axis=0) if many else statistic(array))
    draws = np.concatenate([_apply(statistic, array, rows, many) for rows in _draws(members, resamples, random_state)])
    edges = np.array([(1 - level) / 2, (1 + level) / 2])
    if method == "bca":
        edges = corrected_levels(edges, estimate, draws, _acceleration(_jackknife(statistic, array, members, many)))
    low, high = np.quantile(draws, edges)
    return Interval(estimate, float(low), float(high), level)


def corrected_levels(edges: Vector, estimate: float, draws: Vector, acceleration: float) -> Vector:
    """Efron's quantile levels of the draws (r,) in place of `edges`: shifted by the bias z0 and the acceleration a."""
    below = (np.count_nonzero(draws < estimate) + np.count_nonzero(draws <= estimate)) / (2 * len(draws))
    if not 0 < below < 1:
        return edges  # every resample lies on one side: no correction can be estimated
    z0 = ndtri(below)
    z = z0 + ndtri(edges)
    return np.asarray(ndtr(z0 + z / (1 - acceleration * z)))


def paired_interval(
    a: ArrayLike, b: ArrayLike, statistic: Statistic = np.mean, *, groups: ArrayLike | None = None, **options: Any
) -> Interval:
    """Interval of `statistic(a) - statistic(b)`, where a[i] and b[i] (n,) belong to the same item, set or seed.

    Both are resampled together, so what an item does to both cancels. `options` are those of `bootstrap_interval`.
    """
    pairs = np.stack([np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)], axis=-1)  # (n, 2)
    if pairs.ndim != 2:
        raise InputError(f"a and b have shape {pairs.shape[:-1]}; give one number per item in each")
    if "axis" not in inspect.signature(statistic).parameters:
        return bootstrap_interval(pairs, lambda s: statistic(s[:, 0]) - statistic(s[:, 1]), groups=groups, **options)

    def difference(sample: Vector, axis: int) -> Any:
        both = statistic(sample, axis=axis)  # (..., 2)
        return both[..., 0] - both[..., 1]

    return bootstrap_interval(pairs, difference, groups=groups, **options)


def _members(array: Vector, groups: ArrayLike | None) -> Index | list[Index]:
    """What is drawn: rows (n, 1), equal groups (g, size), or a list of g groups of unlike size."""
    if array.ndim not in (1, 2) or np.isnan(array).any():
        raise InputError(f"values have shape {array.shape} or hold NaN; give (n,) or (n, k) numbers, one row per item")
    if groups is None:
        parts: list[Index] = list(np.arange(len(array))[:, None])
    else:
        labels = np.asarray(groups)
        if labels.shape != (len(array),):
            raise InputError(f"groups has shape {labels.shape} for {len(array)} items; give one label per item")
        _, label = np.unique(labels, return_inverse=True)
        parts = np.split(np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))[:-1])
    if len(parts) < 2:
        raise InputError("there is one item or group only; an interval needs at least two to resample")
    return np.stack(parts) if len({len(part) for part in parts}) == 1 else parts


def _draws(members: Index | list[Index], resamples: int, random_state: int) -> Iterator[Index | list[Index]]:
    """Row numbers of the resamples, in blocks: (r, n) arrays, or lists of arrays where groups are of unlike size."""
    rng = np.random.default_rng(random_state)
    count = len(members)
    if isinstance(members, list):
        picks = rng.integers(count, size=(resamples, count))
        yield [np.concatenate([members[i] for i in pick]) for pick in picks]
        return
    block = max(1, BLOCK_VALUES // members.size)
    for start in range(0, resamples, block):
        pick = rng.integers(count, size=(min(block, resamples - start), count))
        yield members[pick].reshape(len(pick), -1)


def _apply(statistic: Statistic, array: Vector, rows: Index | list[Index], many: bool) -> Vector:
    """The statistic of each resample (r,)."""
    if many and not isinstance(rows, list):
        return np.asarray(statistic(array[rows], axis=1), dtype=np.float64)
    options = {"axis": 0} if many else {}
    return np.array([statistic(array[row], **options) for row in rows], dtype=np.float64)


def _jackknife(statistic: Statistic, array: Vector, members: Index | list[Index], many: bool) -> Vector:
    """The statistic with each item or group left out in turn (g,)."""
    keep = np.ones(len(array), dtype=bool)
    left: list[float] = []
    for part in members:
        keep[part] = False
        left.append(float(statistic(array[keep], axis=0) if many else statistic(array[keep])))
        keep[part] = True
    return np.array(left)


def _acceleration(jackknife: Vector) -> float:
    """How fast the spread of a statistic grows with it, from its values with each item left out (g,)."""
    gap = jackknife.mean() - jackknife
    spread = float((gap**2).sum() ** 1.5)
    return float((gap**3).sum()) / (6 * spread) if spread > 0 else 0.0
