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

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.ellipsoid import Ellipsoid
from unusual.parts.gaussian import Moments


class Mahalanobis(Detector):
    """Squared Mahalanobis distance to the mean of the reference.

    Parameters
    ----------
    shrinkage : float in (0, 1], default 1e-6
        Weight of the diagonal in the covariance: keeps it invertible when columns repeat each other.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    moments_ : Moments
        Count, mean (d,) and scatter (d, d) of the reference.
    ellipsoid_ : Ellipsoid
        Mean (d,) and whitening axes (d, d).
    """

    def __init__(self, shrinkage: float = 1e-6, alarm_rate: float = 0.01) -> None:
        self.shrinkage = shrinkage
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if not 0 < self.shrinkage <= 1:
            raise InputError(f"shrinkage is {self.shrinkage!r}; give a number above 0, at most 1, such as 0.01")
        self._merge([self._summary(X)])

    def _score(self, X: Matrix) -> Vector:
        return self.ellipsoid_.distance(X)

    def _explain(self, X: Matrix) -> Vector:
        return self.ellipsoid_.contributions(X)

    def _summary(self, X: Matrix) -> Moments:
        return Moments.of(X)

    def _merge(self, summaries: list[Moments]) -> None:
        self.moments_ = reduce(add, summaries)
        S = self.moments_.covariance(self.shrinkage)  # (d, d)
        flat = np.diag(S) <= 0
        S[flat, flat] = 1.0  # a constant column: nothing is known of what a deviation in it is worth
        scale = np.sqrt(np.diag(S))
        self.ellipsoid_ = Ellipsoid.of(self.moments_.mean, S / np.outer(scale, scale), scale)
