"""ContaminationPosterior: how many of the rows are anomalies, as a distribution, from the scores of detectors.

role: test
data: any
names: ContaminationPosterior
system: 029
paper: Perini et al., Estimating the Contamination Factor's Distribution in Unsupervised Anomaly Detection, 2023
needs: -
checkpoint: none

A Dirichlet-process mixture of the scores finds groups of rows; the chance that the k most extreme groups are the
anomalies follows from two beliefs: none at all, and more than 15 %, have a chance of 1 % each. Before that a test asks
whether the tail of the scores holds anything that their body does not explain; the less it finds, the more likely none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import betaincc, expit
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans

from unusual.decide.excess import TailExcess, tail_excess
from unusual.decide.fdr import e_values
from unusual.decide.score_matrix import log_scores, score_matrix
from unusual.decide.threshold import quantile_threshold
from unusual.errors import InputError
from unusual.parts.dirichlet_mixture import DirichletMixture
from unusual.parts.rows import some_rows

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

DETECTORS = ("KNN", "IsolationForest", "LOF")
MOST_ROWS = 5000  # read from a table, and tested
MOST_POINTS = 2000  # given to the mixture: its cost is all but that of the method
COMPONENTS, CONCENTRATION = 100, 0.01
BELIEF = 0.01  # prior chance of no anomalies where the test found some, and of a large share of them
LARGE = 0.6  # of the limit: 15 % of 25 %
STEEPEST = 50.0
SETS, DRAWS = 500, 20  # posterior sets of components, and shares drawn from each
LEVEL = 0.05  # of the test whether there is anything
KAPPA = 0.4  # p-values p of tables with anomalies have about the density KAPPA p^(KAPPA - 1), by simulated mixtures


class ContaminationPosterior(BaseEstimator):  # type: ignore[misc]
    """Posterior of the share of anomalies among rows scored by one or several detectors.

    Parameters
    ----------
    limit : float in (0, 1), default 0.25
        Largest share believed possible; a larger one cannot be found.
    restarts : int, default 3
        How often the mixture is fitted from another start before the fallback is used.
    random_state : int

    Attributes
    ----------
    sample_ : (10000,) array
        Draws of the share of anomalies.
    mean_, interval_ : float, (low, high)
        Their mean, and the interval that holds 95 % of them.
    nothing_there_ : bool
        Whether the scores give no sign of any anomaly (test at 5 %).
    no_anomalies_ : float
        Posterior chance that there is none: share of zeros in `sample_`.
    evidence_p_, excess_ : float
        p-value of that test, and the share of scores that their body does not explain (a lower bound).
    solved_ : bool
        Whether both beliefs could be met; if not, the most extreme groups alone are taken, or else `excess_`.
    """

    def __init__(self, limit: float = 0.25, restarts: int = 3, random_state: int = 0) -> None:
        self.limit = limit
        self.restarts = restarts
        self.random_state = random_state

    @classmethod
    def from_table(cls, X: ArrayLike, **parameters: Any) -> Self:
        """Fit to the scores that the default detectors give the rows of X (n, d), of at most 5,000 of them."""
        from unusual.catalogue import make

        rows = np.asarray(X)
        rows = rows[some_rows(len(rows), MOST_ROWS)]
        return cls(**parameters).fit([make(name).fit_anomaly_score(rows) for name in DETECTORS])

    def fit(self, scores: ArrayLike | Sequence[ArrayLike], y: None = None) -> Self:
        """Estimate from scores, higher is more unusual: (n,), (n, M), or a list of M vectors (n,).

        Raises
        ------
        InputError
            If scores are not finite, fewer than 20, all constant, or a parameter is out of range.
        """
        if not 0 < self.limit < 1 or self.restarts < 1:
            raise InputError(f"limit is {self.limit} and restarts {self.restarts}; give a share and at least one start")
        T = log_scores(score_matrix(scores))
        T = T[some_rows(len(T), MOST_ROWS)]
        rng = np.random.default_rng(self.random_state)
        evidence = self._evidence(T)
        self.evidence_p_, self.excess_ = evidence.p_value, evidence.effect
        self.nothing_there_ = evidence.p_value > LEVEL
        share = self._shares(T[some_rows(len(T), MOST_POINTS)], rng)
        if self.nothing_there_:
            none = 1 / (1 + e_values([evidence.p_value], KAPPA)[0])  # even odds before the test
            share = np.where(rng.uniform(size=len(share)) < none, 0.0, share)
        self.sample_ = share
        self.mean_ = float(share.mean())
        low, high = np.quantile(share, [0.025, 0.975])
        self.interval_ = (float(low), float(high))
        self.no_anomalies_ = float((share == 0).mean())
        return self

    def threshold(self, scores: ArrayLike) -> float:
        """The cut of one detector's scores (n,) above which the mean share lies; +inf if that is none."""
        return quantile_threshold(scores, self.mean_) if self.mean_ > 0 else math.inf

    def _evidence(self, T: Matrix) -> TailExcess:
        """The strongest of the tests of each detector and of their mean, its p-value corrected for their number."""
        views = [T.mean(axis=1), *T.T] if T.shape[1] > 1 else [T[:, 0]]
        tests = [tail_excess(view, random_state=self.random_state) for view in views]
        best = max(tests, key=lambda test: test.statistic)
        return TailExcess(best.statistic, 1 - (1 - best.p_value) ** len(views), best.effect)

    def _shares(self, T: Matrix, rng: np.random.Generator) -> Vector:
        """Draws of the share of anomalies, given that the beliefs hold: the method of the paper."""
        for _ in range(self.restarts):
            mixture = _mixture(T, rng)
            a, extremity, expected = _ordered(mixture, rng)
            slope = _slope(a, expected, LARGE * self.limit)
            self.solved_ = slope is not None
            if self.solved_ or self.nothing_there_:
                break
        p_groups = _exactly(STEEPEST if slope is None else slope, extremity, expected[0])  # (SETS, K)
        group = (rng.uniform(size=(SETS, DRAWS, 1)) > np.cumsum(p_groups, axis=1)[:, None]).sum(axis=2)  # K: none
        weights = np.cumsum(rng.dirichlet(a, (SETS, DRAWS)), axis=2)
        weights = np.concatenate([weights, np.zeros((SETS, DRAWS, 1))], axis=2)
        share = np.take_along_axis(weights, group[..., None], axis=2).ravel()
        possible = share[(share > 0) & (share < self.limit)]
        large = share >= self.limit
        if len(possible) < len(share) // 100:  # the groups are too large to be anomalies: the tail has the word
            n = len(T)
            possible = np.minimum(rng.beta(1 + n * self.excess_, 1 + n * (1 - self.excess_), len(share)), self.limit)
        share[large] = rng.choice(possible, large.sum())
        return share


def _mixture(T: Matrix, rng: np.random.Generator) -> DirichletMixture:
    points = T + 1e-6 * rng.standard_normal(T.shape)  # equal rows would make a component without spread
    seed = int(rng.integers(2**31))
    start = KMeans(min(COMPONENTS, len(T) - 1), n_init=1, random_state=seed).fit_predict(points)
    return DirichletMixture.fit(points, start.astype(np.int64), CONCENTRATION, tolerance=0.05)


def _ordered(mixture: DirichletMixture, rng: np.random.Generator) -> tuple[Vector, Matrix, Vector]:
    """Dirichlet weights (K,) of the groups, draws of their extremity (SETS, K) and its mean (K,), extreme ones first.

    A group is extreme whose mean score, over all detectors, is high for its spread.
    """
    kept = mixture.a >= 2  # holds at least one row
    a = mixture.a[kept] + mixture.a[~kept].sum() / kept.sum()
    means, variances = mixture.draw(SETS, rng)  # (SETS, K, M)
    extremity = (means / (1 + np.sqrt(variances))).mean(axis=2)[:, kept]
    order = np.argsort(-extremity.mean(axis=0))
    return a[order], extremity[:, order], extremity[:, order].mean(axis=0)


def _exactly(slope: float, extremity: Matrix, highest: float) -> Matrix:
    """P(exactly the first k groups are anomalies), k = 1..K, for extremities (..., K).

    Group k is one with chance expit(-tau - delta r_k) if k - 1 is; `slope` is -delta, and tau is such that a group of
    the `highest` extremity is one with chance 1 - BELIEF.
    """
    p = expit(math.log(1 / BELIEF - 1) + slope * (extremity - highest))
    after = np.concatenate([p[..., 1:], np.zeros((*p.shape[:-1], 1))], axis=-1)
    return np.asarray(np.cumprod(p, axis=-1) * (1 - after))


def _slope(a: Vector, expected: Vector, large: float) -> float | None:
    """The slope for which P(share of anomalies > large) = BELIEF, or None if even the steepest leaves more."""
    A = np.cumsum(a)
    above = np.append(betaincc(A[:-1], A[-1] - A[:-1], large), 1.0)  # P(the first k groups hold more than that)

    def gap(slope: float) -> float:
        return float(_exactly(slope, expected, expected[0]) @ above) - BELIEF

    if gap(STEEPEST) > 0.1 * BELIEF or gap(0.0) < 0:
        return None
    return float(brentq(gap, 0.0, STEEPEST)) if gap(STEEPEST) < 0 else STEEPEST
