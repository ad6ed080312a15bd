"""HBOS: one histogram per column, and how low the row's bins are.

role: detector
data: table
system: -
paper: Goldstein and Dengel, Histogram-Based Outlier Score (HBOS): A Fast Unsupervised Anomaly Detection Algorithm, 2012
needs: -
checkpoint: none
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.parts.bins import Bins, numbers_of_bins
from unusual.parts.scaling import Standardizer

FLOOR = 0.1  # added to every density, so that an empty bin costs -log2(0.1) = 3.3 and not infinitely much


class HBOS(Detector):
    """Sum over columns of -log2(density + 0.1), the density of the row's bin where the column has spread 1.

    A value on the edge of two bins belongs to the lower one (PyOD counts it in the upper and looks it up in the lower).
    Values up to half a bin beyond the reference belong to its outermost bin, further ones to its rarest. Rows of the
    reference are judged with themselves taken out of their bins (`fit_anomaly_score`, calibration); edges and spread
    stay.

    Parameters
    ----------
    n_bins : int or "auto", default 10
        Bins of equal width between the extremes of each column; "auto" chooses by penalised likelihood for each.
    n_jobs : int or None, default None
        Threads; None is one, -1 one per core.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    bins_ : Bins
        Where the bins of each column lie.
    counts_ : int array (d, largest number of bins)
        Rows of the reference in each bin.
    spread_ : array (d,)
        Standard deviation of each column.
    table_ : array
        What each half bin of each column adds to the score.
    """

    def __init__(self, n_bins: int | Literal["auto"] = 10, n_jobs: int | None = None, alarm_rate: float = 0.01) -> None:
        self.n_bins = n_bins
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        scaling, low, high = Standardizer.and_range(X)
        self.bins_ = Bins.between(low, high, numbers_of_bins(X, self.n_bins))
        self.counts_ = self.bins_.counts(X, self.n_jobs)  # (d, largest number of bins)
        self.spread_ = scaling.scale
        self.table_ = self._table(len(X), 0)

    def _score(self, X: Matrix) -> Vector:
        return self.bins_.total(X, self.table_, self.n_jobs)

    def _explain(self, X: Matrix) -> Vector:
        return self.bins_.each(X, self.table_)  # (n, d), rows sum to the score

    def _train_score(self, X: Matrix, rows: Labels) -> Vector:
        return self.bins_.total(np.ascontiguousarray(X[rows]), self._table(len(X), 1), self.n_jobs)

    def _table(self, count: int, taken: int) -> Vector:
        """The values of the bins when `taken` rows are taken out of each."""
        width, number = self.bins_.width[:, None], self.bins_.number[:, None]
        constant = width == 0  # one bin of the same share of the range as in other columns
        height = np.where(constant, number, self.spread_[:, None] / np.where(constant, 1.0, width))
        density = np.maximum(self.counts_ - taken, 0) / (count - taken) * height  # (d, largest number)
        values = -np.log2(density + FLOOR)
        own = np.arange(values.shape[1])[None] < number
        return self.bins_.table(values, np.where(own, values, -np.inf).max(axis=1))
