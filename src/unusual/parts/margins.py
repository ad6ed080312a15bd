"""Density of each column by itself: a histogram of 30 bins, or the counts of its values where there are few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.floating[Any]]
Vector = NDArray[np.float64]

BINS = 30
CELLS_AT_ONCE = 1 << 17  # comparisons held in memory
UNSEEN = 0.5  # count of a value or bin that the reference lacks


@dataclass(frozen=True)
class Margins:
    """Sum over columns of log(highest density / density at the value): 0 for the commonest of everything.

    Attributes
    ----------
    starts : (d, m) array
        Ascending lower ends of bins, or values; padded with inf.
    high : (d,) array
        Upper end of the last bin; for a column of few values the last of them.
    few : (d,) bool
        Columns with at most 30 different values: there a value must be met exactly.
    terms, terms_left_out : (d, m + 1) arrays
        Term of each bin, with the row itself and without; the last entry is for what lies in none.
    """

    starts: Vector
    high: Vector
    few: NDArray[np.bool_]
    terms: Vector
    terms_left_out: Vector

    @classmethod
    def of(cls, X: Rows) -> Margins:
        """Learn from the rows of X (n, d)."""
        d = X.shape[1]
        starts, counts = np.full((d, BINS), np.inf), np.zeros((d, BINS))
        high, few = np.empty(d), np.empty(d, dtype=bool)
        for j, column in enumerate(X.T.astype(np.float64)):
            values, times = np.unique(column, return_counts=True)
            high[j], few[j] = values[-1], len(values) <= BINS
            if few[j]:
                starts[j, : len(values)], counts[j, : len(values)] = values, times
            else:
                edges = np.linspace(values[0], values[-1], BINS + 1)
                starts[j], counts[j] = edges[:-1], np.histogram(column, edges)[0]
        top = np.log(counts.max(axis=1, keepdims=True) + UNSEEN)  # (d, 1)
        nowhere = top - np.log(np.where(few, UNSEEN, UNSEEN / 2))[:, None]  # beyond a range is rarer than a gap in it
        terms = np.hstack([top - np.log(counts + UNSEEN), nowhere])
        left_out = np.hstack([top - np.log(np.maximum(counts - 1, 0) + UNSEEN), nowhere])
        return cls(starts, high, few, terms, left_out)

    def score(self, X: Rows, left_out: bool = False) -> Vector:
        """The sum (n,) for each row of X (n, d); `left_out` where the rows are of those learnt from."""
        terms = self.terms_left_out if left_out else self.terms
        out = np.empty(len(X))
        step = max(1, CELLS_AT_ONCE // self.starts.size)
        columns = np.arange(X.shape[1])
        starts = np.ascontiguousarray(self.starts.T)[:, None, :]  # (30, 1, d): bins first, so that sums run along rows
        for first in range(0, len(X), step):
            block = X[first : first + step].astype(np.float64, copy=False)
            place = (block >= starts).sum(axis=0, dtype=np.int8) - 1  # (m, d)
            exact = block == self.starts[columns, np.maximum(place, 0)]
            inside = np.where(self.few, exact, (place >= 0) & (block <= self.high))
            out[first : first + step] = terms[columns, np.where(inside, place, -1)].sum(axis=1)
        return out
