"""Mean and covariance that can be added up over parts of the data, or taken away again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Count, mean (d,) and scatter (d, d) of rows seen so far; `a + b` is as if all rows had been seen at once."""

    count: int
    mean: Matrix
    scatter: Matrix

    @classmethod
    def of(cls, X: NDArray[np.floating[Any]]) -> Moments:
        """Moments of the rows of X (n, d), summed in float64 block by block so that memory stays small."""
        blocks = (X[start : start + 65536].astype(np.float64, copy=False) for start in range(0, len(X), 65536))
        total: Moments | None = None
        for block in blocks:
            centred = block - (mean := block.mean(axis=0))
            part = cls(len(block), mean, centred.T @ centred)
            total = part if total is None else total + part
        if total is None:
            raise ValueError("moments of no rows are not defined")
        return total

    def __add__(self, other: Moments) -> Moments:
        count = self.count + other.count
        gap = other.mean - self.mean
        mean = self.mean + gap * (other.count / count)
        between = np.outer(gap, gap) * (self.count * other.count / count)
        return Moments(count, mean, self.scatter + other.scatter + between)

    def __sub__(self, part: Moments) -> Moments:
        """The moments of the rows that are left when those of `part` are taken out."""
        count = self.count - part.count
        mean = (self.count * self.mean - part.count * part.mean) / count
        gap = part.mean - mean
        between = np.outer(gap, gap) * (count * part.count / self.count)
        return Moments(count, mean, self.scatter - part.scatter - between)

    def covariance(self, shrinkage: float) -> Matrix:
        """(1 - shrinkage) S + shrinkage diag(S), S the maximum-likelihood covariance (d, d): units do not matter."""
        S = self.scatter / self.count
        return (1 - shrinkage) * S + shrinkage * np.diag(np.diag(S))

    @property
    def variance(self) -> Matrix:
        """Maximum-likelihood variance of each column (d,)."""
        return np.diag(self.scatter) / self.count
