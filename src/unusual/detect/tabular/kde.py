"""KDE: minus the logarithm of a Gaussian kernel density estimate of the reference.

role: detector
data: table
system: -
paper: Parzen, On Estimation of a Probability Density Function and Mode, 1962
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

CELLS = 1 << 20  # kernel values held at a time


class KDE(Detector):
    """Minus the log-density of a row, in the units of standardised columns.

    Parameters
    ----------
    bandwidth : float or "scott", default "scott"
        Standard deviation of the kernel in units of the columns' standard deviations; "scott" is n^(-1 / (d + 4))
        (Scott, Multivariate Density Estimation, 1992).
    max_rows : int or None, default 20,000
        The density is estimated from at most so many rows, drawn once and always the same; None takes all.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    kept_ : (m,) array
        Numbers of the rows that carry a kernel, ascending.
    centres_ : (m, d) array
        These rows in units of the bandwidth.
    bandwidth_ : float
        Width of the kernel in use.
    log_peak_ : float
        Logarithm of a kernel at its centre.
    """

    def __init__(
        self, bandwidth: float | str = "scott", max_rows: int | None = 20_000, alarm_rate: float = 0.01
    ) -> None:
        self.bandwidth = bandwidth
        self.max_rows = max_rows
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.max_rows is not None and self.max_rows < 2:
            raise InputError(f"max_rows is {self.max_rows}; give at least 2, or None for all rows")
        self.scaling_ = Standardizer.of(X)
        self.kept_ = some_rows(len(X), self.max_rows or len(X))
        m, d = len(self.kept_), X.shape[1]
        self.bandwidth_ = self._width(m, d)
        self.centres_ = self.scaling_(X[self.kept_]).astype(np.float64) / self.bandwidth_  # (m, d)
        self.log_peak_ = float(-d * np.log(self.bandwidth_ * np.sqrt(2 * np.pi)))
        self._lengths = np.einsum("ij,ij->i", self.centres_, self.centres_)

    def _score(self, X: Matrix) -> Vector:
        return self._minus_log_density(X, np.full(len(X), -1))

    def _train_score(self, X: Matrix, rows: NDArray[np.int64]) -> Vector:
        place = np.searchsorted(self.kept_, rows)
        own = np.where(self.kept_[np.minimum(place, len(self.kept_) - 1)] == rows, place, -1)
        return self._minus_log_density(X[rows], own)

    def _width(self, m: int, d: int) -> float:
        if self.bandwidth == "scott":
            return float(m ** (-1 / (d + 4)))
        if isinstance(self.bandwidth, str) or not self.bandwidth > 0:
            raise InputError(f"bandwidth is {self.bandwidth!r}; give a positive number or 'scott'")
        return float(self.bandwidth)

    def _minus_log_density(self, X: Matrix, own: NDArray[np.int64]) -> Vector:
        """Scores (n,) of the rows of X (n, d), without the kernel numbered `own` (n,), where that is not -1."""
        if not hasattr(self, "_lengths"):
            self._lengths = np.einsum("ij,ij->i", self.centres_, self.centres_)
        scores = np.empty(len(X))
        step = max(1, CELLS // len(self.centres_))
        for start in range(0, len(X), step):
            part = slice(start, start + step)
            scores[part] = self._block(self.scaling_(X[part]).astype(np.float64) / self.bandwidth_, own[part])
        return scores

    def _block(self, Q: Vector, own: NDArray[np.int64]) -> Vector:
        left_out = np.flatnonzero(own >= 0)
        kernels = Q @ self.centres_.T  # (b, m); in float64, since the lengths are taken off again
        kernels -= self._lengths / 2
        kernels[left_out, own[left_out]] = -np.inf
        top = kernels.max(axis=1)
        kernels -= top[:, None]  # the nearest kernel counts 1: far rows must not underflow
        total = np.exp(kernels, out=kernels).sum(axis=1)
        top -= np.einsum("ij,ij->i", Q, Q) / 2
        count = np.log(len(self.centres_) - (own >= 0))
        return np.asarray(count - np.log(total) - np.minimum(top, 0) - self.log_peak_)
