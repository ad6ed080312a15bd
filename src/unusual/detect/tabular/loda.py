"""LODA: histograms of random sparse projections, and how rare the row is in them on average.

role: detector
data: table
system: -
paper: Pevny, LODA: Lightweight On-Line Detector of Anomalies, 2016
needs: -
checkpoint: none
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError
from unusual.parts.bins import ROWS_TO_CHOOSE_FROM, Bins, column_range, numbers_of_bins
from unusual.parts.rows import some_rows
from unusual.parts.scaling import Standardizer

ROWS = 4096  # projected at a time: the projections of all rows would be many times the table


class LODA(Detector):
    """Mean over random projections of -log of the share of reference rows in the row's bin.

    A projection weighs sqrt(d) random columns, brought to equal spread before, with normal weights. A row is counted
    into its bin before the share is taken, (N + 1) / (n + 1), so that empty bins and values beyond the reference stay
    finite; a row of the reference is then judged by N / n (`fit_anomaly_score`, calibration).

    Parameters
    ----------
    n_estimators : int, default 100
        Projections.
    n_bins : int or "auto", default "auto"
        Bins of equal width of each projection; "auto" chooses by penalised likelihood for each, as in the paper.
    random_state : int, default 0
        Seed of the projections.
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
    projections_ : array (projections, d)
    bins_ : Bins
        Where the bins of each projection lie.
    counts_ : int array (projections, largest number of bins)
        Rows of the reference in each bin.
    table_ : array
        What each half bin of each projection adds to the score.
    """

    def __init__(
        self,
        n_estimators: int = 100,
        n_bins: int | Literal["auto"] = "auto",
        random_state: int = 0,
        n_jobs: int | None = None,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_estimators = n_estimators
        self.n_bins = n_bins
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.n_estimators < 1:
            raise InputError(f"n_estimators is {self.n_estimators}; LODA needs at least one projection, such as 100")
        rng = np.random.default_rng(self.random_state)
        self.scaling_ = Standardizer.of(X)
        self.projections_ = rng.normal(size=(self.n_estimators, X.shape[1]))
        kept = max(1, math.isqrt(X.shape[1]))
        for weights in self.projections_:
            weights[rng.permutation(X.shape[1])[kept:]] = 0.0
        self._count(X)

    def _count(self, X: Matrix) -> None:
        """Histograms of the projected rows, in two passes over blocks: their range first."""
        ranges = [column_range(P) for P in self._projected(X)]
        low = np.min([low for low, _ in ranges], axis=0)
        high = np.max([high for _, high in ranges], axis=0)
        sample = np.concatenate(list(self._projected(X[some_rows(len(X), ROWS_TO_CHOOSE_FROM)])))
        self.bins_ = Bins.between(low, high, numbers_of_bins(sample, self.n_bins))
        self.counts_ = sum((self.bins_.counts(P, self.n_jobs) for P in self._projected(X)), start=np.int64(0))
        self.table_ = self._table(len(X), 0)

    def _score(self, X: Matrix) -> Vector:
        return self._mean_surprise(X, self.table_)

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        return self._mean_surprise(X[rows], self._table(len(X), 1))

    def _mean_surprise(self, X: Matrix, table: Vector) -> Vector:
        return np.concatenate([self.bins_.total(P, table, self.n_jobs) for P in self._projected(X)])

    def _projected(self, X: Matrix) -> Iterator[Vector]:
        """The rows of X block by block on the projections, (rows, projections), in float64."""
        for start in range(0, len(X), ROWS):
            yield self.scaling_(X[start : start + ROWS].astype(np.float64)) @ self.projections_.T

    def _table(self, count: int, taken: int) -> Vector:
        """The values of the bins when `taken` rows are taken out of each, divided by the number of projections."""
        share = (np.maximum(self.counts_ - taken, 0) + 1) / (count - taken + 1)  # (projections, largest number)
        beyond = np.full(len(share), -np.log(1 / (count - taken + 1)))
        return self.bins_.table(-np.log(share), beyond) / len(share)
