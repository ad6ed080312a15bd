"""How sure is a metric: bootstrap intervals over items or groups of items.

Sources: Efron, Better Bootstrap Confidence Intervals, 1987 (BCa); Davison, Hinkley, Bootstrap Methods and Their
Application, 1997.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.bootstrapped import Metric, bootstrapped
from unusual.evaluate.checks import labels_and_scores
from unusual.parts.bootstrap import Interval, corrected_levels

Vector = NDArray[np.float64]


def metric_interval(
    metric: Metric,
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    random_state: int = 0,
) -> Interval:
    """Bootstrap interval (BCa) of any metric of labels and scores.

    Items are resampled within each class, so the numbers of anomalous and normal items stay; with `groups`, whole
    groups are, within those that hold one class, the other, or both. Metrics of a ranking are computed for all
    resamples at once, and beyond some thousand distinct scores on cells of neighbouring ones (the highest 1,000 kept
    apart): what stands where inside a cell is then taken from the data, and not resampled.

    Parameters
    ----------
    metric : callable(labels, scores) -> float
        A metric of `unusual.evaluate` (options by `functools.partial`) or one's own.
    labels, scores : (n,)
    groups : (n,), optional
        Labels of related items: machine, tile, patient.
    level : float in (0, 1)
    resamples : int
    random_state : int

    Raises
    ------
    InputError
        If labels and scores cannot be ranked, or a class occurs in one item or group only.

    Notes
    -----
    With few anomalies it is too short: in simulations with 100 to 300 normal items, 95 % intervals of AUROC held the
    truth in 84 % of samples with 5 anomalies, 90 % with 10 and 92 % with 30, and those of FPR at 95 % recall, which
    rests on the lowest few anomalies, in 42 %, 48 % and 85 %.
    """
    options: dict[str, Any] = {"level": level, "resamples": resamples, "random_state": random_state}
    return metric_intervals([metric], labels, scores, groups, **options)[0]


def metric_intervals(
    metrics: Sequence[Metric],
    labels: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    random_state: int = 0,
) -> list[Interval]:
    """`metric_interval` of several metrics from the same resamples: one drawing for all."""
    y, s = labels_and_scores(labels, scores)
    boot = bootstrapped(metrics, y, [s], groups, resamples, random_state)
    return [interval_of(*boot.combined(i, [1.0]), level_of(level)) for i in range(len(metrics))]


def interval_of(estimate: float, draws: Vector, acceleration: float, level: float) -> Interval:
    edges = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = np.quantile(draws, corrected_levels(edges, estimate, draws, acceleration))
    return Interval(estimate, float(low), float(high), level)


def level_of(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(f"level is {level}; give a share between 0 and 1")
    return level
