"""PCA: how far a row lies along the main directions of the reference, and how far off them.

role: detector
data: table
system: -
paper: Jackson and Mudholkar, Control Procedures for Residuals Associated with Principal Component Analysis, 1979
needs: -
checkpoint: none
"""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
from scipy.stats import chi2

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError, suggest
from unusual.parts.ellipsoid import Ellipsoid
from unusual.parts.gaussian import Moments

STATISTICS = ("combined", "residual", "hotelling")
LIMIT = 0.99
OFF_SPAN = 0.01  # variance of a standardised column granted to directions in which the reference has none


class PCA(Detector):
    """Residual and Hotelling's T2 of a principal component analysis of the standardised columns.

    T2 is the squared length of the projection on the kept components, each in units of its own spread; the residual
    (Q, squared prediction error) is the squared length of what the projection leaves out. "combined" adds them, each
    divided by the limit that 99 % of Gaussian rows stay under (Yue and Qin, Reconstruction-Based Fault
    Identification Using a Combined Index, 2001).

    Parameters
    ----------
    n_components : int or float in (0, 1), default 0.9
        How many components are kept, or the share of the variance that the kept ones explain.
    statistic : "combined", "residual" or "hotelling", default "combined"
        Which of the two is the score.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    moments_ : Moments
        Count, mean (d,) and scatter (d, d) of the reference.
    eigenvalues_ : (d,) array
        Variance of the standardised columns along each component, largest first.
    n_components_ : int
        How many components are kept.
    ellipsoid_ : Ellipsoid
        Mean (d,) and weighted components (m, d): the score is the squared length of a row seen along them.

    Notes
    -----
    PyOD's detector of this name sums the distances from a row to the tips of the component vectors instead, each
    divided by the share of variance, so its scores are others on purpose.
    """

    def __init__(self, n_components: float = 0.9, statistic: str = "combined", alarm_rate: float = 0.01) -> None:
        self.n_components = n_components
        self.statistic = statistic
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        self._merge([self._summary(X)])

    def _score(self, X: Matrix) -> Vector:
        return self.ellipsoid_.distance(X)

    def _explain(self, X: Matrix) -> Vector:
        return self.ellipsoid_.contributions(X)

    def _summary(self, X: Matrix) -> Moments:
        return Moments.of(X)

    def _merge(self, summaries: list[Moments]) -> None:
        self.moments_ = moments = reduce(add, summaries)
        spread = np.sqrt(moments.variance)
        scale = np.where(spread > 1e-12 * np.abs(moments.mean), spread, 1.0)  # constant columns are left alone
        values, vectors = np.linalg.eigh(moments.covariance(0.0) / np.outer(scale, scale))
        self.eigenvalues_ = np.maximum(values[::-1], 0.0)  # (d,)
        self.n_components_ = self._kept(self.eigenvalues_)
        weights = self._weights(self.eigenvalues_, self.n_components_)  # (d,)
        self.ellipsoid_ = Ellipsoid(moments.mean, np.sqrt(weights)[:, None] * vectors[:, ::-1].T / scale)

    def _kept(self, values: Vector) -> int:
        wish = self.n_components
        if self.statistic not in STATISTICS:
            hint = suggest(str(self.statistic), list(STATISTICS))
            raise InputError(f"statistic is {self.statistic!r}; use one of {', '.join(STATISTICS)}{hint}")
        if isinstance(wish, float) and 0 < wish < 1:
            share = np.cumsum(values) / max(values.sum(), np.finfo(float).tiny)
            wish = int(np.searchsorted(share, wish)) + 1
        elif isinstance(wish, bool) or wish != int(wish) or wish < 1:
            raise InputError(f"n_components is {wish!r}; give a whole number from 1, or a share of variance below 1")
        spanned = int((values > 1e-10 * values[0]).sum())  # the rest is rounding, in which nothing can be measured
        if self.statistic == "residual":
            spanned = min(spanned, len(values) - 1)  # something must be left out
        return max(1, min(int(wish), spanned))

    def _weights(self, values: Vector, k: int) -> Vector:
        """What the squared coordinate along each component counts in the score (d,)."""
        main = np.arange(len(values)) < k
        along = np.where(main, 1 / np.maximum(values, np.finfo(float).tiny), 0.0)
        if self.statistic == "hotelling":
            return along
        if self.statistic == "residual":
            return (~main).astype(np.float64)
        along /= chi2.ppf(LIMIT, k)
        rest, squares = values[k:].sum(), np.square(values[k:]).sum()
        if squares <= 1e-20 * values[0] ** 2:  # nothing is left out
            return np.where(main, along, 1 / OFF_SPAN)
        limit = squares / rest * chi2.ppf(LIMIT, rest**2 / squares)  # Box's approximation by a scaled chi-squared
        return np.where(main, along, 1 / limit)
