"""Cuts of a score: by a share, by a rate of false alarms, by what mistakes cost. Alarm if and only if score > cut.

Sources: Vovk et al., Algorithmic Learning in a Random World, 2005 (rate); Elkan, The Foundations of Cost-Sensitive
Learning, 2001 (cost).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unusual.errors import InputError
from unusual.parts.conformal import Calibration, check_rate

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CostCut:
    """The cheapest cut, and what is to be expected of it.

    `expected_cost` is per item, in the unit in which the two mistakes were priced; `false_alarm_rate` is a share of
    the normal items, `miss_rate` one of the anomalous items.
    """

    threshold: float
    expected_cost: float
    false_alarm_rate: float
    miss_rate: float


def quantile_threshold(scores: ArrayLike, share: float) -> float:
    """The lowest cut that flags at most `share` of these scores (n,); of tied scores all or none are flagged.

    A budget of items to look at, not a promise on false alarms: the scores need be neither normal nor unseen.
    """
    values = np.sort(_checked(scores, "scores"))
    above = math.floor(check_rate(share, "share") * len(values) + 1e-9)  # 0.29 * 100 is 28.999... in floating point
    return float(values[len(values) - 1 - above])


def alarm_rate_threshold(normal_scores: ArrayLike, alarm_rate: float = 0.01) -> float:
    """The conformal cut from scores (n,) of normal items that the fit has not seen; +inf if so few cannot support it.

    New normal items alarm at floor((n + 1) alarm_rate) / (n + 1) on average over calibrations.
    """
    return Calibration.of(normal_scores, "held out").threshold(alarm_rate)


def cost_threshold(
    normal_scores: ArrayLike,
    *,
    share: float | ArrayLike,
    false_alarm_cost: float,
    miss_cost: float,
    anomalous_scores: ArrayLike | None = None,
    unlabelled_scores: ArrayLike | None = None,
) -> CostCut:
    """The cut with the least expected cost of false alarms and misses together.

    Parameters
    ----------
    normal_scores : (n,) array
        Scores of normal items that the fit has not seen.
    share : float in (0, 1), or draws (s,) of it
        Share of anomalies among the items to come, such as `ContaminationPosterior.sample_`. The expected cost is
        linear in it, so draws count by their mean.
    false_alarm_cost, miss_cost : float > 0
        What one false alarm and one missed anomaly cost, in any unit.
    anomalous_scores : (a,) array, optional
        Scores of known anomalies.
    unlabelled_scores : (u,) array, optional
        Scores of items of which `share` are anomalous, used where no known anomalies are given: what they hold above
        a cut beyond the normal items is taken to be anomalies.

    Returns
    -------
    CostCut
        Of equally cheap cuts the one with the fewest alarms.

    Raises
    ------
    InputError
        If not exactly one of `anomalous_scores` and `unlabelled_scores` is given, or a number is out of range.
    """
    if (anomalous_scores is None) == (unlabelled_scores is None):
        raise InputError("the cost of misses needs either anomalous_scores or unlabelled_scores; give one of them")
    if not (false_alarm_cost > 0 and miss_cost > 0 and math.isfinite(false_alarm_cost + miss_cost)):
        raise InputError(f"costs are {false_alarm_cost} and {miss_cost}; give two numbers above 0")
    rate = check_rate(float(np.asarray(share, dtype=np.float64).mean()), "share")
    normal = _checked(normal_scores, "normal_scores")
    other = _checked(unlabelled_scores if anomalous_scores is None else anomalous_scores, "the other scores")
    cuts = np.concatenate([[-math.inf], np.unique(np.concatenate([normal, other]))])
    false_alarms = _share_above(normal, cuts)
    found = _share_above(other, cuts)
    if anomalous_scores is None:
        found = np.clip((found - (1 - rate) * false_alarms) / rate, 0, 1)
    cost = (1 - rate) * false_alarm_cost * false_alarms + rate * miss_cost * (1 - found)
    best = len(cuts) - 1 - int(np.argmin(cost[::-1]))
    return CostCut(float(cuts[best]), float(cost[best]), float(false_alarms[best]), float(1 - found[best]))


def _share_above(scores: Vector, cuts: Vector) -> Vector:
    below = np.searchsorted(np.sort(scores), cuts, side="right")
    return np.asarray(1 - below / len(scores))


def _checked(scores: ArrayLike | None, name: str) -> Vector:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or not len(values) or np.isnan(values).any():
        raise InputError(f"{name} must be one list of numbers without NaN; it has shape {values.shape}")
    return values
