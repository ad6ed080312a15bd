"""Metrics of one or several scores of the same items in shared resamples, all resamples at once where they can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.evaluate.metrics import OF_RANKING, auroc
from unusual.evaluate.ranking import Ranking
from unusual.evaluate.resamples import BLOCK_VALUES, COARSE, FINE, TOP, Labels, Units, cells_of, counted, units_of

Vector = NDArray[np.float64]
Metric = Callable[..., float]
Formula = Callable[[Ranking], Vector]


@dataclass(frozen=True)
class Bootstrap:
    """Estimates (q, c), draws (q, c, r) and values without some units (q, c, j) of q metrics of c scores."""

    estimates: Vector
    draws: Vector
    without: Vector
    units: Units

    def combined(self, metric: int, weights: Sequence[float]) -> tuple[float, Vector, float]:
        """Estimate, draws (r,) and acceleration of the weighted sum of one metric of the scores."""
        w = np.asarray(weights)
        acceleration = self.units.acceleration(self.units.left_out(), w @ self.without[metric])
        return float(w @ self.estimates[metric]), w @ self.draws[metric], acceleration


Drawn = tuple[Units, Callable[[Vector], Vector], int]


def bootstrapped(
    metrics: Sequence[Metric],
    y: Labels,
    scores: Sequence[Vector],
    groups: ArrayLike | None,
    resamples: int,
    random_state: int,
) -> Bootstrap:
    """Metrics of scores (n,) of the same items with labels `y` (n,), in resamples that all of them share.

    Raises
    ------
    InputError
        If there are fewer than two resamples, or `units_of` refuses the groups.
    """
    if resamples < 2:
        raise InputError(f"resamples is {resamples}; give at least two")
    formulas = [formula_of(metric) for metric in metrics]
    units, of_draw, width = (
        _by_rows(metrics, y, scores, groups)
        if None in formulas
        else _by_counts([f for f in formulas if f], y, scores, groups, list(metrics) == [auroc])
    )
    every = units.many.astype(np.float64)
    left_out = units.left_out()
    without = []
    block = max(1, BLOCK_VALUES // max(width, len(every)))
    for some in np.split(left_out, range(block, len(left_out), block)):
        drawn = np.tile(every, (len(some), 1))
        drawn[np.arange(len(some)), some] -= 1
        without.append(of_draw(drawn))
    rng = np.random.default_rng(random_state)
    draws = np.concatenate([of_draw(drawn) for drawn in units.draws(resamples, width, rng)], axis=2)
    estimates = np.array([[metric(y, s) for s in scores] for metric in metrics])
    pooled = of_draw(every[None])[:, :, 0]
    return Bootstrap(estimates, draws + (estimates - pooled)[..., None], np.concatenate(without, axis=2), units)


def _by_counts(
    formulas: Sequence[Formula], y: Labels, scores: Sequence[Vector], groups: ArrayLike | None, coarse: bool
) -> Drawn:
    """Units, the metrics (q, c, r) of resamples (r, u), and the length of the longest ranking."""
    cells, within = [], []
    for s in scores:
        ranking = Ranking.of(y, s)
        cell, inside = cells_of(ranking, *((COARSE, 0) if coarse else (FINE, TOP)))
        cells.append(cell[np.searchsorted(-ranking.thresholds, -s)])
        within.append(inside)
    units, unit = units_of(y, groups, cells)
    counts = [counted(y, c, w, units, unit) for c, w in zip(cells, within, strict=True)]

    def of_draw(drawn: Vector) -> Vector:
        rankings = [one.ranking(drawn) for one in counts]
        return np.array([[formula(ranking) for ranking in rankings] for formula in formulas])

    return units, of_draw, max(len(w) for w in within)


def _by_rows(metrics: Sequence[Metric], y: Labels, scores: Sequence[Vector], groups: ArrayLike | None) -> Drawn:
    """The same for metrics that are called once per resample."""
    units, unit = units_of(y, groups, [np.arange(len(y))])

    def of_draw(drawn: Vector) -> Vector:
        rows = [np.repeat(np.arange(len(y)), one[unit].astype(np.int64)) for one in drawn]
        return np.array([[[float(metric(y[row], s[row])) for row in rows] for s in scores] for metric in metrics])

    return units, of_draw, len(y)


def formula_of(metric: Metric) -> Formula | None:
    """The method of `Ranking` that a metric reads, with its options."""
    function, options = (metric.func, metric.keywords) if isinstance(metric, partial) else (metric, {})
    if function not in OF_RANKING or (isinstance(metric, partial) and metric.args):
        return None
    return partial(_call, function.__name__, dict(options))


def _call(name: str, options: dict[str, Any], ranking: Ranking) -> Vector:
    return np.asarray(getattr(ranking, name)(**options))
