"""SubPCA, SubLOF, SubIsolationForest: detectors of tables on the windows of a series, each window one row.

role: detector
data: series
names: SubPCA, SubLOF, SubIsolationForest
system: -
paper: Paparrizos et al., TSB-UAD: An End-to-End Benchmark Suite for Univariate Time-Series Anomaly Detection, 2022
needs: -
checkpoint: none

A step's score is the mean score of the windows that cover it. Windows keep their level and their size.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from unusual.detect.tabular.isolation_forest import IsolationForest
from unusual.detect.tabular.lof import LOF
from unusual.detect.tabular.pca import PCA
from unusual.detector import Detector, Vector
from unusual.parts.rows import some_rows
from unusual.parts.windows import rows_of, spread_back
from unusual.series_detector import SeriesDetector, Steps

MOST_ROWS = 20_000  # windows learned from


class _Windowed(SeriesDetector):
    """A detector of tables on windows as rows."""

    @abstractmethod
    def _table_detector(self) -> Detector:
        """The detector, not yet fitted."""

    def _learn(self, parts: list[Steps]) -> None:
        rows = np.concatenate([rows_of(part, self.window_) for part in parts])
        rows = rows[some_rows(len(rows), MOST_ROWS)]
        self.detector_ = self._table_detector()
        self.detector_.n_features_in_ = rows.shape[1]
        self.detector_._fit(rows, None)

    def _steps(self, Z: Steps) -> Vector:
        return spread_back(self.detector_._score(rows_of(Z, self.window_)), self.window_)


class SubPCA(_Windowed):
    """Principal components of windows: what the leading ones leave out, and how far out a window lies along them.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    n_components : int or float in (0, 1), default 0.9
        How many components are kept, or the share of the variance that the kept ones explain.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, n_components: float = 0.9, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.n_components = n_components
        self.alarm_rate = alarm_rate

    def _table_detector(self) -> Detector:
        return PCA(self.n_components)


class SubLOF(_Windowed):
    """Local outlier factor of windows: how much sparser a window lies than its neighbours.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    n_neighbors : int, default 20
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(self, window: int | None = None, n_neighbors: int = 20, alarm_rate: float = 0.01) -> None:
        self.window = window
        self.n_neighbors = n_neighbors
        self.alarm_rate = alarm_rate

    def _table_detector(self) -> Detector:
        return LOF(self.n_neighbors)


class SubIsolationForest(_Windowed):
    """Isolation forest on windows: how few random cuts set a window apart.

    Parameters
    ----------
    window : int or None
        Steps of a window; None takes the period of the series.
    n_estimators : int, default 300
    random_state : int
    alarm_rate : float in (0, 1), default 0.01
        Share of normal blocks of two windows one accepts as false alarms.
    """

    def __init__(
        self, window: int | None = None, n_estimators: int = 300, random_state: int = 0, alarm_rate: float = 0.01
    ) -> None:
        self.window = window
        self.n_estimators = n_estimators
        self.random_state = random_state
        self.alarm_rate = alarm_rate

    def _table_detector(self) -> Detector:
        return IsolationForest(self.n_estimators, random_state=self.random_state)
