"""The nearest windows of a series: for every window of m steps the k others that look most like it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels import windows_twin
from unusual.kernels.checks import Array, array
from unusual.kernels.dispatch import compiled
from unusual.kernels.shapes import LAGS, Laid, laid_out
from unusual.kernels.threads import blocks

Index = NDArray[np.int64]
Kept = tuple[NDArray[np.float64], NDArray[np.float64], Index]
Neighbours = tuple[NDArray[np.float64], Index]

MOST_NEIGHBOURS = 16
GREATEST = 1e150  # squares of larger values do not fit a float64
GOLDEN = 0.6180339887498949


def nearest_windows(
    X: Array,
    m: int,
    k: int = 1,
    reference: Array | None = None,
    *,
    normalised: bool = True,
    excluded: tuple[int, int] | None = None,
    most: int | None = None,
    n_jobs: int | None = None,
) -> Neighbours:
    """The k windows of m steps nearest to each window of a series.

    The distance is Euclidean, summed over channels; `normalised` brings every channel of every window to mean 0 and
    variance 1 first (a constant one to 0: two of them are 0 apart, one and another are sqrt(m)). The time hardly grows
    with m. Steps that are NaN part a series: no window reaches over them.

    Parameters
    ----------
    X : float64 (T, C) or (T,)
    m : int, 1 to T (2 where normalised)
    k : int, 1 to 16
    reference : float64 (R, C) or (R,), optional
        Where to look; X itself unless given.
    normalised : bool, default True
    excluded : (int, int), optional
        Lags: window j of the reference is no neighbour of window i when first <= j - i <= last. By default none, and
        without a reference those up to a quarter of m, rounded up, either way. (-c, T) leaves windows more than c
        earlier.
    most : int, optional
        About how many windows each is compared with, at most: the lags looked at are thinned out evenly.
    n_jobs : int or None
        Threads, as in scikit-learn. The result does not depend on it.

    Returns
    -------
    squared distances float64 (T - m + 1, k), ascending, and window numbers int64 (T - m + 1, k); infinity and -1 where
    there are fewer than k. Equal distances come in no particular order.

    Raises
    ------
    InputError
        If shapes or numbers do not fit, or values are infinite or beyond 1e150.

    Source: Yeh et al., Matrix Profile I: All Pairs Similarity Joins for Time Series, 2016.
    """
    X = _series(X, "X", m, None)
    other = X if reference is None else _series(reference, "reference", m, X.shape[1])
    _check(m, k, normalised)
    if excluded is None:
        excluded = (0, -1) if reference is not None else (m // -4, -(m // -4))
    a = laid_out(X, m, normalised)
    b = a if reference is None else laid_out(other, m, normalised)
    plan = Plan.of(a.windows, b.windows, excluded, most, mirrored=reference is None)
    if compiled() is None:
        likeness, index = windows_twin.search(X, other, m, k, plan.looked_at(), normalised)
    else:
        likeness, index = _search(a, b, k, plan, normalised, n_jobs)
    return _measured(a, b, index) if normalised else (np.where(index < 0, np.inf, 0.0 - likeness), index)


@dataclass(frozen=True)
class Plan:
    """Which diagonals are followed: (first lag, number of lags) of groups of up to LAGS, in the order of the visit.

    ahead: lags j - i from 0, kept for i, and for j as well where the series is compared with itself and a lag and its
    opposite are both wanted; behind: lags i - j from 1, kept for i.
    """

    ahead: Index
    behind: Index
    both: bool
    sizes: tuple[int, int]

    @classmethod
    def of(cls, n: int, r: int, excluded: tuple[int, int], most: int | None, mirrored: bool) -> Plan:
        """The diagonals for n windows and r of the reference; mirrored: a series against itself."""
        first, last = excluded
        ahead = _parts(0, r, first, last)
        behind = _parts(1, n, -last, -first)
        share = 1.0 if most is None else most / max(1, r)
        both = mirrored and [part for part in ahead if part[0] > 0] == behind and (0, 1) not in ahead
        return cls(_groups(ahead, share), _groups([] if both else behind, share), both, (n, r))

    def looked_at(self) -> NDArray[np.bool_]:
        """Whether lag j - i is looked at, by lag + n (n + r,)."""
        n, r = self.sizes
        wanted = np.zeros(n + r, dtype=bool)
        for first, count in self.ahead.tolist():
            wanted[n + first : n + first + count] = True
            if self.both:
                wanted[n - first - count + 1 : n - first + 1] = True
        for first, count in self.behind.tolist():
            wanted[n - first - count + 1 : n - first + 1] = True
        return wanted


def _parts(start: int, stop: int, first: int, last: int) -> list[tuple[int, int]]:
    """range(start, stop) without first..last, as pieces (start, stop)."""
    if last < first:
        return [(start, stop)] if start < stop else []
    pieces = [(start, min(stop, first)), (max(start, last + 1), stop)]
    return [(a, b) for a, b in pieces if a < b]


def _groups(parts: list[tuple[int, int]], share: float) -> Index:
    """Groups of lags (count, 2) in an order that leaps about evenly, cut after `share` of them.

    Neighbouring lags find neighbouring windows; leaps find what is near early, so that little is kept in vain, and give
    every thread long and short diagonals.
    """
    groups = [(at, min(LAGS, b - at)) for a, b in parts for at in range(a, b, LAGS)]
    order = np.argsort(np.arange(len(groups)) * GOLDEN % 1.0, kind="stable")
    wanted = order[: max(1, round(min(1.0, share) * len(groups)))]
    return np.array(groups, dtype=np.int64).reshape(-1, 2)[wanted]


def _check(m: int, k: int, normalised: bool) -> None:
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise InputError(f"k is {k}; give a number of neighbours from 1 to {MOST_NEIGHBOURS}")
    if normalised and m < 2:
        raise InputError("windows of one step have no shape to compare; give m from 2, or normalised=False")


def _series(value: Array, name: str, m: int, channels: int | None) -> Array:
    value = np.asarray(value)
    value = array(value[:, None] if value.ndim == 1 else value, name, (None, channels), (np.float64,))
    if value.shape[1] == 0 or not 1 <= m <= len(value):
        raise InputError(f"{name} has shape {value.shape}, which holds no window of {m} steps; give a smaller m from 1")
    if np.nanmax(np.abs(value), initial=0.0) > GREATEST:
        raise InputError(f"{name} holds values beyond {GREATEST:g}, whose squares are infinite; scale it down first")
    return value


def _search(a: Laid, b: Laid, k: int, plan: Plan, normalised: bool, n_jobs: int | None) -> Neighbours:
    """Likeness (n, k), highest first, and index (n, k), by the compiled loops; one set of lists for each thread."""
    found: dict[int, Kept] = {}
    total = len(plan.ahead) + len(plan.behind)

    def _block(start: int, stop: int) -> None:
        mine, none = _empty(a.windows, k), _empty(max(a.windows, b.windows), 0)
        cut = len(plan.ahead)
        _follow(a, b, mine, mine if plan.both else none, plan.ahead[start:stop], k, normalised)
        _follow(b, a, none, mine, plan.behind[max(0, start - cut) : max(0, stop - cut)], k, normalised)
        found[start] = mine

    blocks(total, n_jobs, _block, smallest=4)
    lists = [found[start] for start in sorted(found)]
    if len(lists) == 1:
        return lists[0][1], lists[0][2]
    likeness = np.concatenate([part[1] for part in lists], axis=1)
    index = np.concatenate([part[2] for part in lists], axis=1)
    order = np.argsort(-likeness, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(likeness, order, 1), np.take_along_axis(index, order, 1)


def _empty(n: int, k: int) -> Kept:
    """The worst kept (n + LAGS,), likeness and index (n, k) before anything is found; k = 0 keeps nothing."""
    worst = np.full(n + LAGS, np.inf)
    if k:
        worst[:n] = -np.inf
    return worst, np.full((n, k), -np.inf), np.full((n, k), -1, np.int64)


def _follow(row: Laid, lane: Laid, of_row: Kept, of_lane: Kept, lags: Index, k: int, normalised: bool) -> None:
    if len(lags) == 0:
        return
    loops, level = compiled() or (None, 0)
    assert loops is not None
    sides = [(worst[: side.windows + LAGS], *rest) for side, (worst, *rest) in ((row, of_row), (lane, of_lane))]
    sizes = (row.windows, lane.windows, row.m, row.channels, k)
    given = [(side.values, side.shapes, side.bonus) for side in (row, lane)]
    loops.windows(*given, *sides, np.ascontiguousarray(lags), sizes, int(normalised), level)


def _measured(a: Laid, b: Laid, index: Index) -> Neighbours:
    """Squared distances (n, k) of normalised windows, from the values, ascending, and the index in their order."""
    found = compiled()
    if found is None:
        distance = windows_twin.measure(a, b, index)
    else:
        distance = np.empty(index.shape)
        sizes = (a.windows, b.windows, a.m, a.channels, index.shape[1])
        found[0].windows_measure((a.values, a.shapes), (b.values, b.shapes), index, distance, sizes)
    order = np.argsort(distance, axis=1, kind="stable")
    return np.take_along_axis(distance, order, 1), np.take_along_axis(index, order, 1)
