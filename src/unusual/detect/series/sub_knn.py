"""SubKNN: how far the k-th nearest window of the reference is, level and size included.

role: detector
data: series
system: -
paper: Ramaswamy, Rastogi, Shim, Efficient Algorithms for Mining Outliers from Large Data Sets, 2000
needs: -
checkpoint: none

A step's score is the mean over the windows that cover it. In the series learned from, windows that share half of their
steps or more are one neighbourhood and no neighbours. Of long series each window is compared with about 50,000 others.
"""

from __future__ import annotations

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.kernels.windows import MOST_NEIGHBOURS
from unusual.parts.neighbour_windows import joined, look_up, over_parts, settled, shown
from unusual.parts.period import whole_periods
from unusual.parts.windows import spread_back
from unusual.series_detector import SeriesDetector, Steps


class SubKNN(SeriesDetector):
    """Root mean squared difference between a window and the k-th nearest of the reference, over all channels.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes whole periods of the series, at least 64 steps.
    n_neighbors : int, default 5
        Which neighbour counts, 1 to 16.
    n_jobs : int or None, default None
        Threads, as in scikit-learn.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.

    Attributes
    ----------
    reference_ : float64 (R, C)
        The series learned from in standard units, one after another with a missing step between.
    """

    def __init__(
        self,
        window: int | None = None,
        n_neighbors: int = 5,
        n_jobs: int | None = None,
        alarm_rate: float = 0.01,
    ) -> None:
        self.window = window
        self.n_neighbors = n_neighbors
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _usual_window(self, Z: Steps) -> int:
        return whole_periods(Z)

    def _learn(self, parts: list[Steps]) -> None:
        if not 1 <= self.n_neighbors <= MOST_NEIGHBOURS:
            raise InputError(f"n_neighbors is {self.n_neighbors}; give a number from 1 to {MOST_NEIGHBOURS}")
        self.reference_ = joined(parts)

    def _steps(self, Z: Steps) -> Vector:
        distance, _ = look_up(Z, self.window_, self.n_neighbors, False, self.reference_, n_jobs=self.n_jobs)
        return spread_back(settled(distance), self.window_)

    def _own_steps(self, parts: list[Steps]) -> list[Vector]:
        m, half = self.window_, -(-self.window_ // 2)
        distance, _ = look_up(self.reference_, m, self.n_neighbors, False, None, (-half, half), self.n_jobs)
        return over_parts(distance, parts, m, spread_back)

    def _expected(self, Z: Steps) -> Steps:
        """What the nearest windows show (T, C); a series that was learned from may be its own neighbour."""
        _, index = look_up(Z, self.window_, 1, False, self.reference_, n_jobs=self.n_jobs)
        return shown(Z, index, self.reference_, self.window_, levelled=False)
