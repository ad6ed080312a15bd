"""Squared lengths of linear views of centred rows: Mahalanobis distances, Hotelling's T2, residuals of projections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Rows = NDArray[np.floating[Any]]
BLOCK = 16_384  # rows at a time: no second copy of a large table


@dataclass(frozen=True)
class Ellipsoid:
    """The squared length of `axes @ (x - centre)`, with centre (d,) and axes (m, d) in the units of the columns."""

    centre: Matrix
    axes: Matrix

    @classmethod
    def of(cls, centre: Matrix, covariance: Matrix, scale: Matrix) -> Ellipsoid:
        """The squared Mahalanobis distance to `centre` (d,); `covariance` (d, d) is that of x / scale (d,)."""
        return cls(centre, np.linalg.inv(np.linalg.cholesky(covariance)) / scale)

    def distance(self, X: Rows) -> Matrix:
        """Squared length (n,) of each row of X (n, d)."""
        if len(X) <= BLOCK:
            return self._lengths(X)
        squared = np.empty(len(X))
        for part in _blocks(len(X)):
            squared[part] = self._lengths(X[part])
        return squared

    def contributions(self, X: Rows) -> Matrix:
        """Share (n, d) of each column in the squared length; the rows sum to `distance`."""
        shares = np.empty(X.shape)
        for part in _blocks(len(X)):
            Z = X[part] - self.centre  # (b, d)
            shares[part] = Z * (Z @ self.axes.T @ self.axes)
        return shares

    def _lengths(self, X: Rows) -> Matrix:
        views = (X - self.centre) @ self.axes.T  # (b, m)
        return np.asarray(np.einsum("ij,ij->i", views, views))


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, count, BLOCK))
