"""Is one detector better than another, on the same items or over the same data sets.

Sources: Efron, Better Bootstrap Confidence Intervals, 1987 (BCa); Davison, Hinkley, Bootstrap Methods and Their
Application, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from unusual.errors import InputError
from unusual.evaluate.bootstrapped import Metric, bootstrapped
from unusual.evaluate.checks import labels_and_scores
from unusual.evaluate.intervals import interval_of, level_of
from unusual.evaluate.metrics import auroc
from unusual.parts.bootstrap import Interval, bootstrap_interval
from unusual.study import Intervals, Study

Vector = NDArray[np.float64]

MOST_SETS = 12  # up to so many data sets all 2^k changes of sign are tried


@dataclass(frozen=True)
class Comparison:
    """Two detectors, a and b, on the same items or sets.

    Attributes
    ----------
    statistic : float
        The difference in units of its standard error.
    p_value : float
        Of no difference, two-sided.
    effect : float
        The metric of a minus that of b.
    interval : Interval
        Of the effect.
    a, b : float
        The metric of either.
    metric, resampled : str
        What was measured, and what was resampled.
    """

    statistic: float
    p_value: float
    effect: float
    interval: Interval
    a: float
    b: float
    metric: str
    resampled: str
    notes: tuple[str, ...] = ()

    def study(self) -> Study:
        """The difference with its interval, and what it rests on."""
        low, high, level = self.interval.low, self.interval.high, self.interval.level
        if low <= 0 <= high:
            answer = f"No clear difference in {self.metric}: {self.a:.3f} against {self.b:.3f}"
        else:
            first, second = ("first", "second") if self.effect > 0 else ("second", "first")
            answer = f"The {first} has the higher {self.metric} than the {second}: {self.a:.3f} against {self.b:.3f}"
        answer += f", a difference of {self.effect:+.3f} ({level:.0%} interval {low:+.3f} to {high:+.3f})."
        rows = [("first minus second", self.effect, low, high)]
        chart = Intervals(f"Difference in {self.metric}; 0 is none", self.metric, rows, 0.0)
        return Study("Which of the two is better?", answer, [chart], [f"Resampled: {self.resampled}.", *self.notes])


def paired_comparison(
    labels: ArrayLike,
    scores_a: ArrayLike,
    scores_b: ArrayLike,
    metric: Metric = auroc,
    groups: ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    random_state: int = 0,
) -> Comparison:
    """Difference of a metric between two scores of the same items (n,), whose resamples they share.

    What is resampled is as in `metric_interval`, whose options these are. The p-value is the level at which the
    interval just touches 0.
    """
    y, a = labels_and_scores(labels, scores_a)
    _, b = labels_and_scores(labels, scores_b)
    boot = bootstrapped([metric], y, [a, b], groups, resamples, random_state)
    difference = boot.combined(0, [1.0, -1.0])
    effect, draws, _ = difference
    error = float(draws.std(ddof=1))
    what = "items within each class" if groups is None else "whole groups"
    return Comparison(
        effect / error if error > 0 else 0.0,
        _p_value(*difference),
        effect,
        interval_of(*difference, level_of(level)),
        float(boot.estimates[0, 0]),
        float(boot.estimates[0, 1]),
        _name(metric),
        what,
    )


def comparison_over_sets(
    a: ArrayLike, b: ArrayLike, metric: str = "metric", *, level: float = 0.95, random_state: int = 0
) -> Comparison:
    """Mean difference of a metric that two detectors reach on the same data sets (k,).

    The interval resamples sets; the p-value turns the signs of the differences, in all ways up to 12 sets and in
    10,000 beyond. With k sets no p-value is below 2^(1-k).
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or not np.isfinite([first, second]).all():
        raise InputError(
            f"a and b have shapes {first.shape} and {second.shape}; give one finite number per set in each"
        )
    gap = first - second
    interval = bootstrap_interval(gap, level=level, random_state=random_state)
    if len(gap) <= MOST_SETS:
        signs = np.array(list(product([1.0, -1.0], repeat=len(gap))))
    else:
        signs = np.random.default_rng(random_state).choice([1.0, -1.0], size=(10_000, len(gap)))
        signs[0] = 1.0
    p = float((np.abs(signs @ gap) >= abs(gap.sum()) - 1e-12 * np.abs(gap).sum()).mean())
    error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
    won = f"The first was higher on {int((gap > 0).sum())} of {len(gap)} sets, the second on {int((gap < 0).sum())}."
    return Comparison(
        gap.mean() / error if error > 0 else 0.0,
        p,
        float(gap.mean()),
        interval,
        float(first.mean()),
        float(second.mean()),
        metric,
        "data sets",
        (won,),
    )


def _p_value(estimate: float, draws: Vector, acceleration: float) -> float:
    """Two-sided level at which one limit of the interval is 0."""
    n = len(draws)
    if not draws.any():
        return 1.0
    below = (np.count_nonzero(draws < estimate) + np.count_nonzero(draws <= estimate)) / (2 * n)
    under = (np.count_nonzero(draws < 0) + np.count_nonzero(draws <= 0)) / (2 * n)
    z0 = ndtri(np.clip(below, 1 / (n + 1), n / (n + 1)))
    q = ndtri(np.clip(under, 1 / (n + 1), n / (n + 1))) - z0
    return float(min(1.0, 2 * ndtr(-abs(q / (1 + acceleration * q) - z0))))


def _name(metric: Metric) -> str:
    function = metric.func if isinstance(metric, partial) else metric
    return str(getattr(function, "__name__", type(function).__name__)).replace("_", " ")
