"""Variational Gaussian mixture with a Dirichlet-process prior: as many components as the points ask for.

The model and updates of Blei, Jordan, Variational Inference for Dirichlet Process Mixtures, 2006, with full
covariances (Bishop, Pattern Recognition and Machine Learning, 2006, section 10.2). Components that hold no point are
dropped on the way, which changes nothing that is kept and makes each step cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, logsumexp

Matrix = NDArray[np.float64]

LEAST_SPREAD = 1e-6  # added to each variance
EMPTY = 0.01  # points; a component with fewer is dropped


@dataclass(frozen=True)
class DirichletMixture:
    """Posterior of K components: Beta(a, b) sticks, normal means, Wishart precisions.

    `counts` (K,) are the points each holds; `a` = 1 + counts and `b` (K,) the sticks; `means` (K, d) with
    `mean_precisions` (K,); `covariances` (K, d, d) with `dofs` (K,).
    """

    counts: Matrix
    a: Matrix
    b: Matrix
    means: Matrix
    mean_precisions: Matrix
    covariances: Matrix
    dofs: Matrix

    @classmethod
    def fit(
        cls,
        X: Matrix,
        start: NDArray[np.int64],
        concentration: float = 0.01,
        max_iter: int = 1500,
        tolerance: float = 1e-3,
        empty: float = EMPTY,
    ) -> DirichletMixture:
        """Fit to points X (n, d) from a first assignment `start` (n,) of points to components 0..K-1.

        Stops when no component gains or loses more than `tolerance` of a point in a step.
        """
        prior = _Prior.of(X, concentration)
        terms = _monomials(X)  # (n, 1 + d + d d)
        weights = np.eye(start.max() + 1)[start]  # (n, K)
        found = prior.update(weights.T @ terms)
        for _ in range(max_iter):
            log = terms @ found._log_joint().T  # (n, K)
            weights = np.exp(log - logsumexp(log, axis=1, keepdims=True))
            sums = weights.T @ terms  # (K, 1 + d + d d): counts, sums, second moments
            kept = sums[:, 0] > empty
            moved = np.abs(sums[:, 0] - found.counts).max()
            found = prior.update(sums[kept])
            if moved < tolerance and kept.all():
                break
        return found

    def _log_joint(self) -> Matrix:
        """E log(weight) + E log N(x | mean, precision) of each component as coefficients (K, 1 + d + d d) of x."""
        K, d = self.means.shape
        P = np.linalg.inv(self.covariances)  # (K, d, d)
        Pm = np.einsum("kij,kj->ki", P, self.means)  # (K, d)
        log_det = -np.linalg.slogdet(self.covariances)[1]
        log_lambda = d * np.log(2 / self.dofs) + digamma(0.5 * (self.dofs[:, None] - np.arange(d))).sum(axis=1)
        stick = digamma(self.a + self.b)
        rest = digamma(self.b) - stick
        log_weight = digamma(self.a) - stick + np.cumsum(rest) - rest
        constant = log_weight + 0.5 * (
            log_det + log_lambda - d / self.mean_precisions - (Pm * self.means).sum(axis=1) - d * np.log(2 * np.pi)
        )
        return np.concatenate([constant[:, None], Pm, -0.5 * P.reshape(K, d * d)], axis=1)

    def draw(self, size: int, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
        """Means (size, K, d) and variances (size, K, d) of the components, drawn from their posterior.

        Covariances are Wishart about their expectation, by Bartlett's decomposition for all draws at once.
        """
        K, d = self.means.shape
        A = np.tril(rng.standard_normal((size, K, d, d)), -1)
        A[..., np.arange(d), np.arange(d)] = np.sqrt(rng.chisquare(self.dofs[:, None] - np.arange(d), (size, K, d)))
        L = np.linalg.cholesky(self.covariances / self.dofs[:, None, None])
        root = L @ A  # (size, K, d, d), a covariance is root root^T
        noise = np.einsum("skij,skj->ski", root, rng.standard_normal((size, K, d)))
        means = self.means + noise / np.sqrt(self.mean_precisions)[:, None]
        return means, np.square(root).sum(axis=-1)


@dataclass(frozen=True)
class _Prior:
    """The prior, set by the points as a whole: their mean (d,) with the weight of one point, their covariance."""

    concentration: float
    mean: Matrix
    covariance: Matrix

    @classmethod
    def of(cls, X: Matrix, concentration: float) -> _Prior:
        return cls(concentration, X.mean(axis=0), np.atleast_2d(np.cov(X.T)))

    def update(self, sums: Matrix) -> DirichletMixture:
        """The posterior given `sums` (K, 1 + d + d d) of the monomials of the points each component holds."""
        d = len(self.mean)
        counts = sums[:, 0] + 10 * np.finfo(np.float64).eps
        centre = sums[:, 1 : 1 + d] / counts[:, None]  # (K, d)
        scatter = sums[:, 1 + d :].reshape(-1, d, d) - counts[:, None, None] * _outer(centre)
        scatter += counts[:, None, None] * LEAST_SPREAD * np.eye(d)
        precisions, dofs = 1 + counts, d + counts
        means = (self.mean + counts[:, None] * centre) / precisions[:, None]
        pull = (counts / precisions)[:, None, None] * _outer(centre - self.mean)
        covariances = (self.covariance + scatter + pull) / dofs[:, None, None]
        later = np.cumsum(counts[::-1])[::-1] - counts
        return DirichletMixture(counts, 1 + counts, self.concentration + later, means, precisions, covariances, dofs)


def _outer(v: Matrix) -> Matrix:
    return np.asarray(v[:, :, None] * v[:, None, :])


def _monomials(X: Matrix) -> Matrix:
    """1, x_i and x_i x_j of each point (n, 1 + d + d d): sums of these give counts, means and scatters."""
    return np.concatenate([np.ones((len(X), 1)), X, _outer(X).reshape(len(X), -1)], axis=1)
