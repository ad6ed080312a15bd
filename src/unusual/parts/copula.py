"""Columns as normal scores and back, and the Gaussian copula that joins them.

Source: Song, Multivariate Dispersion Models Generated from Gaussian Copula, 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Matrix = NDArray[np.float64]

RIDGE = 1e-9  # keeps the correlation of columns that repeat each other factorable


@dataclass(frozen=True)
class NormalMargins:
    """The empirical margins of a reference.

    Attributes
    ----------
    columns : (d, n) array
        Sorted values of each column.
    smooth : (d,) bool
        Columns whose values mostly differ: there a quantile lies between two values; elsewhere it is one of them, so
        that answers on a scale stay on the scale.
    """

    columns: Matrix
    smooth: NDArray[np.bool_]

    @classmethod
    def of(cls, X: Matrix) -> NormalMargins:
        """Margins of the rows of X (n, d)."""
        columns = np.ascontiguousarray(np.sort(X, axis=0).T)
        distinct = 1 + (np.diff(columns, axis=1) > 0).sum(axis=1)
        return cls(columns, 2 * distinct > len(X))

    def to_normal(self, X: Matrix) -> Matrix:
        """Normal scores (m, d) of the rows of X by mid-ranks in the reference; finite beyond its range too."""
        n = self.columns.shape[1]
        Z = np.empty(X.shape)
        for j, column in enumerate(self.columns):
            below, up_to = np.searchsorted(column, X[:, j], "left"), np.searchsorted(column, X[:, j], "right")
            Z[:, j] = ndtri(np.clip((below + up_to) / (2 * n), 0.5 / n, 1 - 0.5 / n))
        return Z

    def from_normal(self, Z: Matrix) -> Matrix:
        """Values (m, d) whose normal scores are the rows of Z, within the range of the reference."""
        n = self.columns.shape[1]
        U = ndtr(Z)
        X = np.empty(Z.shape)
        for j, column in enumerate(self.columns):
            if self.smooth[j]:
                X[:, j] = np.interp(U[:, j] * n - 0.5, np.arange(n), column)
            else:
                X[:, j] = column[np.minimum((U[:, j] * n).astype(np.int64), n - 1)]
        return X


@dataclass(frozen=True)
class GaussianCopula:
    """Margins of a reference, and the correlation (d, d) of its normal scores, 0 for a constant column."""

    margins: NormalMargins
    correlation: Matrix

    @classmethod
    def of(cls, X: Matrix) -> GaussianCopula:
        """The copula of the rows of X (n, d)."""
        margins = NormalMargins.of(X)
        Z = margins.to_normal(X)
        Z -= Z.mean(axis=0)
        length = np.sqrt((Z**2).sum(axis=0))
        Z /= np.where(length > 0, length, 1.0)
        correlation = Z.T @ Z
        np.fill_diagonal(correlation, 1.0)
        return cls(margins, correlation)

    def sample(self, n: int, rng: np.random.Generator) -> Matrix:
        """New rows (n, d) with these margins and this dependence."""
        d = len(self.correlation)
        factor = np.linalg.cholesky((self.correlation + RIDGE * np.eye(d)) / (1 + RIDGE))
        return self.margins.from_normal(rng.standard_normal((n, d)) @ factor.T)
