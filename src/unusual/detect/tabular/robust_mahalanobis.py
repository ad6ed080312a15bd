"""RobustMahalanobis: distance to the centre of the half of the rows that lie closest together.

role: detector
data: table
system: -
paper: Hubert, Rousseeuw, Verdonck, A Deterministic Algorithm for Robust Location and Scatter, 2012
needs: -
checkpoint: none
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import chi2, rankdata

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.ellipsoid import Ellipsoid
from unusual.parts.gaussian import Moments
from unusual.parts.robust import medians, tau
from unusual.parts.rows import some_rows

SEARCH_ROWS = 20_000  # the subset is searched among so many rows; the estimate is then refined on all
START_ROWS = 2_000  # a start only has to point in a robust direction
PAIRWISE_COLUMNS = 60  # the pairwise start costs d^2 robust scales
STEPS = 100
CONDITION = 1e8  # largest over smallest eigenvalue; beyond it half of the digits of a distance are lost
KEPT = 0.975


class RobustMahalanobis(Detector):
    """Squared Mahalanobis distance with the minimum covariance determinant (MCD), found from six fixed starts.

    The MCD is the mean and covariance of those h rows whose covariance has the smallest determinant; rows within the
    97.5 % ellipsoid are then averaged again. The same data always give the same estimate. As in the paper, except: the
    tau scale stands for Qn at every size, and only the two best starts are followed to the end after two steps, as in
    Rousseeuw and van Driessen, A Fast Algorithm for the Minimum Covariance Determinant Estimator, 1999.

    Parameters
    ----------
    support_fraction : float in [0.5, 1] or None, default None
        Share of the rows in the subset; None takes (n + d + 1) / 2 rows, which withstands the most anomalies.
    shrinkage : float in [0, 1] or None, default None
        Weight of the robustly scaled diagonal in the covariance; None takes the smallest that keeps the ratio of
        eigenvalues below 1e8, which is 0 unless columns nearly repeat each other (Boudt, Rousseeuw, Vanduffel,
        Verdonck, The Minimum Regularized Covariance Determinant Estimator, 2020).
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    ellipsoid_ : Ellipsoid
        Centre (d,) and whitening axes (d, d); the score is about chi-squared with d degrees of freedom.
    """

    def __init__(
        self, support_fraction: float | None = None, shrinkage: float | None = None, alarm_rate: float = 0.01
    ) -> None:
        self.support_fraction = support_fraction
        self.shrinkage = shrinkage
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        rows = X[some_rows(len(X), SEARCH_ROWS)].astype(np.float64)  # (m, d)
        middle, scale = tau(np.ascontiguousarray(rows.T))
        scale = np.where(scale > 1e-12 * np.maximum(np.abs(middle), np.finfo(float).tiny), scale, 1.0)
        Z = (rows - middle) / scale
        mean, S, shrinkage = _smallest_subset(Z, self._size(*Z.shape), self.shrinkage)
        raw = Ellipsoid.of(middle + scale * mean, S, scale)
        cutoff = chi2.ppf(KEPT, X.shape[1])
        distance, h = raw.distance(X), self._size(*X.shape)
        self._inside = distance <= max(cutoff, np.partition(distance, h - 1)[h - 1])  # (n,), kept to calibrate
        near = Moments.of(X[self._inside])
        self._truncated = truncated = chi2.cdf(cutoff, X.shape[1] + 2) / KEPT  # variance of a normal row inside
        covariance = near.scatter / near.count / truncated / np.outer(scale, scale)
        if self.shrinkage is None:
            shrinkage = _needed_shrinkage(covariance)
        self.ellipsoid_ = Ellipsoid.of(near.mean, _shrunk(covariance, shrinkage), scale)

    def _score(self, X: Matrix) -> Vector:
        return self.ellipsoid_.distance(X)

    def _train_score(self, X: Matrix, rows: NDArray[np.int64]) -> Vector:
        """Each row that was averaged is taken out of mean and covariance; the subset behind them stays."""
        distance, m = self.ellipsoid_.distance(X[rows]), int(self._inside.sum())
        rest = np.maximum(1 - distance / (self._truncated * max(m - 1, 1)), 1e-12)  # one minus its leverage
        return np.where(self._inside[rows], distance * m / max(m - 1, 1) / rest, distance)

    def _explain(self, X: Matrix) -> Vector:
        return self.ellipsoid_.contributions(X)

    def _size(self, n: int, d: int) -> int:
        """Number h of rows in the subset."""
        for name, value, low in (("support_fraction", self.support_fraction, 0.5), ("shrinkage", self.shrinkage, 0.0)):
            if value is not None and not low <= value <= 1:
                raise InputError(f"{name} is {value!r}; give a number from {low} to 1, or None")
        return min(n, (n + d + 1) // 2 if self.support_fraction is None else int(np.ceil(self.support_fraction * n)))


def _smallest_subset(Z: Vector, h: int, shrinkage: float | None) -> tuple[Vector, Vector, float]:
    """Mean (d,), covariance (d, d) and shrinkage of the h rows of Z (n, d) with the smallest determinant."""
    some = Z[some_rows(len(Z), START_ROWS)]
    starts = [_subset(Z, start.distance(Z), (len(Z) + 1) // 2) for start in _first_ellipsoids(some)]
    if shrinkage is None:  # one for all starts, or their determinants could not be compared
        needed = [_needed_shrinkage(S) for _, S in starts]
        shrinkage = max(needed) if max(needed) <= 0.1 else max(0.1, float(np.median(needed)))
    followed = sorted((_steps(Z, h, shrinkage, *start, 2) for start in starts), key=lambda result: result[2])
    best = min((_steps(Z, h, shrinkage, m, S, STEPS) for m, S, _ in followed[:2]), key=lambda result: result[2])
    mean, S, _ = best
    S = _shrunk(S, shrinkage)
    inner = np.partition(Ellipsoid.of(mean, S, np.ones(len(S))).distance(Z), h - 1)[h - 1]
    expected = chi2.ppf(min(h / len(Z), 1 - 0.5 / len(Z)), Z.shape[1])
    return mean, S * max(inner / expected, np.finfo(float).tiny), shrinkage


def _steps(Z: Vector, h: int, shrinkage: float, mean: Vector, S: Vector, most: int) -> tuple[Vector, Vector, float]:
    """C-steps: take the h rows closest to the last subset, until the determinant no longer falls."""
    last = np.inf
    for _ in range(most):
        mean, S = _subset(Z, Ellipsoid.of(mean, _shrunk(S, shrinkage), np.ones(len(S))).distance(Z), h)
        size = float(np.linalg.slogdet(_shrunk(S, shrinkage))[1])
        if size >= last - 1e-12:
            break
        last = size
    return mean, S, size


def _subset(Z: Vector, distance: Vector, h: int) -> tuple[Vector, Vector]:
    """Mean (d,) and covariance (d, d) of the h rows with the smallest distance (n,)."""
    rows = Z[np.argpartition(distance, h - 1)[:h]]
    centred = rows - (mean := rows.mean(axis=0))
    return mean, centred.T @ centred / h


def _shrunk(S: Vector, shrinkage: float) -> Vector:
    floor = max(shrinkage, 1e-12)  # columns without any spread must not break the Cholesky factor
    return (1 - floor) * S + floor * np.eye(len(S))


def _needed_shrinkage(S: Vector) -> float:
    """The smallest weight of the identity at which the eigenvalues of S (d, d) stay within CONDITION."""
    low, high = np.linalg.eigvalsh(S)[[0, -1]]
    excess = high - CONDITION * max(low, 0.0)
    return float(excess / (excess + CONDITION - 1)) if excess > 0 else 0.0


def _first_ellipsoids(Z: Vector) -> Iterator[Ellipsoid]:
    """Six quick robust centres and scatters of the rows of Z (n, d)."""
    for S in _first_scatters(Z):
        E = np.linalg.eigh(S)[1]  # (d, d): only the directions of the start are trusted
        views = np.ascontiguousarray((Z @ E).T)  # (d, n)
        spread = np.maximum(tau(views)[1], 1e-6)
        root = E / spread @ E.T  # inverse square root of the scatter
        centre = medians(np.ascontiguousarray((Z @ root).T)) @ (E * spread @ E.T)
        yield Ellipsoid(centre, E.T / spread[:, None])


def _first_scatters(Z: Vector) -> Iterator[Vector]:
    n = len(Z)
    yield _correlation(np.tanh(Z))
    ranks = rankdata(Z, axis=0)  # (n, d)
    yield _correlation(ranks)
    yield _correlation(ndtri((ranks - 1 / 3) / (n + 1 / 3)))
    length = np.linalg.norm(Z, axis=1, keepdims=True)
    signs = Z / np.where(length > 0, length, 1.0)
    yield signs.T @ signs / n
    yield _subset(Z, length[:, 0], (n + 1) // 2)[1]
    if Z.shape[1] <= PAIRWISE_COLUMNS:
        yield _pairwise(np.ascontiguousarray(Z.T))


def _correlation(Y: Vector) -> Vector:
    centred = Y - Y.mean(axis=0)
    spread = np.sqrt(np.mean(centred**2, axis=0))
    centred /= np.where(spread > 0, spread, 1.0)
    return np.asarray(centred.T @ centred / len(Y))


def _pairwise(Y: Vector) -> Vector:
    """Robust covariances (d, d) of the rows of Y (d, n) from the scales of their sums and differences."""
    S = np.eye(len(Y))
    for i in range(len(Y) - 1):
        plus, minus = tau(Y[i + 1 :] + Y[i])[1], tau(Y[i + 1 :] - Y[i])[1]
        S[i, i + 1 :] = S[i + 1 :, i] = (plus**2 - minus**2) / 4
    return S
