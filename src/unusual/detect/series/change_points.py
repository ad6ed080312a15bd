"""ChangePoints: how much better two courses, before and after a step, tell the window around it than one.

role: detector
data: series
names: ChangePoints
system: -
paper: Hawkins and Zamba, Statistical Process Control for Shifts in Mean or Variance, 2005
needs: -
checkpoint: none

The likelihood ratio of two Gaussians against one on the windows left and right of each step, for windows of one, two
and four periods, so that whole periods are compared and a season is no change.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Vector
from unusual.parts.windows import smoothed
from unusual.series_detector import SeriesDetector, Steps

SCALES = (1, 2, 4)  # periods on either side
LEAST_VARIANCE = 0.01  # in units of the channel: a change below a tenth of its spread is none


class ChangePoints(SeriesDetector):
    """Likelihood ratio of a change of level or variance at each step.

    Parameters
    ----------
    window : int or None
        Steps compared on either side, and twice and four times as many; None takes the period of the series.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        longest = max(len(part) for part in parts) // 4
        self.sides_ = [self.window_ * scale for scale in SCALES if scale == 1 or self.window_ * scale <= longest]

    def _steps(self, Z: Steps) -> Vector:
        most = max(1, len(Z) // 4)
        ratios = [_ratio(Z, side) for side in sorted({min(side, most) for side in self.sides_})]
        return smoothed(np.max(ratios, axis=0), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [self._steps(part) for part in parts]


def _ratio(Z: Steps, w: int) -> NDArray[np.float64]:
    """Mean over channels of the log-likelihood ratio for each step, (T,); 0 where a side is shorter than half of w."""
    T = len(Z)
    sums = np.concatenate([np.zeros((1, 2, Z.shape[1])), np.cumsum(np.stack([Z, Z**2], axis=1), axis=0)])
    at = np.arange(T)
    first, last = np.maximum(at - w, 0), np.minimum(at + w, T)
    left, right = sums[at] - sums[first], sums[last] - sums[at]  # (T, 2, C): sums and squares
    a, b = at - first, last - at
    whole = _log_variance(left + right, a + b)
    ratio = a[:, None] * (whole - _log_variance(left, a)) + b[:, None] * (whole - _log_variance(right, b))
    return np.where(np.minimum(a, b) >= (w + 1) // 2, np.maximum(ratio.mean(axis=1), 0) / (2 * w), 0.0)


def _log_variance(sums: Steps, count: NDArray[np.int64]) -> NDArray[np.float64]:
    mean = sums / np.maximum(count, 1)[:, None, None]
    return np.asarray(np.log(np.maximum(mean[:, 1] - mean[:, 0] ** 2, 0.0) + LEAST_VARIANCE))
