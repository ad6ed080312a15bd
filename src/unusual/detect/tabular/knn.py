"""KNN: distance to the k-th nearest row of the reference, or the mean over the k nearest.

role: detector
data: table
system: -
paper: Ramaswamy, Rastogi, Shim, Efficient Algorithms for Mining Outliers from Large Data Sets, 2000
needs: -
checkpoint: none
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unusual.detector import Detector, Labels, Matrix, Vector
from unusual.errors import InputError, suggest
from unusual.parts.neighbours import Neighbours
from unusual.parts.scaling import Standardizer

METHODS = ("largest", "mean")


class KNN(Detector):
    """Euclidean distance to the nearest rows of the reference, in standardised columns.

    Parameters
    ----------
    n_neighbors : int, default 5
        How many rows k are looked at; a reference of n rows has at most n - 1.
    method : "largest" or "mean", default "largest"
        The distance to the k-th nearest row, or the mean distance to the k nearest (Angiulli and Pizzuti, Fast Outlier
        Detection in High Dimensional Spaces, 2002).
    approximate : bool or "auto", default "auto"
        Whether only the surroundings of a row are searched; "auto" does so beyond 200,000 reference rows.
    n_jobs : int or None, default None
        Threads, as in scikit-learn.
    alarm_rate : float in (0, 1), default 0.01
        Share of normal rows one accepts as false alarms.

    Attributes
    ----------
    scaling_ : Standardizer
        Mean and scale (d,) of the columns.
    neighbours_ : Neighbours
        The reference in standardised units.
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        method: str = "largest",
        approximate: bool | str = "auto",
        n_jobs: int | None = None,
        alarm_rate: float = 0.01,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.method = method
        self.approximate = approximate
        self.n_jobs = n_jobs
        self.alarm_rate = alarm_rate

    def _fit(self, X: Matrix, y: Labels | None) -> None:
        if self.method not in METHODS:
            raise InputError(f"method is {self.method!r}; use largest or mean{suggest(str(self.method), [*METHODS])}")
        if self.n_neighbors < 1:
            raise InputError(f"n_neighbors is {self.n_neighbors}; give a number from 1")
        self.scaling_ = Standardizer.of(X)
        self.neighbours_ = Neighbours.build(self.scaling_(X), self.approximate)

    def _score(self, X: Matrix) -> Vector:
        return self._distance(X, None)

    def _train_score(self, X: Matrix, rows: NDArray[np.int64]) -> Vector:
        return self._distance(X[rows], rows)

    def _distance(self, X: Matrix, without: NDArray[np.int64] | None) -> Vector:
        k = min(self.n_neighbors, len(self.neighbours_) - 1)
        distance, _ = self.neighbours_.query(self.scaling_(X), k, without, self.n_jobs)  # (n, k)
        return np.asarray(distance[:, -1] if self.method == "largest" else distance.mean(axis=1))
