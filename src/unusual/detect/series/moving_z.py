"""MovingZ: how far a step lies from the median of the steps before it.

role: detector
data: series
names: MovingZ
system: -
paper: Hampel, The Influence Curve and its Role in Robust Estimation, 1974
needs: -
checkpoint: none

Causal: a score depends on the step and those before it. Median and median absolute deviation are those of the last
windows; the first steps, before which there is too little, get the lowest score.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import median_filter

from unusual.detector import Vector
from unusual.series_detector import SeriesDetector, Steps

BEFORE = 5  # windows looked back on
NORMAL = 1.4826  # standard deviation of a normal variable whose median absolute deviation is 1
LEAST_SPREAD = 0.05  # in units of the channel: what is quieter than that is quiet


class MovingZ(SeriesDetector):
    """Distance from the moving median in moving robust deviations, the largest over channels.

    Parameters
    ----------
    window : int or None
        A fifth of the steps looked back on; None takes the period of the series.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        self.before_ = BEFORE * self.window_  # steps looked back on

    def _steps(self, Z: Steps) -> Vector:
        middle = self._expected(Z)
        gap = np.abs(Z - middle)
        spread = NORMAL * _median_before(gap, self._length(Z)) + LEAST_SPREAD
        scores = (gap / spread).max(axis=1)
        scores[: self._length(Z)] = scores[self._length(Z) :].min()  # there is too little before to tell
        return np.asarray(scores)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        return [self._steps(part) for part in parts]

    def _expected(self, Z: Steps) -> Steps:
        return _median_before(Z, self._length(Z))

    def _length(self, Z: Steps) -> int:
        return max(1, min(self.before_, len(Z) // 2))


def _median_before(Z: Steps, length: int) -> Steps:
    """Median (T, C) of the `length` steps before each; before the first they count as equal to it."""
    padded = np.concatenate([np.repeat(Z[:1], length, axis=0), Z])
    right = (length - 1) // 2  # a shift by half the length turns the centred filter into one of the past
    found = [median_filter(z, length, mode="nearest", origin=right) for z in padded.T]
    return np.stack(found, axis=1)[length - 1 : -1]
