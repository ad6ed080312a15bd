"""Does the test set hold what the training set has shown already: equal rows, near duplicates, shared groups.

A near duplicate stands much nearer to one training row than the training rows around it allow. Around a row, the share
of the ball through its k-th neighbour that the nearest one fills is the least of k - 1 uniform numbers when rows are
independent, in any dimension; the dimension is read from neighbours further out, where near duplicates do not reach.
Sources: Levina, Bickel, Maximum Likelihood Estimation of Intrinsic Dimension, 2004; Benjamini, Hochberg, Controlling
the False Discovery Rate, 1995.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.decide.fdr import benjamini_hochberg
from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector
from unusual.parts.neighbours import Neighbours
from unusual.study import Cell, Distribution, Study, Table

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]

NEAR, FAR = 10, 20  # neighbours that set the scale around a row, and with them the dimension
LEVEL = 0.01  # share of false ones among the near duplicates named
TOLERATED = 0.05  # share of test rows with a near duplicate above which a split is said to leak
SHOWN = 20  # pairs in the table of a study


@dataclass(frozen=True)
class LeakingRows:
    """Test rows that the training rows have shown already.

    Attributes
    ----------
    leaks : bool
        Whether more than 5 % of the test rows have an equal or near duplicate in training, and, where groups are given,
        more than twice as many as training rows have in other groups.
    equal, near : bool (m,)
        Test rows with an equal training row, and with a nearly equal one.
    nearest : int64 (m,)
        The training row nearest to each.
    closeness : (m,)
        Distance to it, divided by that to the tenth nearest; NaN where there are too few rows.
    inside : float
        Share of training rows that have a duplicate among the other training rows.
    dimension : float
        In how many directions training rows spread locally; NaN where there are too few.
    notes : tuple of str
    """

    leaks: bool
    equal: Labels
    near: Labels
    nearest: Index
    closeness: Vector
    inside: float
    dimension: float
    notes: tuple[str, ...]

    def study(self) -> Study:
        """How many test rows leak, and the pairs to look at first."""
        either = self.equal | self.near
        answer = (
            f"{either.mean():.1%} of {len(either):,} test rows have a duplicate in training "
            f"({int(self.equal.sum()):,} equal, {int((self.near & ~self.equal).sum()):,} nearly equal)"
        )
        answer += ": figures on this test set are too good." if self.leaks else ": the split does not leak in this way."
        first = np.flatnonzero(either)[np.argsort(self.closeness[either], kind="stable")[:SHOWN]]
        rows: list[list[Cell]] = [
            [int(i), int(self.nearest[i]), "equal" if self.equal[i] else "near", float(self.closeness[i])]
            for i in first
        ]
        seen = self.closeness[np.isfinite(self.closeness)]
        label = "distance to the nearest training row, that to the tenth nearest being 1"
        chart = [Distribution("How near test rows stand to one training row", label, seen)] if len(seen) else []
        table = Table("Pairs to look at first", ["test row", "training row", "kind", "closeness"], rows)
        return Study("Does the split leak?", answer, [*chart, table], self.notes)


def leaking_rows(
    train: ArrayLike, test: ArrayLike, groups: ArrayLike | None = None, n_jobs: int | None = None
) -> LeakingRows:
    """Find test rows that equal, or nearly equal, a training row.

    Parameters
    ----------
    train : (n, d)
        Numbers of any units: columns are divided by their spread in training. For images, sound or text, features of
        theirs; for images small grey pixels do, each image with its own mean and spread removed.
    test : (m, d)
    groups : (n,), optional
        Groups of the training rows: those of one group do not count as duplicates of each other in `inside`, which then
        says how often rows that have nothing to do with each other are as near.
    n_jobs : threads

    Raises
    ------
    InputError
        If columns differ, there are no rows, or values are not finite numbers.

    Notes
    -----
    Near duplicates are named at a false-discovery rate of 1 % under rows spread evenly over the tenth neighbour's
    reach. Columns of few distinct values break that: give groups, and look at the pairs. In two or three dimensions
    rows stand so near to each other that a near duplicate can hardly be told; equal ones always can.
    """
    A, B = _rows(train, "train"), _rows(test, "test")
    if A.shape[1] != B.shape[1]:
        raise InputError(f"train has {A.shape[1]} columns and test {B.shape[1]}; give both the same")
    spread = A.std(axis=0)
    A, B = (np.ascontiguousarray(X[:, spread > 0] / spread[spread > 0] + 0.0) for X in (A, B))
    if not A.shape[1]:
        raise InputError("every column of train is constant; there is nothing to compare")
    equal = np.isin(_keys(B), _keys(A))
    search = Neighbours.build(A)
    distance, index = search.query(B, min(NEAR, len(A)), n_jobs=n_jobs)
    if len(A) <= FAR:
        note = f"With {len(A)} training rows only equal rows are looked for; near ones need more than {FAR}."
        twice = _twice(_keys(A), groups)
        unknown = np.full(len(B), np.nan)
        leaks = float(equal.mean()) > TOLERATED
        return LeakingRows(leaks, equal, np.zeros(len(B), bool), index[:, 0], unknown, twice, float("nan"), (note,))
    within, of = search.query(A, FAR, exclude=np.arange(len(A)), n_jobs=n_jobs)
    dimension = _dimension(within)
    closeness, near = _near(distance, dimension)
    near &= ~equal
    _, near_inside = _near(_other_groups(within, of, groups)[:, :NEAR], dimension)
    inside = max(float(near_inside.mean()), _twice(_keys(A), groups))
    found = float((equal | near).mean())
    leaks = found > TOLERATED and (groups is None or found > 2 * inside)
    return LeakingRows(
        leaks, equal, near, index[:, 0], closeness, inside, dimension, _notes(leaks, found, inside, equal)
    )


@dataclass(frozen=True)
class LeakingGroups:
    """Groups that stand on both sides of a split.

    Attributes
    ----------
    shared : array of the labels on both sides
    test_share : float
        Share of the test items that belong to them.
    """

    shared: NDArray[np.generic]
    test_share: float

    def study(self) -> Study:
        """Which groups are on both sides."""
        answer = (
            f"{len(self.shared):,} groups are on both sides of the split; {self.test_share:.1%} of the test items are "
            "theirs."
            if len(self.shared)
            else "No group is on both sides of the split."
        )
        table = Table("Shared groups, the first of them", ["group"], [[str(name)] for name in self.shared[:SHOWN]])
        return Study("Do groups leak?", answer, [table] if len(self.shared) else [])


def leaking_groups(train_groups: ArrayLike, test_groups: ArrayLike) -> LeakingGroups:
    """Group labels, (n,) of training and (m,) of test items, that occur on both sides.

    Raises
    ------
    InputError
        If either is not one list of labels.
    """
    a, b = np.asarray(train_groups), np.asarray(test_groups)
    for name, given in (("train_groups", a), ("test_groups", b)):
        if given.ndim != 1 or not len(given):
            raise InputError(f"{name} has shape {given.shape}; give one label per item")
    shared = np.intersect1d(a, b)
    return LeakingGroups(shared, float(np.isin(b, shared).mean()))


def _rows(X: ArrayLike, name: str) -> Matrix:
    given = np.asarray(X)
    if given.ndim != 2 or not given.size or given.dtype.kind not in "fiub":
        raise InputError(f"{name} has shape {given.shape} and type {given.dtype}; give (n, d) numbers")
    rows = given.astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError(f"{name} holds values that are missing or infinite; fill or drop them")
    return rows


def _keys(X: Matrix) -> NDArray[np.void]:
    """Each row as one value that is equal where the rows are (n,)."""
    return X.view(np.dtype((np.void, X.dtype.itemsize * X.shape[1])))[:, 0]


def _twice(keys: NDArray[np.void], groups: ArrayLike | None) -> float:
    """Share of rows that equal a row of another group."""
    _, key = np.unique(keys, return_inverse=True)
    if groups is None:
        return float((np.bincount(key)[key] > 1).mean())
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    pairs = np.unique(np.column_stack([key, group]), axis=0)
    return float((np.bincount(pairs[:, 0])[key] > 1).mean())


def _dimension(distance: Matrix) -> float:
    """Local dimension from how far the 20th neighbour lies beyond the 10th (n, 20)."""
    near, far = distance[:, NEAR - 1], distance[:, FAR - 1]
    apart = near > 0
    if not apart.any():
        return float("nan")
    growth = float(np.mean(np.log(far[apart] / near[apart])))
    return float((1 / np.arange(NEAR, FAR)).sum() / growth) if growth > 0 else float("nan")


def _near(distance: Matrix, dimension: float) -> tuple[Vector, Labels]:
    """Closeness (n,) of rows with distances to their 10 nearest (n, 10), and which are nearer than chance allows."""
    scale = distance[:, -1]
    known = (scale > 0) & np.isfinite(scale) & np.isfinite(dimension)
    closeness = np.divide(distance[:, 0], scale, out=np.full(len(scale), np.nan), where=known)
    p = -np.expm1((NEAR - 1) * np.log1p(-np.minimum(closeness[known] ** dimension, 1 - 1e-16)))
    near = np.zeros(len(scale), dtype=bool)
    near[known] = benjamini_hochberg(p, LEVEL).mask
    return closeness, near


def _other_groups(distance: Matrix, index: Index, groups: ArrayLike | None) -> Matrix:
    """Distances (n, 20) with those to rows of the own group moved to the end as infinite."""
    if groups is None:
        return distance
    labels = np.asarray(groups)
    if labels.shape != (len(distance),):
        raise InputError(f"groups has shape {labels.shape} for {len(distance):,} training rows; give one per row")
    return np.sort(np.where(labels[index] == labels[:, None], np.inf, distance), axis=1)


def _notes(leaks: bool, found: float, inside: float, equal: Labels) -> tuple[str, ...]:
    notes = []
    if leaks:
        notes.append("Split by group (tile, lot, patient, recording), so that duplicates stay on one side.")
    elif found > TOLERATED:
        notes.append(f"{inside:.0%} of the training rows are as near to a row of another group: rows are so by nature.")
    elif inside > TOLERATED:
        notes.append(f"{inside:.0%} of the training rows have a duplicate in training; the split keeps them together.")
    if leaks and equal.mean() > 0.5 * found:
        notes.append("Equal rows are no leak where few different rows are possible at all.")
    return tuple(notes)
