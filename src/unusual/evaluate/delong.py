"""AUROC's variance in closed form, for one detector and for two on the same items.

Source: DeLong, DeLong, Clarke-Pearson, Comparing the Areas under Two or More Correlated ROC Curves, 1988; placements by
one sort as in Sun, Xu, Fast Implementation of DeLong's Algorithm, 2014.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import rankdata

from unusual.errors import InputError
from unusual.evaluate.checks import labels_and_scores
from unusual.evaluate.comparison import Comparison
from unusual.evaluate.intervals import level_of
from unusual.parts.bootstrap import Interval

Vector = NDArray[np.float64]


def delong_interval(labels: ArrayLike, scores: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of AUROC from DeLong's variance, symmetric on the logit scale so that it stays within 0 and 1.

    Items must be independent: there is no form for groups. It has no width where the ranking is perfect.

    Raises
    ------
    InputError
        If a class has one item only, or labels and scores cannot be ranked.
    """
    area, covariance = _areas(labels, scores)
    a, error = float(area[0]), math.sqrt(covariance[0, 0])
    if error == 0 or not 0 < a < 1:
        return Interval(a, a, a, level)
    reach = ndtri((1 + level_of(level)) / 2) * error / (a * (1 - a))
    return Interval(a, float(expit(logit(a) - reach)), float(expit(logit(a) + reach)), level)


def delong_comparison(labels: ArrayLike, scores_a: ArrayLike, scores_b: ArrayLike, level: float = 0.95) -> Comparison:
    """DeLong's test of equal AUROC of two scores of the same independent items (n,)."""
    area, covariance = _areas(labels, scores_a, scores_b)
    effect = float(area[0] - area[1])
    error = math.sqrt(max(0.0, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]))
    z = effect / error if error > 1e-12 else 0.0
    reach = float(ndtri((1 + level_of(level)) / 2)) * error
    interval = Interval(effect, effect - reach, effect + reach, level)
    p = float(2 * ndtr(-abs(z)))
    return Comparison(z, p, effect, interval, float(area[0]), float(area[1]), "auroc", "nothing (closed form)")


def _areas(labels: ArrayLike, *scores: ArrayLike) -> tuple[Vector, Vector]:
    """AUROC (c,) of each score and their covariance (c, c)."""
    of_true, of_false = [], []
    for one in scores:
        y, s = labels_and_scores(labels, one)
        m, n = int(y.sum()), int((~y).sum())
        if min(m, n) < 2:
            raise InputError(f"there are {m:,} anomalous and {n:,} normal items; an interval needs two of each")
        rank = rankdata(s)
        of_true.append((rank[y] - rankdata(s[y])) / n)  # share of normal items below each anomalous one
        of_false.append(1 - (rank[~y] - rankdata(s[~y])) / m)
    covariance = np.cov(of_true).reshape(len(scores), -1) / m + np.cov(of_false).reshape(len(scores), -1) / n
    return np.mean(of_true, axis=1), covariance
