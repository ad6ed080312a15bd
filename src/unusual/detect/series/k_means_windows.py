"""KMeansWindows: how far windows lie from the nearest of a few typical ones.

role: detector
data: series
names: KMeansWindows
system: -
paper: Yairi et al., Fault Detection by Mining Association Rules from House-keeping Data, 2001
needs: -
checkpoint: none

A step's score is the mean distance of the windows that cover it. Windows keep their level and their size.
"""

from __future__ import annotations

import numpy as np

from unusual.detector import Vector
from unusual.errors import InputError
from unusual.parts.kmeans import kmeans, nearest_centre
from unusual.parts.rows import some_rows
from unusual.parts.windows import rows_of, spread_back
from unusual.series_detector import SeriesDetector, Steps

MOST_ROWS = 5000  # windows learned from: neighbouring ones hardly differ


class KMeansWindows(SeriesDetector):
    """Distance of windows to the nearest of k centres.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    n_clusters : int, default 20
    random_state : int
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(
        self, window: int | None = None, n_clusters: int = 20, random_state: int = 0, alarm_rate: float = 0.01
    ) -> None:
        self.window = window
        self.n_clusters = n_clusters
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _learn(self, parts: list[Steps]) -> None:
        if self.n_clusters < 1:
            raise InputError(f"n_clusters is {self.n_clusters}; give a number of typical windows from 1")
        rows = np.concatenate([rows_of(part, self.window_) for part in parts])
        rows = rows[some_rows(len(rows), MOST_ROWS)]
        self.centres_ = kmeans(rows, self.n_clusters, np.random.default_rng(self.random_state), iterations=30)[0]

    def _steps(self, Z: Steps) -> Vector:
        return spread_back(np.sqrt(nearest_centre(rows_of(Z, self.window_), self.centres_)[1]), self.window_)
