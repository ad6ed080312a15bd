"""Mahalanobis: distance to the mean of the reference, measured in its own spread.

role: detector
data: table
system: -
paper: Mahalanobis, On the Generalised Distance in Statistics, 1936
needs: -
checkpoint: none
"""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
from scipy.linalg import cho_solve, cholesky

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.parts.gaussian import Moments


class Mahalanobis(Detector):
    """Squared Mahalanobis distance to the mean of the reference.

    Parameters
    ----------
    shrinkage : float in (0, 1], default 0.01
        Weight of the diagonal in the covariance: keeps it invertible when columns repeat each other.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    moments_ : Moments
        Count, mean (d,) and scatter (d, d) of the reference.
    """

    def __init__(self, shrinkage: float = 0.01, alarm_rate: float = 0.01) -> None:
        self.shrinkage = shrinkage
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._merge([self._summary(X)])

    def _score(self, X: Matrix) -> Vector:
        return np.asarray(self._explain(X).sum(axis=1))  # (n, d) -> (n,)

    def _explain(self, X: Matrix) -> Vector:
        Z = X - self.moments_.mean  # (n, d)
        return np.asarray(Z * cho_solve((self.factor_, True), Z.T).T)  # (n, d), rows sum to the score

    def _summary(self, X: Matrix) -> Moments:
        return Moments.of(X)

    def _merge(self, summaries: list[Moments]) -> None:
        self.moments_ = reduce(add, summaries)
        S = self.moments_.covariance(self.shrinkage)
        flat = np.diag(S) <= 0
        S[flat, flat] = 1.0  # a constant column: nothing is known of what a deviation in it is worth
        self.factor_ = cholesky(S, lower=True)  # (d, d)
