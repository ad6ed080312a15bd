"""ECOD: how far out each value lies in the empirical distribution of its column.

role: detector
data: table
system: -
paper: Li et al., ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution Functions, 2022
needs: -
checkpoint: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.kernels.tails import Combine
from unusual.parts.tails import Tails


class ECOD(Detector):
    """Sum over columns of -log of the rarer tail of the column's empirical distribution.

    With L and R the -log of the share of reference values <= and >= the row's, a column adds max(L, R), and L + R where
    the column is symmetric. The distribution is that of the reference alone: a row's score does not depend on the rows
    scored with it. Beyond all reference values the share is half a row.

    Parameters
    ----------
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    tails_ : Tails
        Sorted columns and their skewness.
    """

    rule: ClassVar[Combine] = "ecod"  # how the two tails of a column make its term

    def __init__(self, n_jobs: int | None = None, alarm_rate: float = 0.01) -> None:
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._merge([self._summary(X)])

    def _score(self, X: Matrix) -> Vector:
        return self.tails_.score(X, self.rule, self.n_jobs)

    def _explain(self, X: Matrix) -> Vector:
        return self.tails_.terms(X, self.rule, self.n_jobs)  # (n, d), rows sum to the score

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        return self.tails_.left_out(np.ascontiguousarray(X[rows]), self.rule, self.n_jobs)

    def _summary(self, X: Matrix) -> Tails:
        return Tails.of(X, self.n_jobs)

    def _merge(self, summaries: Sequence[Tails]) -> None:
        self.tails_ = Tails.merged(summaries, self.n_jobs)
