"""Isolation by nearest-neighbour balls: the smallest ball of each set that covers a row, and what that ball says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.errors import InputError
from unusual.kernels.bags import mean_outside_bags
from unusual.kernels.checks import Array, array, rows_in_range
from unusual.kernels.dispatch import compiled
from unusual.kernels.threads import blocks

CELLS = 1 << 18  # distances of a block that stay in cache


def ball_radii(centres: Array) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Squared distance from each centre to the nearest other centre of its set, and which one that is.

    The sums run in the order that `isolation_balls` uses, so that a centre lies exactly on the ball of its neighbour.

    Parameters
    ----------
    centres : float32 (T, psi, d), psi >= 2

    Returns
    -------
    radius2 float32 (T, psi), neighbour int64 (T, psi)

    Raises
    ------
    InputError
        If shape or dtype do not fit.
    """
    centres = array(centres, "centres", (None, None, None), (np.float32,))
    sets, psi, d = centres.shape
    if psi < 2:
        raise InputError("a set of balls needs at least two centres; draw larger samples")
    distance = np.zeros((sets, psi, psi), np.float32)
    for j in range(d):
        step = centres[:, :, None, j] - centres[:, None, :, j]
        distance += step * step
    distance[:, np.arange(psi), np.arange(psi)] = np.inf
    return distance.min(axis=2), distance.argmin(axis=2)


def isolation_balls(
    X: Array, centres: Array, radius2: Array, value: Array, n_jobs: int | None = None
) -> NDArray[np.float64]:
    """Mean over sets of the value of the smallest ball that covers the row, 1 where no ball of the set does.

    Of balls with equal radius the first one counts; a row at exactly the radius is covered (Bandaragoda et al.,
    Isolation-based anomaly detection using nearest-neighbour ensembles, 2018).

    Parameters
    ----------
    X : float32 (n, d)
    centres : float32 (T, psi, d)
    radius2 : float32 (T, psi)
        Squared radii, see `ball_radii`.
    value : float64 (T, psi)
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        If shapes or dtypes do not fit.
    """
    X, centres, radius2, value = _checked(X, centres, radius2, value)
    return _sum(X, centres, radius2, value, n_jobs) / len(centres)


def isolation_balls_oob(
    X: Array,
    centres: Array,
    radius2: Array,
    value: Array,
    inbag: Array,
    rows: Array,
    n_jobs: int | None = None,
) -> NDArray[np.float64]:
    """As `isolation_balls` for the rows X[rows], each over the sets it is no centre of.

    Parameters
    ----------
    X : float32 (n, d)
        The matrix the centres were drawn from.
    centres, radius2, value
        As in `isolation_balls`.
    inbag : int64 (T, psi)
        Row of X that each centre is, each at most once in a set.
    rows : int64 (m,)
        Rows to score.
    n_jobs : int or None
        Threads, as in scikit-learn.

    Returns
    -------
    float64 (m,); a row that is a centre of every set gets the mean over all sets.

    Raises
    ------
    InputError
        If shapes, dtypes or row numbers do not fit.
    """
    X, centres, radius2, value = _checked(X, centres, radius2, value)
    inbag = array(inbag, "inbag", value.shape, (np.int64,))
    rows = array(rows, "rows", (None,), (np.int64,))
    rows_in_range(inbag, len(X), "inbag")
    rows_in_range(rows, len(X), "rows")
    total = _sum(X[rows], centres, radius2, value, n_jobs)
    tree, place = np.nonzero(np.isin(inbag, rows))
    own = np.empty(len(tree))
    for t in np.unique(tree):
        inside = tree == t
        own[inside] = _sum_twin(centres[t, place[inside]], centres[t : t + 1], radius2[t : t + 1], value[t : t + 1])
    return mean_outside_bags(total, rows, inbag[tree, place], own, len(centres))


def _sum(X: Array, centres: Array, radius2: Array, value: Array, n_jobs: int | None) -> Array:
    order = np.argsort(radius2, axis=1, kind="stable")  # in this order the first ball that covers is the smallest
    out = np.empty(len(X))
    found = compiled()
    sets, psi, d = centres.shape

    def _block(start: int, stop: int) -> None:
        if found is None:
            step = max(1, CELLS // (sets * psi))
            for at in range(start, stop, step):
                end = min(at + step, stop)
                out[at:end] = _sum_twin(X[at:end], centres, radius2, value)
        else:
            sizes = d, sets, psi, found[1]
            found[0].balls_sum(X[start:stop], centres, radius2, value, order, out[start:stop], *sizes)

    blocks(len(X), n_jobs, _block, smallest=64)
    return out


def _sum_twin(X: Array, centres: Array, radius2: Array, value: Array) -> NDArray[np.float64]:
    sets, psi, d = centres.shape
    flat = centres.reshape(sets * psi, d)
    distance = np.zeros((len(X), sets * psi), np.float32)
    for j in range(d):
        step = X[:, j, None] - flat[:, j]
        step *= step
        distance += step
    covers = (distance <= radius2.ravel()).reshape(len(X), sets, psi)
    smallest = np.where(covers, radius2, np.float32(np.inf)).argmin(axis=2)  # (n, T)
    said = np.where(covers.any(axis=2), np.take_along_axis(value[None], smallest[:, :, None], 2)[:, :, 0], 1.0)
    total = np.zeros(len(X))
    for t in range(sets):  # one set after the other, as the C loop adds
        total += said[:, t]
    return total


def _checked(X: Array, centres: Array, radius2: Array, value: Array) -> tuple[Array, Array, Array, Array]:
    X = array(X, "X", (None, None), (np.float32,))
    centres = array(centres, "centres", (None, None, X.shape[1]), (np.float32,))
    if centres.size == 0:
        raise InputError(f"centres has shape {centres.shape}; give at least one set with one centre")
    radius2 = array(radius2, "radius2", centres.shape[:2], (np.float32,))
    value = array(value, "value", centres.shape[:2], (np.float64,))
    return X, centres, radius2, value
