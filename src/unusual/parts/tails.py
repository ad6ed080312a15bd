"""The tails of every column of a reference: how few of its values lie at or beyond a given one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unusual.kernels import column_skewness, tails_fit, tails_score, tails_terms
from unusual.kernels.tails import Combine

SYMMETRIC = 1e-9  # a skewness this small is rounding: its sign would depend on the order of the rows

Rows = NDArray[np.floating[Any]]
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Tails:
    """Sorted columns (d, n) of the reference, in its precision, and the skewness (d,) of each, 0 where symmetric.

    A column adds -log of the share of reference values at or beyond a row's value; which of the two tails counts is the
    difference between the rules "ecod" and "copod", see `unusual.kernels.tails_score`.
    """

    columns: Rows
    skew: Scores

    @classmethod
    def of(cls, X: Rows, n_jobs: int | None = None) -> Tails:
        """Tails of the rows of X (n, d)."""
        skew = column_skewness(X)
        return cls(tails_fit(X, n_jobs), np.where(np.abs(skew) < SYMMETRIC, 0.0, skew))

    @classmethod
    def merged(cls, parts: Sequence[Tails], n_jobs: int | None = None) -> Tails:
        """The tails of all rows of all parts, as if they had been seen at once."""
        return parts[0] if len(parts) == 1 else cls.of(np.concatenate([p.columns for p in parts], axis=1).T, n_jobs)

    def score(self, X: Rows, combine: Combine, n_jobs: int | None = None) -> Scores:
        """Sum of the terms of all columns for the rows of X (m, d): (m,)."""
        return tails_score(self._as_reference(X), self.columns, self.skew, combine, n_jobs=n_jobs)

    def terms(self, X: Rows, combine: Combine, n_jobs: int | None = None) -> Scores:
        """What each column adds to the score of each row of X: (m, d)."""
        return tails_terms(self._as_reference(X), self.columns, self.skew, combine, n_jobs=n_jobs)

    def left_out(self, X: Rows, combine: Combine, n_jobs: int | None = None) -> Scores:
        """Scores (m,) of rows X that belong to the reference, each counted against the other n - 1 rows."""
        return tails_score(self._as_reference(X), self.columns, self.skew, combine, leave_out=True, n_jobs=n_jobs)

    def _as_reference(self, X: Rows) -> Rows:
        """X in the precision of the reference, so that equal values stay equal."""
        return X.astype(self.columns.dtype, copy=False)
