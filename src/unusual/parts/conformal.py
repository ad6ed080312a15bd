"""Conformal p-values and thresholds from scores of normal items that the fit has not seen.

One rule, ties included: k = floor(rate (n + 1)); the threshold is the k-th largest calibration score, +inf when k = 0;
an alarm is raised if and only if score > threshold, if and only if p <= rate.
Source: Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World, 2005; the law of the realised rate: Vovk,
Conditional Validity of Inductive Conformal Predictors, 2012.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError

Vector = NDArray[np.float64]


def check_rate(rate: float, name: str = "alarm_rate") -> float:
    """Return `rate` if it is a number in (0, 1), else say what it should be."""
    is_number = isinstance(rate, int | float | np.floating) and not isinstance(rate, bool)
    if not is_number or not 0 < rate < 1:
        raise InputError(f"{name} is {rate!r}; give a number between 0 and 1, such as 0.01 for one in a hundred")
    return float(rate)


def allowed(count: int, rate: float) -> int:
    """How many of `count + 1` exchangeable items may alarm at `rate`: k = floor(rate (count + 1))."""
    return math.floor(rate * (count + 1) + 1e-9)  # 0.29 * 100 is 28.999... in floating point


@dataclass(frozen=True)
class Calibration:
    """Ascending scores (n,) of normal items, and where they come from.

    `source` is "held out" (unseen items), "left out" (each item scored without itself), "cross-fitted" (scored by fits
    on other parts; approximate, since the final fit differs from those) or "ranked" (the items of the fit themselves,
    of unknown purity: nothing can be promised).
    """

    scores: Vector
    source: str

    @classmethod
    def of(cls, scores: ArrayLike, source: str) -> Calibration:
        """Calibrate on scores (n,) in any order; none, or one that is NaN, is refused with an `InputError`."""
        values = np.sort(np.asarray(scores, dtype=np.float64))
        if not len(values):
            raise InputError("there are no calibration scores; give at least one normal item the model has not seen")
        if np.isnan(values[-1]):
            raise InputError("calibration scores contain NaN; a p-value needs a score for every item")
        return cls(values, source)

    def __len__(self) -> int:
        return len(self.scores)

    def threshold(self, rate: float) -> float:
        """The k-th largest calibration score, +inf where `rate` is out of reach for so few items."""
        k = allowed(len(self), check_rate(rate))
        return float(self.scores[-k]) if k else math.inf

    def p_value(self, scores: ArrayLike) -> Vector:
        """(1 + number of calibration scores >= score) / (n + 1), for each score (m,)."""
        below = np.searchsorted(self.scores, np.asarray(scores, dtype=np.float64), side="left")
        return np.asarray((1 + len(self) - below) / (len(self) + 1), dtype=np.float64)

    @property
    def smallest_rate(self) -> float:
        """The smallest alarm rate that so many items support, 1 / (n + 1)."""
        return 1 / (len(self) + 1)

    def promised_rate(self, rate: float) -> float:
        """The alarm rate over repeated calibrations: floor((n + 1) rate) / (n + 1)."""
        return allowed(len(self), check_rate(rate)) / (len(self) + 1)

    def realised_rate(self, rate: float, coverage: float = 0.95) -> tuple[float, float]:
        """Interval of the rate this one calibration realises on new normal items: the law is Beta(k, n + 1 - k)."""
        from scipy.stats import beta

        k = allowed(len(self), check_rate(rate))
        if k == 0:
            return 0.0, 0.0
        low, high = beta.ppf([(1 - coverage) / 2, (1 + coverage) / 2], k, len(self) + 1 - k)
        return float(low), float(high)
