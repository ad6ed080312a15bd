"""What a metric of series gives scores that know nothing, and what it gives a perfect one: a figure lies between.

Scores that know nothing are the given ones, shifted round the series: values, ties and autocorrelation stay, the
relation to the labels goes. The perfect ones are the labels themselves, and the labels with ties broken by the given
scores. Metrics of ranges are far from 0 by chance, and some are below 1 for perfect scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from unusual.errors import InputError
from unusual.evaluate.checks import Labels, Vector, labels_and_scores
from unusual.study import Distribution, Study, Table

Metric = Callable[[Labels, Vector], float]  # labels (n,), scores (n,) -> a figure, higher is better


@dataclass(frozen=True)
class AgainstChance:
    """A figure between chance and ceiling.

    Attributes
    ----------
    value : float
    chance : float
        Mean over the shifted scores.
    chance_interval : (low, high)
        Within which 95 % of them lie.
    ceiling : float
        Of the better of both perfect scores; a metric with soft borders can give another score a little more.
    ceiling_untied : float
        Of the labels with ties broken by the scores.
    rescaled : float
        (value - chance) / (ceiling - chance): 0 by chance, 1 at the ceiling; NaN where both are the same.
    p_value : float
        Share of shifts, the given one among them, that reach the value.
    shifted : (k,) float64
        The figures of the shifted scores.
    """

    value: float
    chance: float
    chance_interval: tuple[float, float]
    ceiling: float
    ceiling_untied: float
    rescaled: float
    p_value: float
    shifted: Vector

    def study(self) -> Study:
        """The figure on its way from chance to ceiling."""
        low, high = self.chance_interval
        answer = (
            f"The figure is {self.value:.3f}; chance gives {self.chance:.3f} and a perfect score {self.ceiling:.3f}."
        )
        rows = [(self.value, self.chance, low, high, self.ceiling, self.ceiling_untied, self.rescaled, self.p_value)]
        head = ("value", "chance", "low", "high", "ceiling", "ceiling without ties", "rescaled", "p")
        chart = Distribution("By chance: the same scores shifted round the series", "figure", self.shifted, self.value)
        note = f"Chance is the mean of {len(self.shifted):,} shifts, low to high hold 95 % of them."
        return Study("Figure against chance", answer, [Table("Between", head, rows), chart], [note])


def with_chance(
    metric: Callable[..., float], labels: ArrayLike, scores: ArrayLike, draws: int = 200, random_state: int = 0
) -> AgainstChance:
    """The metric of scores, of what knows nothing, and of what knows all.

    Parameters
    ----------
    metric : callable
        `metric(labels, scores)` gives one number, higher is better.
    labels, scores : (n,) of 0 and 1, and numbers
    draws : int
        Shifts drawn without repetition; all n - 1 of them where there are no more.
    random_state : int

    Raises
    ------
    InputError
        If labels and scores do not fit together, hold one class or NaN, or draws are below 1.
    """
    y, s = labels_and_scores(labels, scores)
    value = float(metric(y, s))
    shifted = np.array([metric(y, np.roll(s, k)) for k in shifts(len(y), draws, random_state)], dtype=np.float64)
    tied, untied = (float(metric(y, perfect)) for perfect in perfect_scores(y, s))
    return between(value, shifted, tied, untied)


def between(value: float, shifted: Vector, tied: float, untied: float) -> AgainstChance:
    """Put a value, the values by chance (k,) and both ceilings into one record."""
    chance, ceiling = float(shifted.mean()), max(tied, untied)
    low, high = np.quantile(shifted, [0.025, 0.975])
    room = ceiling - chance
    rescaled = (value - chance) / room if room > 1e-12 else math.nan
    p_value = (1 + np.count_nonzero(shifted >= value - 1e-12)) / (1 + len(shifted))
    return AgainstChance(
        value, chance, (float(low), float(high)), ceiling, untied, rescaled, float(p_value), shifted
    )  # fmt: skip


def shifts(n: int, draws: int, random_state: int) -> list[int]:
    """By how many rows (k,) a series of n rows is shifted: all ways but none, or some drawn without repetition.

    Raises
    ------
    InputError
        If draws are below 1.
    """
    if draws < 1:
        raise InputError(f"draws is {draws}; give at least 1, such as 200")
    if draws >= n - 1:
        return list(range(1, n))
    rng = np.random.default_rng(random_state)
    return [int(k) for k in 1 + np.sort(rng.choice(n - 1, draws, replace=False))]


def perfect_scores(y: Labels, s: Vector) -> tuple[Vector, Vector]:
    """The labels as scores (n,), and the labels with the order of the scores within each class (n,)."""
    return y.astype(np.float64), y + (rankdata(s, method="ordinal") - 1) / len(s)
