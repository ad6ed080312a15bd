"""Whether the upper tail of scores holds more than the body lets expect, and how much at least.

Scores of one kind of item, on a logarithmic scale, have a hazard that does not fall (normal, gamma, Weibull and even
Pareto laws do). Anomalies mixed in leave a shelf or a gap in the tail, where the hazard drops. The statistic compares
the hazard of two ranges of quantiles; its law under the least favourable null, a constant hazard, is simulated.
Source: Proschan, Pyke, Tests for Monotone Failure Rate, 1967 (the idea of testing spacings for a falling hazard).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError

Vector = NDArray[np.float64]

LEVELS = np.array([0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.94, 0.96, 0.98, 0.99, 0.995, 0.998])
FEWEST_ABOVE = 3  # scores above the last quantile used
FEWEST_SCORES = 20
SIMULATIONS = 999


@dataclass(frozen=True)
class TailExcess:
    """Result of the test: `effect` is the share of scores that the body does not account for, a lower bound."""

    statistic: float
    p_value: float
    effect: float


def tail_excess(scores: ArrayLike, *, random_state: int = 0) -> TailExcess:
    """Test whether the upper tail of scores (n,) holds more than their body lets expect.

    Give scores whose logarithm was taken; adding a constant or multiplying by one changes nothing.

    Raises
    ------
    InputError
        If there are fewer than 20 scores, or they are not finite.
    """
    x = np.asarray(scores, dtype=np.float64)
    if x.ndim != 1 or len(x) < FEWEST_SCORES or not np.isfinite(x).all():
        raise InputError(f"scores must be one list of at least {FEWEST_SCORES} finite numbers; the shape is {x.shape}")
    levels = _levels(len(x))
    triples = _triples(levels)
    values = _statistics(np.quantile(x, levels)[None], levels, triples, len(x))[0]  # (triples,)
    best = int(np.argmax(values))
    highest = _null(len(x), random_state)
    p_value = (1 + np.count_nonzero(highest >= values[best])) / (SIMULATIONS + 1)
    return TailExcess(float(values[best]), float(p_value), _share(np.sort(x), *levels[triples[best, :2]]))


def _levels(count: int) -> Vector:
    return LEVELS[(1 - LEVELS) * count >= FEWEST_ABOVE]


@lru_cache(maxsize=8)
def _null(count: int, seed: int) -> Vector:
    """Simulated statistics (999,) of `count` scores with a constant hazard, which several detectors share."""
    levels = _levels(count)
    scores = np.random.default_rng(seed).exponential(size=(SIMULATIONS, count))
    return np.asarray(_statistics(np.quantile(scores, levels, axis=1).T, levels, _triples(levels), count).max(axis=1))


def _triples(levels: Vector) -> NDArray[np.int64]:
    """Pairs of neighbouring ranges i-j and j-k (t, 3): the first of at least 5 % of the scores and below 90 %."""
    count = len(levels)
    return np.array(
        [
            (i, j, k)
            for i in range(count)
            for j in range(i + 1, count)
            for k in range(j + 1, count)
            if levels[j] <= 0.9 and levels[j] - levels[i] >= 0.05
        ],
        dtype=np.int64,
    )


def _statistics(quantiles: Vector, levels: Vector, triples: NDArray[np.int64], count: int) -> Vector:
    """How many standard errors the cumulative hazard grows too little in j-k after its growth in i-j: (b, t)."""
    i, j, k = triples.T
    hazard, odds = -np.log1p(-levels), levels / (1 - levels)  # variance of the cumulative hazard is odds / n
    first = quantiles[:, j] - quantiles[:, i]
    ratio = np.divide(quantiles[:, k] - quantiles[:, j], first, out=np.zeros_like(first), where=first > 0)
    gap = ratio * (hazard[j] - hazard[i]) - (hazard[k] - hazard[j])
    variance = (ratio**2 * (odds[j] - odds[i]) + odds[k] - odds[j]) / count
    return np.asarray(np.where(first > 0, gap / np.sqrt(variance), -np.inf))


def _share(x: Vector, low: float, high: float) -> float:
    """The largest excess of the observed over the extrapolated share above a point, the body being low-high."""
    start, end = np.quantile(x, [low, high])
    hazard = (np.log1p(-low) - np.log1p(-high)) / (end - start)
    tail = x[x >= end]
    observed = np.arange(len(tail), 0, -1) / len(x)
    return max(0.0, float((observed - (1 - high) * np.exp(-hazard * (tail - end))).max()))
