"""GaussianMixture: minus the log-density under a mixture of Gaussians fitted to the reference.

role: detector
data: table
system: -
paper: Dempster, Laird, Rubin, Maximum Likelihood from Incomplete Data via the EM Algorithm, 1977
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.kmeans import kmeans
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

EM_ROWS = 50_000  # a few Gaussians are known far better than anything else from so many rows
MOST_COMPONENTS = 8
AT_ONCE = 1 << 16  # numbers held while densities are worked out
Gaussians = tuple[Vector, Vector, Vector]  # axes (d, k d), offsets (k d,), log-densities at the means (k,)
Fit = tuple[Vector, Vector, Vector, int, float]  # weights (k,), means (k, d), covariances (k, d, d), steps, criterion


class GaussianMixture(Detector):
    """Minus the log-density of a row, in the units of standardised columns.

    Parameters
    ----------
    n_components : int or None, default None
        Number of Gaussians; None takes the number from 1 to 8 at which the Bayesian information criterion stops
        falling, as long as each holds more rows than there are columns.
    regularization : float, default 1e-6
        Added to the variances of the standardised columns, so that repeated columns do no harm.
    tolerance : float, default 1e-3
        Gain of mean log-density below which a fit has converged.
    max_iter : int, default 100
        Most steps of one fit.
    random_state : int, default 0
        Seed of the first clusters.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    weights_ : (k,) array
    means_ : (k, d) array
        In standardised units.
    covariances_ : (k, d, d) array
        In standardised units, with the regularization.
    n_iter_ : int
        Steps of the fit.
    bic_ : float
        Bayesian information criterion of the fit; lower is better.
    """

    def __init__(
        self,
        n_components: int | None = None,
        regularization: float = 1e-6,
        tolerance: float = 1e-3,
        max_iter: int = 100,
        random_state: int = 0,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_components = n_components
        self.regularization = regularization
        self.tolerance = tolerance
        self.max_iter = max_iter
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.n_components is not None and self.n_components < 1:
            raise InputError(f"n_components is {self.n_components}; give a number from 1, or None")
        if self.regularization <= 0:
            raise InputError(f"regularization is {self.regularization}; give a small positive number such as 1e-6")
        self.scaling_ = Standardizer.of(X)
        Z = self.scaling_(X[some_rows(len(X), EM_ROWS)]).astype(np.float64)  # (m, d)
        rng = np.random.default_rng(self.random_state)
        first, most = (1, MOST_COMPONENTS) if self.n_components is None else (self.n_components, self.n_components)
        best = self._em(Z, min(first, len(Z)), rng)
        for k in range(first + 1, min(most, len(Z)) + 1):
            other = self._em(Z, k, rng)
            if other[-1] >= best[-1] or other[0].min() * len(Z) <= X.shape[1]:
                break  # a component of d rows or fewer is flat, and its likelihood has no bound
            best = other
        self.weights_, self.means_, self.covariances_, self.n_iter_, self.bic_ = best
        self._gaussians = _gaussians(self.weights_, self.means_, self.covariances_)

    def _score(self, X: Matrix) -> Vector:
        return -_log_sum(self._densities(X))

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        """Each row's share is taken out of each component's weight, mean and covariance; the other shares stay."""
        density = self._densities(X[rows])  # (m, k)
        share = np.exp(density - _log_sum(density)[:, None])
        n = min(len(X), EM_ROWS)
        count = np.maximum(self.weights_ * n, share + 1e-9)  # (m, k)
        part = share / np.maximum(count - share, 1e-9)  # of a row in what is left of its component
        squared = 2 * (self._gaussians[2] - density)  # Mahalanobis, in each component
        left = np.maximum(1 - part * squared, 1e-9)  # the determinant loses this factor
        d = self.means_.shape[1]
        shrunk = np.log1p(part)
        without = squared * (1 + part) / left
        change = (squared - without) / 2 - (d * shrunk + np.log(left)) / 2 - shrunk + np.log(n / (n - 1))
        return -_log_sum(density + change)

    def _densities(self, X: Matrix) -> Vector:
        """Logarithm of the weighted density (n, k) of each row under each component."""
        if not hasattr(self, "_gaussians"):
            self._gaussians = _gaussians(self.weights_, self.means_, self.covariances_)
        return _log_densities(self.scaling_(X), self._gaussians)

    def _em(self, Z: Vector, k: int, rng: np.random.Generator) -> Fit:
        """A maximum of the likelihood of the rows Z (n, d), from the clusters of k-means."""
        share = np.eye(k)[kmeans(Z, k, rng)[1]]  # (n, k)
        last, step = -np.inf, 0
        while step < self.max_iter:
            step += 1
            weights, means, covariances = self._maximise(Z, share)
            density = _log_densities(Z, _gaussians(weights, means, covariances))  # (n, k)
            whole = _log_sum(density)
            share = np.exp(density - whole[:, None])
            level = float(whole.mean())
            if abs(level - last) < self.tolerance:
                break
            last = level
        d = Z.shape[1]
        free = k * (d + d * (d + 1) // 2) + k - 1
        return weights, means, covariances, step, free * np.log(len(Z)) - 2 * len(Z) * level

    def _maximise(self, Z: Vector, share: Vector) -> tuple[Vector, Vector, Vector]:
        """Weights (k,), means (k, d) and covariances (k, d, d) of the rows by their share (n, k) in each component."""
        count = share.sum(axis=0) + 10 * np.finfo(np.float64).eps  # (k,): an empty component must not divide by 0
        means = share.T @ Z / count[:, None]
        covariances = np.empty((len(count), Z.shape[1], Z.shape[1]))
        for j, mean in enumerate(means):
            centred = Z - mean
            covariances[j] = (share[:, j] * centred.T) @ centred / count[j]
            covariances[j].flat[:: Z.shape[1] + 1] += self.regularization
        return count / count.sum(), means, covariances


def _gaussians(weights: Vector, means: Vector, covariances: Vector) -> Gaussians:
    """Axes and offsets that make distances to the components squared lengths; weighted log-densities at the means."""
    d = means.shape[1]
    axes = np.linalg.inv(np.linalg.cholesky(covariances))  # (k, d, d)
    volume = np.log(np.diagonal(axes, axis1=1, axis2=2)).sum(axis=1)
    peaks = np.log(weights) + volume - d / 2 * np.log(2 * np.pi)
    return axes.reshape(-1, d).T, np.einsum("kij,kj->ki", axes, means).ravel(), peaks


def _log_densities(Z: Matrix, gaussians: Gaussians) -> Vector:
    """Logarithm of the weighted density (n, k) of each row of Z (n, d) under each component."""
    axes, offsets, peaks = gaussians
    density = np.empty((len(Z), len(peaks)))
    step = max(1, AT_ONCE // len(offsets))
    for start in range(0, len(Z), step):
        views = (Z[start : start + step] @ axes - offsets).reshape(-1, len(peaks), Z.shape[1])  # (b, k, d)
        density[start : start + step] = peaks - np.einsum("nkj,nkj->nk", views, views) / 2
    return density


def _log_sum(density: Vector) -> Vector:
    """log sum exp over the columns of `density` (n, k)."""
    top = density.max(axis=1)
    return np.asarray(top + np.log(np.exp(density - top[:, None]).sum(axis=1)))
