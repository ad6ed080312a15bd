"""Tests of two conditions measured on the same units, their correction for number, and the size of an effect.

Sources: Wilcoxon, Individual Comparisons by Ranking Methods, 1945; Holm, A Simple Sequentially Rejective Multiple Test
Procedure, 1979; Cliff, Dominance Statistics: Ordinal Analyses to Answer Ordinal Questions, 1993.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Vector = NDArray[np.float64]


def signed_rank(differences: ArrayLike) -> tuple[float, float]:
    """Wilcoxon's signed-rank statistic and two-sided p-value of differences (n,) of pairs; p = 1 if all are zero."""
    d = np.asarray(differences, dtype=np.float64)
    if not d.any():
        return 0.0, 1.0
    found = stats.wilcoxon(d)
    return float(found.statistic), float(found.pvalue)


def rank_sum(a: ArrayLike, b: ArrayLike) -> tuple[float, float]:
    """Mann and Whitney's statistic of a (n,) and two-sided p-value against b (m,), which need not be paired."""
    found = stats.mannwhitneyu(a, b)
    return float(found.statistic), float(found.pvalue)


def cliffs_delta(a: ArrayLike, b: ArrayLike) -> float:
    """P(a > b) - P(a < b) for a value of a (n,) and one of b (m,): -1 to 1, 0 where neither dominates."""
    x, y = np.asarray(a, dtype=np.float64), np.sort(np.asarray(b, dtype=np.float64))
    below, upto = np.searchsorted(y, x, "left"), np.searchsorted(y, x, "right")
    return float((below + upto - len(y)).sum() / (len(x) * len(y)))


def holm(p_values: ArrayLike) -> Vector:
    """p-values (m,) such that those at or below a level are rejected with that family-wise error."""
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted
