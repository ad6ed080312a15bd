"""Draws of one column, or group of columns, given the other columns of a row: what would be typical in its place.

Gaussian copula: each column becomes a normal score by its rank among the reference rows, ties at random within their
ranks; the scores are joint normal with the correlation of the reference, shrunk as far as held-out rows like best.
Nearest rows: the values that the reference rows nearest in the other columns have.
Sources: Nelsen, An Introduction to Copulas, 2006; Rueschendorf, On the Distributional Transform, Sklar's Theorem, and
the Empirical Copula Process, 2009; conditional resampling by neighbours: Runge, Conditional Independence Testing
Based on a Nearest-Neighbor Estimator of Conditional Mutual Information, 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from unusual.errors import InputError
from unusual.parts.gaussian import Moments
from unusual.parts.rows import folds, row_hash, some_rows
from unusual.parts.scaling import Standardizer

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

MOST_ROWS = 5000  # of the reference: more tell little about ranks and correlations
SHRINKAGES = np.array([1e-6, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
FOLDS = 3
NEAREST = 20  # rows drawn from where few draws are wanted


class ConditionalSampler(Protocol):
    """Anything that replaces each column of a row by draws given the others.

    Attributes
    ----------
    name : str
        How it draws, for reports.
    count : int, where draws come from so many reference rows
    groups : int array (d,)
        Columns with the same number are replaced together.
    """

    name: str
    groups: Index

    def draw(self, x: Vector, draws: int, rng: np.random.Generator) -> Matrix:
        """`draws` replacements (draws, d) of a row x (d,): entry j given the columns outside the group of j."""
        ...


class ConditionalCopula:
    """Normal conditional of the normal scores, mapped back to values that occur in the reference or in the row.

    Parameters
    ----------
    X : (n, d) array
        Reference rows; of more than 5,000 a fixed sample.
    groups : (d,) labels, default each column by itself
    shrinkage : float in [0, 1], optional
        Weight of independence in the correlation: 1 draws each column from its margin, whatever the others are. By
        default the weight under which rows held out are likeliest.
    outlying : float, default 3
        Values this many conditional standard deviations from what the others lead one to expect are not used to judge
        the others, the furthest first; inf uses all.

    Attributes
    ----------
    shrinkage : float
    correlation : (d, d) array
        Of the normal scores, shrunk.

    Notes
    -----
    The row itself counts as one more reference row for the margins: with independent columns it is then exchangeable
    with its draws, however few reference rows there are. The conditional variance of a column is widened where rows
    held out lie further from their conditional means than it says.
    """

    def __init__(
        self, X: Rows, groups: ArrayLike | None = None, shrinkage: float | None = None, outlying: float = 3.0
    ) -> None:
        self.groups = _checked_groups(groups, X.shape[1])
        rows = _reference(X)
        self.count = len(rows)
        self.ordered = np.ascontiguousarray(np.sort(rows, axis=0).T)  # (d, n)
        Z = self._scores_of_reference(rows)
        self.shrinkage, widening = _fit_shrinkage(Z, rows) if shrinkage is None else (shrinkage, np.ones(Z.shape[1]))
        self.widening, self.outlying = np.sqrt(widening), outlying
        self.correlation = _correlation(Z, max(self.shrinkage, SHRINKAGES[0]))
        self.precision = np.linalg.inv(self.correlation)
        self._whole = self._conditionals(np.ones(len(self.groups), dtype=bool))
        kind = "margins of each column alone" if self.shrinkage == 1 else "Gaussian copula"
        self.name = f"{kind} of {len(rows):,} reference rows"

    def draw(self, x: Vector, draws: int, rng: np.random.Generator) -> Matrix:
        """`draws` replacements (draws, d) of a row x (d,): entry j given the columns outside the group of j."""
        n = self.ordered.shape[1] + 1  # with the row itself
        below, upto = (self.ordered < x[:, None]).sum(axis=1), (self.ordered <= x[:, None]).sum(axis=1)
        kept = self._in_line(ndtri((below + upto + 1) / (2 * n)))
        coefficients, roots = self._whole if kept.all() else self._conditionals(kept)
        share = np.where(upto > below, rng.uniform(size=(draws, len(x))), 0.5)
        rank = below + share * (upto - below + 1)
        Z = ndtri(np.clip(rank / n, 1e-12, 1 - 1e-12))  # (draws, d)
        made = Z @ coefficients.T + rng.standard_normal(Z.shape) @ roots.T
        place = np.minimum((ndtr(made) * n).astype(np.int64), n - 1)
        values = self.ordered[np.arange(len(x)), np.minimum(place - (place > upto), n - 2)]
        return np.where((place >= below) & (place <= upto), x, values)

    def _in_line(self, z: Vector) -> Mask:
        """Columns (d,) whose scores are near enough to what the others so kept lead one to expect."""
        kept, P = np.ones(len(z), dtype=bool), self.precision.copy()
        while kept.sum() > 1:
            diagonal = np.where(kept, np.diag(P), 1.0)
            away = np.where(kept, np.abs(P @ np.where(kept, z, 0.0)) / np.sqrt(diagonal) / self.widening, 0.0)
            worst = int(away.argmax())
            if away[worst] <= self.outlying:
                break
            kept[worst] = False
            P -= np.outer(P[:, worst], P[worst]) / P[worst, worst]  # the precision without it
        return kept

    def _conditionals(self, kept: Mask) -> tuple[Matrix, Matrix]:
        """Coefficients (d, d) of the kept columns in each conditional mean, square roots (d, d) of the covariances."""
        R, d = self.correlation, len(self.groups)
        coefficients, roots = np.zeros((d, d)), np.zeros((d, d))
        P = np.zeros((d, d))
        P[np.ix_(kept, kept)] = self.precision if kept.all() else np.linalg.inv(R[np.ix_(kept, kept)])
        for S in self._members:
            others = kept.copy()
            others[S] = False
            if kept[S].all():
                within = np.linalg.inv(P[np.ix_(S, S)])
                coefficients[np.ix_(S, others)] = -within @ P[np.ix_(S, others)]
            else:
                weights = np.linalg.solve(R[np.ix_(others, others)], R[np.ix_(others, S)]).T
                coefficients[np.ix_(S, others)] = weights
                within = R[np.ix_(S, S)] - weights @ R[np.ix_(others, S)]
            wide = self.widening[S]
            roots[np.ix_(S, S)] = np.linalg.cholesky(within * np.outer(wide, wide))
        return coefficients, roots

    @property
    def _members(self) -> list[Index]:
        return [np.flatnonzero(self.groups == group) for group in range(self.groups.max() + 1)]

    def _scores_of_reference(self, rows: Matrix) -> Matrix:
        """Normal scores (n, d) of the reference rows, ties at random."""
        n, d = rows.shape
        V = np.random.default_rng([n, d]).uniform(size=(d, n))
        sides = (
            [np.searchsorted(o, c, side) for o, c in zip(self.ordered, rows.T, strict=True)]
            for side in ("left", "right")
        )
        below, upto = (np.array(side) for side in sides)  # (d, n)
        share = np.where(upto - below > 1, V, 0.5)
        return np.asarray(ndtri((below + share * (upto - below)) / n).T)


class NearestRows:
    """The values of the reference rows that are nearest in the other columns, each column scaled to spread 1.

    Parameters
    ----------
    X : (n, d) array
        Reference rows; of more than 5,000 a fixed sample.
    groups : (d,) labels, default each column by itself

    Notes
    -----
    Each of the nearest rows is drawn at most once, so that a row is ranked among its neighbours; of the 20 nearest, or
    as many as there are draws. Wider than the true conditional where columns depend on each other closely.
    """

    def __init__(self, X: Rows, groups: ArrayLike | None = None) -> None:
        self.groups = _checked_groups(groups, X.shape[1])
        self.rows = _reference(X)
        self.count = len(self.rows)
        self.scaling = Standardizer.of(self.rows)
        self.scaled = self.scaling(self.rows)
        self.name = f"nearest of {len(self.rows):,} reference rows"

    def draw(self, x: Vector, draws: int, rng: np.random.Generator) -> Matrix:
        """`draws` replacements (draws, d) of a row x (d,): entry j given the columns outside the group of j.

        Raises
        ------
        InputError
            If there are fewer reference rows than draws.
        """
        n, d = self.rows.shape
        if draws > n:
            raise InputError(f"{draws:,} draws from {n:,} reference rows; ask for fewer draws or give more rows")
        gaps = np.square(self.scaled - self.scaling(x[None]))  # (n, d)
        within = np.zeros((n, self.groups.max() + 1))
        np.add.at(within.T, self.groups, gaps.T)
        away = gaps.sum(axis=1, keepdims=True) - within  # (n, groups), in the columns outside each group
        k = min(max(draws, NEAREST), n)
        near = np.argpartition(away, k - 1, axis=0)[:k]  # (k, groups)
        order = np.argsort(rng.uniform(size=near.shape), axis=0)[:draws]
        chosen = np.take_along_axis(near, order, axis=0)[:, self.groups]  # (draws, d)
        return self.rows[chosen, np.arange(d)]


def streams(X: Rows, random_state: int) -> Iterator[np.random.Generator]:
    """One generator per row of X (n, d), seeded by its content: draws do not depend on what else is in the batch."""
    return (np.random.default_rng([random_state, int(key)]) for key in row_hash(X))


def _reference(X: Rows) -> Matrix:
    if X.ndim != 2 or len(X) < FOLDS + 1 or not np.isfinite(X).all():
        raise InputError(f"reference rows have shape {X.shape}; give (n, d) finite numbers, at least {FOLDS + 1} rows")
    return X[some_rows(len(X), MOST_ROWS)].astype(np.float64)


def _checked_groups(groups: ArrayLike | None, d: int) -> Index:
    if groups is None:
        return np.arange(d)
    labels = np.asarray(groups)
    if labels.shape != (d,):
        raise InputError(f"groups has shape {labels.shape} for {d} columns; give one label per column")
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _correlation(Z: Matrix, shrinkage: float) -> Matrix:
    S = Moments.of(Z).covariance(shrinkage)
    spread = np.sqrt(np.diag(S))
    return np.asarray(S / np.outer(spread, spread))


def _fit_shrinkage(Z: Matrix, rows: Matrix) -> tuple[float, Vector]:
    """The shrinkage under which rows held out are likeliest, and their mean squared standardised residuals (d,)."""
    fold = folds(rows, None, FOLDS)
    likelihood, spectra = np.zeros(len(SHRINKAGES)), []
    for part in np.unique(fold):
        values, vectors = np.linalg.eigh(_correlation(Z[fold != part], 0.0))
        rotated = Z[fold == part] @ vectors  # (m, d)
        shrunk = (1 - SHRINKAGES[:, None]) * np.maximum(values, 0) + SHRINKAGES[:, None]  # (shrinkages, d)
        likelihood -= len(rotated) * np.log(shrunk).sum(axis=1) + np.square(rotated).sum(axis=0) @ (1 / shrunk).T
        spectra.append((shrunk, vectors, rotated))
    best = int(likelihood.argmax())
    squares = np.zeros(Z.shape[1])
    for shrunk, vectors, rotated in spectra:
        scaled = vectors / shrunk[best]  # (d, d), columns of Q / eigenvalue
        diagonal = (scaled * vectors).sum(axis=1)  # of the precision
        squares += np.square(rotated @ scaled.T).sum(axis=0) / diagonal
    return float(SHRINKAGES[best]), np.maximum(1.0, squares / len(Z))
